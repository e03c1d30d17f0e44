"""The training loop: Keras ``fit`` from one checkpoint to the next, on TensorFlow."""
import dataclasses
import hashlib
import itertools
import logging
import pathlib
from typing import Callable, Optional

import keras
import numpy as np
import tensorflow as tf

from modelscope_aams.checkpoints.atomic import write_atomically

from . import state, weights
from .cluster import choose_strategy, is_chief, machines, mean_over_replicas, on_all_machines
from .objective import ReconstructionObjective, Split
from .optimiser import build_optimiser
from .pictures import Crops, scan_folder
from .recipe import Recipe
from .stylization import StylePairs, StylizationObjective
from .summaries import SHOWN_PAIRS, LossSummaries, write_validation
from .validation import mean_psnr, reconstructions

logger = logging.getLogger(__name__)

#: Names in the work folder beside those of state and model.
LEFT_OUT_NAME, LOG_NAME = 'left_out.txt', 'tensorboard'


def sample_dataset(samples, recipe: Recipe, start: int, stop: int,
                   context=tf.distribute.InputContext()) -> tf.data.Dataset:
    """Batches of one machine for the steps from ``start`` to ``stop``.

    Step s takes the samples from s · batch_size on; the machines of ``context`` share
    them out in order, and so do each machine's devices, batch after batch.

    Args:
        samples: gives float32 arrays by number, one or a dict of them as its ``specs`` say.
    """
    batch = context.get_per_replica_batch_size(recipe.batch_size)
    share = recipe.batch_size // context.num_input_pipelines
    specs = tf.nest.flatten(samples.specs)

    def load(position):
        number = ((start + position // share) * recipe.batch_size
                  + context.input_pipeline_id * share + position % share)
        values = tf.numpy_function(lambda n: tf.nest.flatten(samples[int(n)]), [number],
                                   [tf.float32] * len(specs), stateful=False)
        return tf.nest.pack_sequence_as(samples.specs, [
            tf.ensure_shape(value, spec.shape) for value, spec in zip(values, specs)])

    return (tf.data.Dataset.range((stop - start) * share)
            .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .batch(batch, drop_remainder=True)
            .prefetch(tf.data.AUTOTUNE))


class Trainer:
    """A run of a recipe that can be stopped at any point and taken up again.

    The same recipe, pictures and starting weights give the same weights, bit by bit on
    the same machine, whether the run was stopped or not. At every checkpoint the work
    folder holds a model directory, the run's state, a TensorBoard log and the list of
    files that could not be used.

    Args:
        build_network: called within the distribution strategy; returns the
            AttentionAutoencoder to train, with its encoder's weights set.
        recipe: hyper-parameters.
        dataset: folder of training pictures.
        work_dir: folder for all that the run writes; a state that is there is gone on
            from. Machines that train together have to share it.
        validation: folder of pictures held out, whose PSNR is taken at each checkpoint.
        styles: folder of paintings, for a recipe with ``stylization``.
        verbose: of Keras's ``fit``: 0 silent, 1 progress bar, 2 a line per checkpoint.
        strategy: see tf.distribute; None chooses by devices and TF_CONFIG.

    Raises:
        ValueError: if the pictures, the batch size or the Keras backend do not fit, or
            ``styles`` is missing or of no use.
    """

    def __init__(self, build_network: Callable, recipe: Recipe, dataset, work_dir,
                 validation=None, styles=None, verbose=1, strategy=None):
        if keras.backend.backend() != 'tensorflow':
            raise ValueError(f'training runs on TensorFlow, but Keras is set to '
                             f'{keras.backend.backend()}; set KERAS_BACKEND=tensorflow')
        self.strategy = choose_strategy() if strategy is None else strategy
        self.recipe, self.verbose = recipe, verbose
        self.work_dir, self.is_chief = pathlib.Path(work_dir), is_chief()
        replicas = self.strategy.num_replicas_in_sync
        if recipe.batch_size % replicas:
            raise ValueError(f'batch_size is {recipe.batch_size}; expected a multiple of '
                             f'the {replicas} devices')
        if bool(styles) != bool(recipe.stylization):
            raise ValueError('a recipe with stylization needs a folder of styles' if not styles
                             else 'styles are of use only to a recipe with stylization')
        self.folders = [scan_folder(dataset), *([scan_folder(styles)] if styles else [])]
        # Seeds that differ, so that pictures of both folders meet in any order.
        self.crops = [Crops(folder.paths, dataclasses.replace(recipe, seed=recipe.seed + number))
                      for number, folder in enumerate(self.folders)]
        self.held_out = scan_folder(validation).paths if validation else []
        self.origin = {'recipe': recipe.as_mapping(),
                       'pictures': _digest(self.folders[0].paths, dataset)}
        if styles:
            self.origin['styles'] = _digest(self.folders[1].paths, styles)
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(recipe.seed)
        split = Split(replicas, machines(), mean_over_replicas)
        with self.strategy.scope():
            self.network = build_network()
            self.samples, self.objective = self._samples_and_objective(split)
            optimiser = build_optimiser(recipe.optimiser, recipe.steps)
            self.objective.compile(optimizer=optimiser, jit_compile=False)
            self.objective.build()
            optimiser.build(self.objective.trainable_variables)
        self.state = state.TrainingState(self.network, optimiser)

    def _samples_and_objective(self, split):
        recipe = self.recipe
        if recipe.stylization is None:
            return self.crops[0], ReconstructionObjective(self.network, recipe.loss, split)
        return (StylePairs(*self.crops, recipe.stylization, recipe.seed),
                StylizationObjective(self.network, recipe.stylization, split))

    @property
    def weights_path(self) -> pathlib.Path:
        """The file of weights that the run keeps up to date."""
        return self.work_dir / weights.WEIGHTS_NAME

    def train(self) -> Optional[float]:
        """Runs to the last step; returns the validation PSNR in dB, if there are pictures.

        Raises:
            ValueError: if the state in the work folder cannot be gone on from, none of the
                pictures can be decoded, or the loss is no longer a number (the last
                checkpoint stays as it is).
            ConnectionError: if another machine of the run is gone.
        """
        try:
            return self._train()
        except tf.errors.InvalidArgumentError:
            # What comes of an error in Crops; its own message lies within a traceback.
            for crops in self.crops:
                if len(crops.undecodable) == len(crops.paths):
                    raise ValueError(f'none of {len(crops.paths)} pictures can be '
                                     'decoded') from None
            raise
        except (tf.errors.UnavailableError, tf.errors.AbortedError,
                tf.errors.CancelledError) as error:
            if machines() == 1:
                raise
            raise ConnectionError(
                'another machine of the run is gone; start all of them again to go on from '
                f'the last checkpoint ({error.message.splitlines()[0]})') from error

    def _train(self):
        step = self._take_up()
        score, writer = None, None
        if self.is_chief:
            self._prepare_work_dir()
            writer = tf.summary.create_file_writer(str(self.work_dir / LOG_NAME))
        while step < self.recipe.steps:
            stop = min(step + self.recipe.checkpoint_interval, self.recipe.steps)
            self._run(step, stop, writer)
            step = stop
            if self.is_chief:
                score = self._validate(step, writer)
                self._write_left_out()
                weights.save_model(self.work_dir, self.network, self.recipe)
                # Last, so that a state is never there without all that belongs to it.
                self.state.save(self.work_dir, step, self.origin)
        if self.is_chief:
            writer.close()
            if score is None and self.held_out:
                score = mean_psnr(self.network, self.held_out)
        # No machine leaves while another still needs it.
        self._steps_of_machines(step)
        return score

    def _take_up(self) -> int:
        step, origin = self.state.restore(self.work_dir)
        steps = self._steps_of_machines(step)
        if len(set(steps)) > 1:
            raise ValueError(f'the machines found states of different steps, {steps}; '
                             f'expected one folder {self.work_dir} that all of them share')
        if step > self.recipe.steps:
            raise ValueError(f'{self.work_dir} holds the state after step {step}, but the '
                             f'recipe ends at {self.recipe.steps}')
        if step and self.is_chief:
            logger.info('going on after step %d', step)
            for name in _differences(origin, self.origin):
                logger.warning('the run in %s was begun with another %s', self.work_dir, name)
        return step

    def _steps_of_machines(self, step):
        return on_all_machines(self.strategy, step) if machines() > 1 else [step]

    def _prepare_work_dir(self):
        self.work_dir.mkdir(parents=True, exist_ok=True)
        for name in (state.FILE_NAME, weights.WEIGHTS_NAME, weights.CONFIGURATION_NAME,
                     LEFT_OUT_NAME):
            for leftover in self.work_dir.glob(f'.{name}.*'):
                leftover.unlink()
        self._write_left_out()

    def _write_left_out(self):
        left_out = {}
        for folder, crops in zip(self.folders, self.crops):
            left_out.update({**folder.left_out, **crops.undecodable})
        text = ''.join(f'{path}: {reason}\n' for path, reason in left_out.items())
        write_atomically(self.work_dir / LEFT_OUT_NAME,
                         lambda path: pathlib.Path(path).write_text(text, encoding='utf-8'))

    def _run(self, start, stop, writer):
        if self.is_chief:
            logger.info('steps %d to %d of %d', start + 1, stop, self.recipe.steps)
        dataset = self.strategy.distribute_datasets_from_function(
            lambda context: sample_dataset(self.samples, self.recipe, start, stop, context))
        history = self.objective.fit(
            dataset, steps_per_epoch=stop - start, shuffle=False,
            verbose=self.verbose if self.is_chief else 0,
            callbacks=[LossSummaries(writer, start, self.recipe.summary_interval)]
            if writer else [])
        values = {name: series[-1] for name, series in history.history.items()}
        if not np.isfinite(list(values.values())).all():
            raise ValueError(f'the loss is no longer a number between steps {start + 1} and '
                             f'{stop} ({_listed(values)}); {self.work_dir} keeps step {start}')
        if self.is_chief:
            logger.info('step %d: %s', stop, _listed(values))

    def _validate(self, step, writer):
        if not self.held_out:
            return None
        score = mean_psnr(self.network, self.held_out)
        pairs = itertools.islice(reconstructions(self.network, self.held_out), SHOWN_PAIRS)
        write_validation(writer, step, score, list(pairs))
        logger.info('step %d: validation PSNR %.3f dB', step, score)
        return score


def _listed(values) -> str:
    return ', '.join(f'{name} {value:.4f}' for name, value in values.items())


def _digest(paths, folder) -> str:
    names = '\n'.join(path.relative_to(folder).as_posix() for path in paths)
    return hashlib.sha256(names.encode()).hexdigest()


def _differences(before, now, prefix=''):
    """Names of the settings of ``before`` that are other ones in ``now``."""
    for name, value in before.items():
        other = now.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _differences(value, other, f'{prefix}{name}.')
        elif value != other:
            yield f'{prefix}{name}'
