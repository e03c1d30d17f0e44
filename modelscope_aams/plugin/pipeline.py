"""Attention-aware multi-stroke style transfer as a ModelScope pipeline."""
import os
from typing import Any, Dict

import cv2
import numpy as np
from modelscope.metainfo import Pipelines
from modelscope.models.builder import MODELS
from modelscope.outputs import OutputKeys
from modelscope.pipelines.base import Pipeline
from modelscope.pipelines.builder import PIPELINES
# The class whose place is taken. It has to register first: its module is imported only
# once, and would clash with what holds its name by then.
from modelscope.pipelines.cv.image_style_transfer_pipeline import ImageStyleTransferPipeline
from modelscope.utils.constant import Tasks
from modelscope.utils.hub import read_config
from modelscope.utils.logger import get_logger

from modelscope_aams.checkpoints.layout import NotOfficialLayout
from modelscope_aams.network.progress import Progress, silent
from modelscope_aams.pictures.colours import with_colours_of

from . import hub
from .model import MODEL_OPTIONS, AAMSModel
from .options import CallOptions
from .preprocessor import AAMSPreprocessor

ATTENTION_MAP, STROKE_WEIGHTS = 'attention_map', 'stroke_weights'

# What ModelScope itself hands to a pipeline's constructor; other names are options.
_OF_MODELSCOPE = ('config_file', 'auto_collate', 'device_map', 'compile', 'compile_options',
                  'trust_remote_code')

_logger = get_logger()


@PIPELINES.register_module(Tasks.image_style_transfer,
                           module_name=Pipelines.image_style_transfer, force=True)
