"""Decoder: conv4_1 features back to a picture, with AdaIN at each scale."""
from typing import NamedTuple, Optional, Tuple

import keras
from keras import ops

from .adain import adain
from .configuration import DECODER_LAYERS, VGG19_LAYERS


class Stage(NamedTuple):
    """Convolutions that are run together.

    Attributes:
        layers: names of the convolutions.
        enlarged: the one before which the map doubles its size, nearest neighbour.
        matched_to: the feature layer whose statistics AdaIN gives the result.
        halo: input rows that a row of the result depends on, above and below its own.
        values_per_pixel: of the largest map, for each input pixel.
    """
    layers: Tuple[str, ...]
    enlarged: Optional[str]
    matched_to: Optional[str]
    halo: int
    values_per_pixel: int

    @property
    def scale(self):
        """Rows of the result for each input row."""
        return 2 if self.enlarged else 1


STAGES = (
    Stage(('inv_conv4_1', 'inv_conv3_4'), 'inv_conv3_4', None, 2, 4 * 256),
    Stage(('inv_conv3_3', 'inv_conv3_2'), None, 'conv3_1', 2, 256),
    Stage(('inv_conv3_1', 'inv_conv2_2'), 'inv_conv2_2', 'conv2_1', 2, 4 * 128),
    Stage(('inv_conv2_1', 'inv_conv1_2'), 'inv_conv1_2', 'conv1_1', 2, 4 * 64),
    Stage(('inv_conv1_1',), None, None, 1, 64),
)

#: Added to the last layer, whose output is centred on zero.
OUTPUT_OFFSET = 127.5


def enlarging_kernel(kernel):
    """The kernel with which a transposed convolution of stride 2 enlarges and convolves.

    Every pixel of a map that is doubled in size, nearest neighbour, and then convolved
    with 3x3 sees but 2x2 different pixels: the same sum is a transposed convolution with
    4x4 weights, each the sum of the original ones that met the same pixel, and needs 4/9
    of the multiplications.

    Args:
        kernel: [3, 3, c in, c out] of a convolution with zero padding.

    Returns:
        [4, 4, c out, c in] for a transposed convolution with padding 'same'.
    """
    summed = sum(ops.pad(kernel, ((down, 1 - down), (along, 1 - along), (0, 0), (0, 0)))
                 for down in (0, 1) for along in (0, 1))
    return ops.transpose(ops.flip(summed, (0, 1)), (0, 1, 3, 2))


class PictureConvolution(keras.layers.Conv2D):
    """A 3x3 convolution to three channels, as one of 1x3 to nine and a sum over rows.

    Kernels for few channels leave most of a processor's vectors empty.
    """

    def call(self, x):
        rows = ops.shape(x)[1]
        kernel = ops.reshape(ops.transpose(self.kernel, (1, 2, 0, 3)),
                             (1, 3, self.kernel.shape[2], -1))
        sums = ops.conv(x, kernel, padding='same', data_format='channels_last')
        above, own, below = ops.split(
            ops.pad(sums, ((0, 0), (1, 1), (0, 0), (0, 0))), 3, axis=-1)
        return above[:, :rows] + own[:, 1:rows + 1] + below[:, 2:] + self.bias


class Decoder(keras.layers.Layer):
    """Mirror of the encoder with 3x3 convolutions, ReLU after each but the last.

    Called on [batch, rows, columns, 512] and a dict of (mean, variance), each
    [batch or 1, 1, 1, c], for conv1_1, conv2_1 and conv3_1, it returns RGB
    [batch, 8 rows, 8 columns, 3], nominally 0..255, not clipped.
    """

    def __init__(self, name='decoder', **kwargs):
        # AdaIN works in float32 whatever the convolutions compute in.
        super().__init__(name=name, autocast=False, **kwargs)
        last, width = DECODER_LAYERS[-1]
        self.convolutions = {
            layer: keras.layers.Conv2D(
                width, 3, padding='same', data_format='channels_last', activation='relu',
                kernel_initializer='he_normal', name=layer, dtype=self.dtype_policy)
            for layer, width in DECODER_LAYERS[:-1]}
        self.convolutions[last] = PictureConvolution(
            width, 3, padding='same', data_format='channels_last',
            kernel_initializer='he_normal', name=last, dtype='float32')

    def build(self, input_shape=None, moments_shape=None):
        channels = VGG19_LAYERS[-1][1]
        for convolution in self.convolutions.values():
            convolution.build((None, None, None, channels))
            channels = convolution.filters
        self.built = True

    def call(self, features, moments):
        x = features
        for index, stage in enumerate(STAGES):
            x = self.stage(index, x)
            if stage.matched_to:
                x = adain(x, *moments[stage.matched_to])
        return x

    def stage(self, index, x):
        """The convolutions of one of STAGES.

        Args:
            x: the map of the stage before, whole or some rows of it, after AdaIN.
        """
        for layer in STAGES[index].layers:
            convolution = self.convolutions[layer]
            if layer == STAGES[index].enlarged:
                x = _convolve_enlarged(x, convolution)
            else:
                x = convolution(x)
        return x + OUTPUT_OFFSET if index == len(STAGES) - 1 else x


def _convolve_enlarged(x, convolution):
    """The convolution of [batch, rows, columns, c] enlarged to [batch, 2 rows, 2 columns, c]."""
    kernel = ops.cast(enlarging_kernel(convolution.kernel), convolution.compute_dtype)
    x = ops.conv_transpose(ops.cast(x, convolution.compute_dtype), kernel, strides=2,
                           padding='same', data_format='channels_last')
    return ops.relu(x + ops.cast(convolution.bias, convolution.compute_dtype))
