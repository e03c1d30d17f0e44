"""VGG encoder: a picture to its features at conv1_1, conv2_1, conv3_1 and conv4_1."""
import keras
from keras import ops

from .configuration import FEATURE_LAYERS, MEAN_PIXEL, POOL, VGG19_LAYERS


def subtract_mean(images):
    """RGB images in 0..255, any shape [..., 3], to the encoder's zero-mean range."""
    return images - ops.convert_to_tensor(MEAN_PIXEL, dtype='float32')


class Encoder(keras.layers.Layer):
    """VGG (Simonyan and Zisserman 2014) with 2x2 average pooling, fixed in training.

    Args:
        layers: the layer table, see NetworkConfiguration.encoder_layers.

    Called on [batch, rows, columns, 3] mean-subtracted RGB, it returns a dict of the
    FEATURE_LAYERS' features after ReLU; ``conv4_1`` is
    [batch, rows // 8, columns // 8, 512] (an odd last row or column is dropped).
    """

    def __init__(self, layers=VGG19_LAYERS, name='vgg_19', **kwargs):
        super().__init__(name=name, autocast=False, **kwargs)
        self.table = tuple(layers)
        self.convolutions = {
            entry[0]: keras.layers.Conv2D(
                entry[1], 3, padding='same', activation='relu', data_format='channels_last',
                name=entry[0], dtype=self.dtype_policy)
            for entry in self.table if entry != POOL}
        self.trainable = False

    def build(self, input_shape=(None, None, None, 3)):
        channels = 3
        for convolution in self.convolutions.values():
            convolution.build((None, None, None, channels))
            channels = convolution.filters
        self.built = True

    def call(self, images):
        features, x = {}, images
        for entry in self.table:
            if entry == POOL:
                x = ops.average_pool(x, 2, strides=2, padding='valid', data_format='channels_last')
            else:
                x = self.convolutions[entry[0]](x)
                if entry[0] in FEATURE_LAYERS:
                    features[entry[0]] = x
        return features
