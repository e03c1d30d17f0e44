"""Training of the network as a ModelScope Trainer."""
import os
import pathlib
from typing import Any, Callable, Dict, Mapping, Optional

from modelscope.trainers.base import BaseTrainer
from modelscope.trainers.builder import TRAINERS
from modelscope.utils.constant import ModelFile
from modelscope.utils.logger import get_logger

from modelscope_aams.training.recipe import load_recipe

from . import hub
from .model import tensorflow_device

TRAINER_TYPE = 'aams-style-transfer-trainer'

#: The recipe whose values stand where the configuration's ``train`` section has none.
DEFAULT_RECIPE = 'reconstruction'

# Handed over by ModelScope, and of no meaning here.
_OF_MODELSCOPE = ('trust_remote_code', 'launcher')

_logger = get_logger()


@TRAINERS.register_module(module_name=TRAINER_TYPE)
class AAMSTrainer(BaseTrainer):
    """Trains attention and decoder on folders of pictures.

    The ``train`` section of the configuration holds the hyper-parameters, named as in
    training.recipe.Recipe, and may name with ``recipe`` the one ('reconstruction',
    'published' or a file) that gives all others. A run goes on from the state in
    ``work_dir``, which at every checkpoint holds a model directory.

    Args:
        model: a model directory, a hub's id or a Model, whose weights are trained further;
            without it the encoder is the bundled model's, attention and decoder are fresh.
        cfg_file: the configuration; that of ``model`` (or the bundled model) without it.
        arg_parse_fn: see modelscope.trainers.base.BaseTrainer.
        cfg_modify_fn: changes the configuration: takes a Config and returns it.
        train_dataset, eval_dataset: folders of photographs, searched to any depth.
        style_dataset: folder of paintings, for a recipe with ``stylization``.
        work_dir: folder for state, TensorBoard log and weights; also ``train.work_dir``.
        device: ``'gpu'`` takes all that there are, ``'gpu:1'`` that one, ``'cpu'`` none.
        model_revision: of a hub's model.

    Raises:
        ValueError: if a setting is unknown or wrong, or a data set is not a folder.
        FileNotFoundError, CheckpointError: if there is no model, or a damaged one.
    """

    def __init__(self, model=None, cfg_file: Optional[str] = None,
                 arg_parse_fn: Optional[Callable] = None,
                 cfg_modify_fn: Optional[Callable] = None, train_dataset=None,
                 eval_dataset=None, work_dir: Optional[str] = None, device: str = 'gpu',
                 model_revision: Optional[str] = None, style_dataset=None, **kwargs):
        directory = _directory(model, model_revision)
        if cfg_file is None:
            cfg_file = os.path.join(directory or hub.BUNDLED_DIRECTORY, ModelFile.CONFIGURATION)
        if not os.path.isfile(cfg_file):
            raise FileNotFoundError(f'{cfg_file}: no such configuration file')
        super().__init__(cfg_file, arg_parse_fn)
        if cfg_modify_fn is not None:
            self.cfg = cfg_modify_fn(self.cfg)
        unused = [name for name in kwargs if name not in _OF_MODELSCOPE]
        if unused:
            _logger.warning(f'{TRAINER_TYPE} makes no use of {", ".join(sorted(unused))}')
        settings = _plain(self.cfg.get('train') or {})
        folder = settings.pop('work_dir', './work_dir')
        self.work_dir = pathlib.Path(folder if work_dir is None else work_dir)
        self.recipe = load_recipe(settings.pop('recipe', DEFAULT_RECIPE), _dotted(settings))
        self.model_dir, self.device = directory, device
        self.train_dataset = _folder(train_dataset, 'train_dataset')
        self.eval_dataset = _folder(eval_dataset, 'eval_dataset')
        self.style_dataset = _folder(style_dataset, 'style_dataset')

    def train(self, *args, **kwargs) -> Dict[str, float]:
        """Runs to the last step; the validation PSNR as ``psnr_db``, if there is eval_dataset."""
        if self.train_dataset is None:
            raise ValueError('train_dataset is missing; expected a folder of photographs')
        from modelscope_aams.training.loop import Trainer
        from modelscope_aams.training.weights import network_builder
        trainer = Trainer(network_builder(self.recipe, initial=self.model_dir), self.recipe,
                          self.train_dataset, self.work_dir, self.eval_dataset,
                          self.style_dataset, strategy=_strategy(self.device))
        score = trainer.train()
        return {} if score is None else {'psnr_db': score}

    def evaluate(self, checkpoint_path: Optional[str] = None, *args,
                 **kwargs) -> Dict[str, float]:
        """Mean PSNR of the reconstruction of eval_dataset's pictures, as ``psnr_db``.

        Args:
            checkpoint_path: weights file or model directory; without it those in work_dir
                or, as long as there are none, those that training starts from.
        """
        if self.eval_dataset is None:
            raise ValueError('eval_dataset is missing; expected a folder of photographs')
        from modelscope_aams.training.pictures import scan_folder
        from modelscope_aams.training.validation import mean_psnr
        from modelscope_aams.training.weights import WEIGHTS_NAME, load_network
        trained = self.work_dir / WEIGHTS_NAME
        if checkpoint_path is None:
            checkpoint_path = trained if trained.exists() else self.model_dir
        paths = scan_folder(self.eval_dataset).paths
        return {'psnr_db': mean_psnr(load_network(checkpoint_path), paths)}


def _directory(model, revision) -> Optional[str]:
    if model is None:
        return None
    if hasattr(model, 'model_dir'):
        return str(model.model_dir)
    if os.path.isdir(model):
        return str(model)
    return hub.resolve(model, revision).directory


def _folder(dataset, name) -> Optional[pathlib.Path]:
    if dataset is None:
        return None
    if not isinstance(dataset, (str, os.PathLike)):
        raise ValueError(f'{name} is a {type(dataset).__name__}; expected the path of a '
                         'folder of pictures')
    if not os.path.isdir(dataset):
        raise ValueError(f'{name} is {dataset}, which is not a folder; expected one of '
                         'pictures')
    return pathlib.Path(dataset)


def _plain(values: Any):
    """ModelScope's Config and its parts as ordinary dicts."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    return values


def _dotted(settings: Mapping[str, Any], prefix: str = '') -> Dict[str, Any]:
    """{'optimiser': {'rate': 1}} to {'optimiser.rate': 1}."""
    result = {}
    for name, value in settings.items():
        part = isinstance(value, Mapping)
        result.update(_dotted(value, f'{prefix}{name}.') if part else {f'{prefix}{name}': value})
    return result


def _strategy(device):
    """What ``device`` asks for beyond all GPUs there are; None is for those."""
    import tensorflow as tf
    gpus = tf.config.list_physical_devices('GPU')
    place = tensorflow_device(device, len(gpus))
    if not gpus or device in ('gpu', 'cuda'):
        return None
    return tf.distribute.OneDeviceStrategy(place)
