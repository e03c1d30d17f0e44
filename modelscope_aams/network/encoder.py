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
        self.convolutions = {
            entry[0]: keras.layers.Conv2D(
                entry[1], 3, padding='same', activation='relu', data_format='channels_last',
                name=entry[0], dtype=self.dtype_policy)
            for entry in layers if entry != POOL}
        #: Names of the convolutions between poolings.
        self.blocks = _blocks(layers)
        self.trainable = False

    def build(self, input_shape=(None, None, None, 3)):
        channels = 3
        for convolution in self.convolutions.values():
            convolution.build((None, None, None, channels))
            channels = convolution.filters
        self.built = True

    def call(self, images):
        features, x = {}, images
        for index in range(len(self.blocks)):
            x = self.block(index, x, features)
        return features

    def block(self, index, x, features=None):
        """The convolutions of one of ``blocks``, and the pooling after all but the last.

        Args:
            features: a dict that is given those of the FEATURE_LAYERS among them.
        """
        for layer in self.blocks[index]:
            x = self.convolutions[layer](x)
            if features is not None and layer in FEATURE_LAYERS:
                features[layer] = x
        if index < len(self.blocks) - 1:
            x = ops.average_pool(x, 2, strides=2, padding='valid', data_format='channels_last')
        return x


def _blocks(layers):
    blocks = [[]]
    for entry in layers:
        if entry == POOL:
            blocks.append([])
        else:
            blocks[-1].append(entry[0])
    return blocks
