"""Self-attention over feature positions (Yao et al. 2019, section 3.2)."""
import keras
from keras import ops

from .configuration import ATTENTION_CHANNELS


def attend(queries, keys, values, band=None):
    """softmax(queries keysᵀ) values, unscaled as published.

    Args:
        queries: [batch, n, d]; keys: [batch, m, d]; values: [batch, m, c].
        band: at most so many queries are taken at a time, so that band x m weights are
            held instead of n x m; batch has to be 1 then. None takes all at once.

    Returns:
        [batch, n, c].
    """
    def rows(part):
        return ops.matmul(ops.softmax(ops.matmul(part, ops.transpose(keys, (0, 2, 1)))), values)

    if band is None:
        return rows(queries)
    count = ops.shape(queries)[1]
    bands = (count + band - 1) // band
    size = (count + bands - 1) // bands
    padded = ops.pad(queries, ((0, 0), (0, bands * size - count), (0, 0)))
    parts = ops.map(rows, ops.reshape(padded, (bands, 1, size, queries.shape[-1])))
    return ops.reshape(parts, (1, bands * size, values.shape[-1]))[:, :count]


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

    def call(self, features, band=None):
        """``band``: see :func:`attend`."""
        shape = ops.shape(features)
        keys, queries, values = (
            ops.reshape(self.projections[letter](features),
                        (shape[0], shape[1] * shape[2], self.projections[letter].filters))
            for letter in 'fgh')
        return ops.reshape(attend(queries, keys, values, band), shape)
