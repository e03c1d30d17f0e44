"""Self-attention over feature positions (Yao et al. 2019, section 3.2)."""
import keras
from keras import ops

from .configuration import ATTENTION_CHANNELS


def attend(queries, keys, values):
    """softmax(queries keysᵀ) values, unscaled as published.

    Args:
        queries: [batch, n, d]; keys: [batch, m, d]; values: [batch, m, c].

    Returns:
        [batch, n, c].
    """
    return ops.matmul(
        ops.softmax(ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))), values)


class SelfAttention(keras.layers.Layer):
    """The attention residual o of features x, both [batch, rows, columns, channels].

    f and g are 1x1 convolutions to 256 channels, h keeps the width;
    o = softmax(g(x) f(x)ᵀ) h(x). The attended features are x · o + x.

    Args:
        channels: width of the features (512 at conv4_1).
    """

    def __init__(self, channels=512, name='self_attention', **kwargs):
        super().__init__(name=name, **kwargs)
        self.channels = channels
        self.projections = {
            letter: keras.layers.Conv2D(width, 1, data_format='channels_last',
                                        name=f'{letter}_conv', dtype=self.dtype_policy)
            for letter, width in (('f', ATTENTION_CHANNELS), ('g', ATTENTION_CHANNELS),
                                  ('h', channels))}

    def build(self, input_shape=None):
        for projection in self.projections.values():
            projection.build((None, None, None, self.channels))
        self.built = True

    def call(self, features):
        return ops.reshape(attend(*self.project(features)), ops.shape(features))

    def project(self, features, reduction=1):
        """Queries [batch, n, 256], keys [batch, m, 256] and values [batch, m, channels].

        Args:
            reduction: keys and values are taken from features averaged over so many rows
                and columns, while every position keeps its own query.
        """
        reduced = features if reduction == 1 else ops.average_pool(
            features, reduction, padding='same', data_format='channels_last')
        return [self._project(letter, source) for letter, source in (
            ('g', features), ('f', reduced), ('h', reduced))]

    def _project(self, letter, features):
        batch, rows, columns = ops.shape(features)[:3]
        projection = self.projections[letter]
        return ops.reshape(projection(features), (batch, rows * columns, projection.filters))
