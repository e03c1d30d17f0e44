"""Per-channel statistics over positions, and matching them (AdaIN, Huang and Belongie 2017)."""
from keras import ops

POSITIONS = (1, 2)


def channel_moments(features):
    """Mean and variance over positions: [batch, rows, columns, c] to two [batch, 1, 1, c].

    Always float32: sums over many positions lose too much in half precision.
    """
    features = ops.cast(features, 'float32')
    mean = ops.mean(features, axis=POSITIONS, keepdims=True)
    variance = ops.mean(ops.square(features - mean), axis=POSITIONS, keepdims=True)
    return mean, variance


def normalise(features, epsilon):
    """Features with mean 0 and deviation 1 per image and channel, float32, same shape."""
    mean, variance = channel_moments(features)
    return (ops.cast(features, 'float32') - mean) / ops.sqrt(variance + epsilon)


def adain(features, style_mean, style_variance, epsilon=1e-10):
    """Gives features the style's mean and deviation in each channel.

    Args:
        features: [batch, rows, columns, c].
        style_mean, style_variance: [batch or 1, 1, 1, c].
        epsilon: added to the features' variance (1e-10 in the published decoder).
    """
    return normalise(features, epsilon) * ops.sqrt(style_variance) + style_mean
