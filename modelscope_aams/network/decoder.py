"""Decoder: conv4_1 features back to a picture, with AdaIN at each scale."""
import keras
from keras import ops

from .adain import adain
from .configuration import DECODER_LAYERS, VGG19_LAYERS

#: The feature layer to whose statistics a convolution's output is matched.
MATCHED_TO = {'inv_conv3_2': 'conv3_1', 'inv_conv2_2': 'conv2_1', 'inv_conv1_2': 'conv1_1'}
#: Convolutions that are followed by a nearest-neighbour enlargement to twice the size.
ENLARGED = ('inv_conv4_1', 'inv_conv3_1', 'inv_conv2_1')
#: Added to the last layer, whose output is centred on zero.
OUTPUT_OFFSET = 127.5


def enlarge(features):
    """[batch, rows, columns, c] to [batch, 2 rows, 2 columns, c], nearest neighbour."""
    batch, rows, columns, channels = ops.shape(features)
    doubled = ops.broadcast_to(features[:, :, None, :, None, :],
                               (batch, rows, 2, columns, 2, channels))
    return ops.reshape(doubled, (batch, 2 * rows, 2 * columns, channels))


class Decoder(keras.layers.Layer):
    """Mirror of the encoder with 3x3 convolutions, ReLU after each but the last.

    Called on [batch, rows, columns, 512] and a dict of (mean, variance), each
    [batch or 1, 1, 1, c], for conv1_1, conv2_1 and conv3_1, it returns RGB
    [batch, 8 rows, 8 columns, 3], nominally 0..255, not clipped.
    """

    def __init__(self, name='decoder', **kwargs):
        # AdaIN works in float32 whatever the convolutions compute in.
        super().__init__(name=name, autocast=False, **kwargs)
        last = DECODER_LAYERS[-1][0]
        self.convolutions = {
            layer: keras.layers.Conv2D(
                width, 3, padding='same', data_format='channels_last',
                activation=None if layer == last else 'relu', kernel_initializer='he_normal',
                name=layer, dtype='float32' if layer == last else self.dtype_policy)
            for layer, width in DECODER_LAYERS}

    def build(self, input_shape=None, moments_shape=None):
        channels = VGG19_LAYERS[-1][1]
        for convolution in self.convolutions.values():
            convolution.build((None, None, None, channels))
            channels = convolution.filters
        self.built = True

    def call(self, features, moments):
        x = features
        for layer, convolution in self.convolutions.items():
            x = convolution(x)
            if layer in MATCHED_TO:
                x = adain(x, *moments[MATCHED_TO[layer]])
            if layer in ENLARGED:
                x = enlarge(x)
        return x + OUTPUT_OFFSET
