"""Per-channel statistics over positions, and matching them (AdaIN, Huang and Belongie 2017)."""
from typing import NamedTuple

from keras import ops

#: Added to the features' variance in the published decoder.
EPSILON = 1e-10


class RowMoments(NamedTuple):
    """Mean and variance of each row of a feature map, each [batch, rows, 1, c] float32.

    Those of a map's bands, joined, are those of the map. ``weight`` [batch, rows, 1, 1] is
    what each row counts; None counts all alike.
    """
    mean: object
    variance: object
    weight: object = None


def row_moments(features, weights=None) -> RowMoments:
    """The moments of each row of features [batch, rows, columns, c].

    Always float32: sums over many positions lose too much in half precision.

    Args:
        weights: what each position counts, float32 [batch, rows, columns, 1], at least 0.
    """
    features = ops.cast(features, 'float32')
    batch, rows, columns = ops.shape(features)[:3]
    if weights is None:
        # A product with a row of ones runs several times faster than a reduction.
        shares = ops.full((batch, rows, 1, columns), 1 / ops.cast(columns, 'float32'))
        weight = None
    else:
        weight = ops.sum(weights, axis=2, keepdims=True)
        shares = ops.transpose(ops.divide_no_nan(weights, weight), (0, 1, 3, 2))
    mean = ops.matmul(shares, features)
    return RowMoments(mean, ops.matmul(shares, ops.square(features - mean)), weight)


def overall_moments(rows: RowMoments):
    """Mean and variance of the whole map, two [batch, 1, 1, c]: within rows and between them."""
    if rows.weight is None:
        mean = ops.mean(rows.mean, axis=1, keepdims=True)
        spread = rows.variance + ops.square(rows.mean - mean)
        return mean, ops.mean(spread, axis=1, keepdims=True)
    shares = ops.divide_no_nan(rows.weight, ops.sum(rows.weight, axis=1, keepdims=True))
    mean = ops.sum(shares * rows.mean, axis=1, keepdims=True)
    spread = rows.variance + ops.square(rows.mean - mean)
    return mean, ops.sum(shares * spread, axis=1, keepdims=True)


def channel_moments(features, weights=None):
    """Mean and variance over positions: [batch, rows, columns, c] to two [batch, 1, 1, c].

    Args:
        weights: see :func:`row_moments`.
    """
    return overall_moments(row_moments(features, weights))


def normalise(features, epsilon, weights=None):
    """Features with mean 0 and deviation 1 per image and channel, float32, same shape.

    Args:
        weights: what each position counts in mean and deviation, see :func:`row_moments`.
    """
    mean, variance = channel_moments(features, weights)
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
