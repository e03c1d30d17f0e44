"""Per-channel statistics over positions, and matching them (AdaIN, Huang and Belongie 2017)."""
from typing import NamedTuple

from keras import ops

#: Added to the features' variance in the published decoder.
EPSILON = 1e-10


class RowMoments(NamedTuple):
    """Mean and variance of each row of a feature map, each [batch, rows, 1, c] float32.

    Those of a map's bands, joined, are those of the map.
    """
    mean: object
    variance: object


def row_moments(features) -> RowMoments:
    """The moments of each row of features [batch, rows, columns, c].

    Always float32: sums over many positions lose too much in half precision.
    """
    features = ops.cast(features, 'float32')
    batch, rows, columns = ops.shape(features)[:3]
    # A product with a row of ones runs several times faster than a reduction.
    ones = ops.full((batch, rows, 1, columns), 1 / ops.cast(columns, 'float32'))
    mean = ops.matmul(ones, features)
    return RowMoments(mean, ops.matmul(ones, ops.square(features - mean)))


def overall_moments(rows: RowMoments):
    """Mean and variance of the whole map, two [batch, 1, 1, c]: within rows and between them."""
    mean = ops.mean(rows.mean, axis=1, keepdims=True)
    variance = ops.mean(rows.variance + ops.square(rows.mean - mean), axis=1, keepdims=True)
    return mean, variance


def channel_moments(features):
    """Mean and variance over positions: [batch, rows, columns, c] to two [batch, 1, 1, c]."""
    return overall_moments(row_moments(features))


def normalise(features, epsilon):
    """Features with mean 0 and deviation 1 per image and channel, float32, same shape."""
    mean, variance = channel_moments(features)
    return (ops.cast(features, 'float32') - mean) / ops.sqrt(variance + epsilon)


def adain(features, style_mean, style_variance):
    """Gives features the style's mean and deviation in each channel.

    Args:
        features: [batch, rows, columns, c].
        style_mean, style_variance: [batch or 1, 1, 1, c].
    """
    mean, variance = channel_moments(features)
    scale = ops.sqrt(style_variance) / ops.sqrt(variance + EPSILON)
    return (ops.cast(features, 'float32') - mean) * scale + style_mean