class AAMSStyleTransferPipeline(Pipeline):
    """Gives a content picture the strokes and colours of a style picture.

    Called on a dict of ``content`` and ``style``, on a content with ``style=``, on a list of
    either (with ``batch_size=`` or without), or on an MsDataset of such dicts. A picture is
    a path, a URL, the bytes of a file, a PIL image or a NumPy array, BGR or grey. Any field
    of options.CallOptions may be given to the constructor or to a call.

    ``style`` may be a list of pictures, mixed as ``style_weights`` says; ``mask`` says where
    which style goes (with one style, where it goes at all); ``attention`` takes the place of
    the computed attention map. Each is an entry of the dict, or of the call for all of a
    list; AAMSPreprocessor describes them. ``progress=``, a network.progress.Progress, is told
    how far a call is, for each picture anew.

    The result is a dict (a list of them for a list) with ``output_img``, uint8 BGR of the
    content's rows and columns and, on request, ``attention_map``, float32 [rows, columns]
    in 0..1, and ``stroke_weights``, float32 [rows, columns, strokes], which sum to 1, the
    strokes from coarse to fine; both at the content's size.

    Args:
        model: an AAMSModel, a model directory or a hub's id; the bundled model without it.
        model_id: a hub's id or a directory, which is used in place of the bundled model;
            ``pipeline(..., model_revision=)`` is its revision.
        preprocessor: what reads the input, AAMSPreprocessor without it.
        device: see AAMSModel; of no meaning for a ``model`` that is one already.
        kwargs: options, which are the defaults of calls. They go before those in the
            ``pipeline`` section of the model's configuration.json. Those of the model
            (MODEL_OPTIONS, see AAMSModel) go before its ``model`` section.

    Raises:
        TypeError: if there is no option of such a name.
        ValueError: if an option is out of range, or of a ``model`` that is built already.
        FileNotFoundError, CheckpointError: if there is no model, or a damaged one.
    """

    def __init__(self, model=None, model_id=None, preprocessor=None, device='gpu', **kwargs):
        model = _located(model, model_id)
        directory = model if isinstance(model, str) else model.model_dir
        if preprocessor is None and not _section(directory, 'preprocessor'):
            preprocessor = AAMSPreprocessor()
        # What is handed over here comes back to initiate_single_model.
        of_others = {name: kwargs.pop(name) for name in (*_OF_MODELSCOPE, *MODEL_OPTIONS)
                     if name in kwargs}
        super().__init__(model=model, preprocessor=preprocessor, device=device, **of_others)
        configured = {name: value for name, value in self.cfg.safe_get('pipeline', {}).items()
                      if name != 'type'}
        self.defaults = CallOptions().updated(configured).updated(kwargs)

    @classmethod
    def _instantiate(cls, model=None, model_id=None, **kwargs):
        """What ModelScope builds a pipeline with.

        A model directory whose frozen graph is of another layout gets the pipeline that is
        built into ModelScope and runs any such graph.
        """
        model = _located(model, model_id)
        try:
            return cls(model=model, **kwargs)
        except NotOfficialLayout as error:
            _logger.warning(f"{error}; ModelScope's own pipeline runs this graph, without the "
                            'options of modelscope-aams')
            import tensorflow as tf

            # It imports its graph into the default one, where a second would get other names.
            with tf.Graph().as_default():
                return ImageStyleTransferPipeline(model=model, **kwargs)

    def initiate_single_model(self, model, **kwargs):
        """A Model from its directory; published directories do not name the class of theirs."""
        options = {name: kwargs[name] for name in MODEL_OPTIONS if name in kwargs}
        if not isinstance(model, str):
            if options:
                raise ValueError(f'{", ".join(options)} of a model that is built already; '
                                 'expected a model directory, or the option of AAMSModel')
            return model
        section = _section(model, 'model') or {}
        if section.get('type') in MODELS.modules[Tasks.image_style_transfer]:
            return super().initiate_single_model(model, **kwargs)
        configured = {name: section[name] for name in MODEL_OPTIONS if name in section}
        return AAMSModel(model, device=self.device_name, **{**configured, **options})

    def _get_framework(self):
        # The model sees to its device itself: for TensorFlow, ModelScope's device_placement
        # takes the CPU whatever was asked for, after filling the GPU's memory.
        return None

    def __call__(self, input, style=None, batch_size=None, **kwargs):
        if batch_size is not None and not batch_size > 0:
            raise ValueError(f'batch_size is {batch_size}; expected at least 1')
        return super().__call__(input, style=style, batch_size=batch_size, **kwargs)

    def _check_input(self, input):
        """Leaves it to the preprocessor, which takes more than TASK_INPUTS says."""

    def _sanitize_parameters(self, style=None, style_weights=None, mask=None, attention=None,
                             progress=silent, **options):
        options = self.defaults.updated(options)
        return ({'style': style, 'style_weights': style_weights, 'mask': mask,
                 'attention': attention, 'max_length': options.max_length,
                 'keep_colours': options.keep_colours},
                {'options': options, 'progress': progress}, {'options': options})

    def forward(self, inputs: Dict[str, Any], options=None,
                progress: Progress = silent) -> Dict[str, Any]:
        """Stylizes what the preprocessor gave, or lists of it as ModelScope batches them."""
        if not isinstance(inputs['content'], list):
            return self.model(inputs, options=options, progress=progress)
        results = [self.model(dict(zip(inputs, values)), options=options, progress=progress)
                   for values in zip(*inputs.values())]
        return {name: [result[name] for result in results] for name in results[0]}

    def postprocess(self, inputs: Dict[str, Any], options=None) -> Dict[str, Any]:
        """The model's result to the pipeline's."""
        from modelscope_aams.network.preprocess import finish
        stylized, content = inputs['stylized'], inputs['content']
        picture, colours = finish(stylized.picture, content), inputs.get('colours')
        if colours is not None:
            rgb = with_colours_of(picture[..., ::-1], colours)
            picture = np.ascontiguousarray(rgb[..., ::-1])
        result = {OutputKeys.OUTPUT_IMG: picture}
        if options is not None and options.return_attention_map:
            result[ATTENTION_MAP] = enlarge(stylized.attention_map, content)
        if options is not None and options.return_stroke_weights:
            result[STROKE_WEIGHTS] = enlarge(stylized.stroke_weights, content)
        return result


def _located(model, model_id):
    """A Model as it is, or the directory that ``model`` or ``model_id`` stands for."""
    revision = getattr(model, 'revision', None) if isinstance(model, str) else None
    if model is None or model == hub.BUNDLED_DIRECTORY:
        model = model_id or hub.BUNDLED_DIRECTORY
    if isinstance(model, os.PathLike):
        model = os.fspath(model)
    if not isinstance(model, str) or os.path.isdir(model):
        return model
    if os.path.exists(model):
        raise ValueError(f'{model} is a file; expected a model directory or a hub id')
    return hub.resolve(model, revision).directory


def _section(model_dir, name):
    """A section of a model directory's configuration.json, or None."""
    return read_config(model_dir).safe_get(name)


def enlarge(values: np.ndarray, content) -> np.ndarray:
    """Values at feature positions [h, w] or [h, w, k] to the content's rows and columns."""
    rows, columns = (max(1, round(count * kept / whole)) for count, kept, whole in zip(
        values.shape, content.kept, content.picture.shape))
    values = np.ascontiguousarray(values[:rows, :columns])
    rows, columns = content.size
    return cv2.resize(values, (columns, rows)).reshape(rows, columns, *values.shape[2:])
