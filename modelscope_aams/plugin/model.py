"""The network as a ModelScope Model."""
import numbers
import pathlib
from typing import Any, Dict, Optional

from modelscope.metainfo import Tasks
from modelscope.models.base import Model
from modelscope.models.builder import MODELS
from modelscope.utils.device import verify_device

from modelscope_aams.network.options import TransferOptions
from modelscope_aams.network.progress import STYLE, Progress, silent

from . import style_cache as caching
from .options import require_attention

MODEL_TYPE = 'aams'
#: The arguments of AAMSModel that a pipeline hands on.
MODEL_OPTIONS = ('style_cache', 'style_cache_bytes')


@MODELS.register_module(Tasks.image_style_transfer, module_name=MODEL_TYPE)
class AAMSModel(Model):
    """Style transfer with the weights of a model directory; safe to call from many threads.

    Args:
        model_dir: the directory.
        weights: the file of weights, relative to ``model_dir`` and inside it; without it
            they are looked for, as checkpoints.reading.read_weights does.
        device: ``'gpu'``, ``'gpu:N'`` (also spelt ``'cuda'``) or ``'cpu'``. Without any GPU
            that TensorFlow sees, it is the CPU.
        style_cache: for how many styles, those used last, to keep what depends on the style
            alone; 0 keeps nothing.
        style_cache_bytes: how much memory of the device that may take, in bytes.
        kwargs: what else ModelScope hands to every model; of no meaning here.

    Raises:
        CheckpointError: if there are no weights, or they cannot be used.
        ValueError: if ``weights`` leads out of the directory, there is no such GPU, or an
            option is out of range.
    """

    def __init__(self, model_dir: str, weights: Optional[str] = None, device: str = 'gpu',
                 style_cache: int = caching.STYLES, style_cache_bytes: int = caching.BYTES,
                 **kwargs):
        super().__init__(model_dir, device=device, **kwargs)
        _expect_count('style_cache', style_cache, 'styles')
        _expect_count('style_cache_bytes', style_cache_bytes, 'bytes')
        import tensorflow as tf

        from modelscope_aams.checkpoints.layout import build_network
        from modelscope_aams.checkpoints.reading import read_weights
        from modelscope_aams.network.transfer import StyleTransfer
        arrays = read_weights(weights_path(model_dir, weights))
        gpus = tf.config.list_physical_devices('GPU')
        self.device = tensorflow_device(device, len(gpus))
        for gpu in gpus:
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except RuntimeError:
                break  # TensorFlow is running already, as it was set up elsewhere.
        with tf.device(self.device):
            self.transfer = transfer = StyleTransfer(build_network(arrays))
        self.styles = caching.StyleCache(
            lambda *arguments: transfer.prepare_style(*arguments),
            lambda features: sum(tensor.dtype.size * tensor.shape.num_elements()
                                 for tensor in tf.nest.flatten(features)),
            style_cache, style_cache_bytes)

    def forward(self, inputs: Dict[str, Any], options=None,
                progress: Progress = silent) -> Dict[str, Any]:
        """Stylizes one picture.

        Args:
            inputs: as AAMSPreprocessor gives them; ``content`` and ``styles`` may stand
                alone.
            options: a TransferOptions; the default ones without it.
            progress: is told how far it is.

        Returns:
            ``stylized``, a network.transfer.Stylized, and ``content`` and ``colours`` as
            they came.

        Raises:
            ValueError: if there is an attention map for a method that takes none.
        """
        import tensorflow as tf

        options = options or TransferOptions()
        attention = inputs.get('attention')
        if attention is not None:
            require_attention('attention', options.method)
        with tf.device(self.device):
            styles = []
            for pixels in inputs['styles']:
                progress(STYLE, len(styles) / len(inputs['styles']))
                styles.append(self.styles(pixels, options.style_scales, options.patch_size))
            stylized = self.transfer.stylize(
                inputs['content'].picture, styles, options,
                weights=inputs.get('style_weights'), regions=inputs.get('regions'),
                attention_map=attention, progress=progress)
        return {'stylized': stylized, 'content': inputs['content'],
                'colours': inputs.get('colours')}


def _expect_count(name, value, of):
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 0:
        raise ValueError(f'{name} is {value!r}; expected a whole number of {of} of at least 0')


def weights_path(model_dir, weights: Optional[str] = None) -> pathlib.Path:
    """What to read the weights from: the file ``weights``, or the directory as a whole."""
    directory = pathlib.Path(model_dir)
    if weights is None:
        return directory
    if pathlib.PurePath(weights).is_absolute() or '..' in pathlib.PurePath(weights).parts:
        raise ValueError(f'weights is {weights!r}; expected a path inside the model '
                         f'directory {model_dir}')
    return directory / weights


def tensorflow_device(device: str, gpus: int) -> str:
    """TensorFlow's name for ModelScope's ``device`` where there are so many GPUs.

    ModelScope's own device_placement puts TensorFlow on the CPU always.
    """
    kind, number = verify_device(device)
    if kind != 'gpu' or not gpus:
        return '/CPU:0'
    if number >= gpus:
        raise ValueError(f'device is {device!r}; TensorFlow sees {gpus} GPU'
                         f'{"s" if gpus > 1 else ""}, numbered from 0')
    return f'/GPU:{number}'
