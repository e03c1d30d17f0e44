"""The training loop: Keras ``fit`` from one checkpoint to the next, on TensorFlow."""
import json
import logging
import os
import pathlib
from typing import Callable, Optional

import keras
import numpy as np
import tensorflow as tf

from .objective import ReconstructionObjective
from .pictures import Crops, scan_folder
from .recipe import Optimiser, Recipe
from .state import TrainingState
from .validation import mean_psnr, reconstructions

logger = logging.getLogger(__name__)

#: Validation pictures shown in TensorBoard.
SHOWN_PAIRS = 4


def choose_strategy() -> tf.distribute.Strategy:
    """All machines of TF_CONFIG, or else all GPUs of this one, or else one device."""
    cluster = json.loads(os.environ.get('TF_CONFIG', '{}')).get('cluster', {})
    if len(cluster.get('worker', ())) > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices('GPU')) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief() -> bool:
    """Whether this process writes files: the first worker, or the only one."""
    task = json.loads(os.environ.get('TF_CONFIG', '{}')).get('task', {})
    return task.get('type', 'worker') in ('worker', 'chief') and int(task.get('index', 0)) == 0


def build_optimiser(settings: Optimiser, steps: int) -> keras.optimizers.Optimizer:
    """Adam as the recipe says, its rate falling over ``steps`` if it decays."""
    rate = settings.rate
    if settings.decay == 'cosine':
        rate = keras.optimizers.schedules.CosineDecay(settings.rate, steps)
    return keras.optimizers.Adam(rate, settings.beta_1, settings.beta_2, settings.epsilon,
                                 global_clipnorm=settings.clip_norm)


def crop_dataset(crops: Crops, recipe: Recipe, start: int) -> tf.data.Dataset:
    """Batches [batch_size, crop, crop, 3] of the steps from ``start`` to the last."""
    first, end = start * recipe.batch_size, recipe.steps * recipe.batch_size
    shape = (recipe.crop, recipe.crop, 3)

    def load(number):
        crop = tf.numpy_function(lambda n: crops[int(n)], [number], tf.float32)
        return tf.ensure_shape(crop, shape)

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return (tf.data.Dataset.range(first, end)
            .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .batch(recipe.batch_size, drop_remainder=True)
            .prefetch(tf.data.AUTOTUNE)
            .with_options(options))


class Trainer:
    """A run of a recipe that can be stopped and taken up again.

    Args:
        build_network: called within the distribution strategy; returns the
            AttentionAutoencoder to train, with its encoder's weights set.
        recipe: hyper-parameters.
        dataset: folder of training pictures.
        work_dir: folder for the state and the TensorBoard log; a state that is there
            is gone on from.
        validation: folder of pictures held out, whose PSNR is taken at each checkpoint.
        objective: which Keras model holds the loss.
    """

    def __init__(self, build_network: Callable, recipe: Recipe, dataset, work_dir,
                 validation=None, objective=ReconstructionObjective, verbose=1):
        self.recipe, self.work_dir, self.verbose = recipe, pathlib.Path(work_dir), verbose
        self.crops = Crops(scan_folder(dataset).paths, recipe)
        self.held_out = scan_folder(validation).paths if validation else []
        self.strategy = choose_strategy()
        replicas = self.strategy.num_replicas_in_sync
        if recipe.batch_size % replicas:
            raise ValueError(f'batch_size is {recipe.batch_size}; expected a multiple of '
                             f'the {replicas} devices')
        keras.utils.set_random_seed(recipe.seed)
        with self.strategy.scope():
            self.network = build_network()
            self.objective = objective(self.network, recipe.loss, replicas)
            optimiser = build_optimiser(recipe.optimiser, recipe.steps)
            self.objective.compile(optimizer=optimiser, jit_compile=False)
            self.objective.build()
            optimiser.build(self.objective.trainable_variables)
        self.state = TrainingState(self.network, optimiser)

    def train(self) -> Optional[float]:
        """Runs to the last step; returns the last validation PSNR in dB, if taken."""
        step = self.state.restore(self.work_dir)
        if step:
            logger.info('going on after step %d', step)
        writer = None
        if is_chief():
            writer = tf.summary.create_file_writer(str(self.work_dir / 'tensorboard'))
        score = None
        while step < self.recipe.steps:
            count = min(self.recipe.checkpoint_interval, self.recipe.steps - step)
            history = self.objective.fit(
                crop_dataset(self.crops, self.recipe, step), steps_per_epoch=count,
                verbose=self.verbose if is_chief() else 0)
            step += count
            if writer is not None:
                self.state.save(self.work_dir, step)
                score = self._report(writer, step, history.history)
        return score

    def _report(self, writer, step, history):
        values = {f'loss/{name}': series[-1] for name, series in history.items()}
        score = None
        if self.held_out:
            score = values['validation/psnr_db'] = mean_psnr(self.network, self.held_out)
        with writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
            if self.held_out:
                pairs = reconstructions(self.network, self.held_out[:SHOWN_PAIRS])
                tf.summary.image('picture and reconstruction',
                                 np.stack([np.concatenate(pair, axis=1) for pair in pairs]),
                                 max_outputs=SHOWN_PAIRS)
        writer.flush()
        logger.info('step %d: %s', step,
                    ', '.join(f'{name} {value:.4f}' for name, value in values.items()))
        return score
