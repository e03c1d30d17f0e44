"""Losses: of the self-attention autoencoder (Yao et al. 2019, equations 3 to 6), and of style."""
from keras import ops

from .configuration import FEATURE_LAYERS

#: Added to variances before their root is taken, which has no gradient at 0.
VARIANCE_EPSILON = 1e-5


def mean_square(a, b):
    """Mean squared difference of two tensors of one shape, a float32 scalar."""
    return ops.mean(ops.square(ops.cast(a, 'float32') - ops.cast(b, 'float32')))


def total_variation(images):
    """Mean absolute difference of neighbours, down the rows plus along the columns.

    ``images`` is [batch, rows, columns, channels]; the result is a scalar.
    """
    down = ops.abs(images[:, 1:] - images[:, :-1])
    along = ops.abs(images[:, :, 1:] - images[:, :, :-1])
    return ops.mean(down) + ops.mean(along)


def variances(features, average=lambda values: values):
    """Variance of each feature layer over batch, positions and channels, by layer name.

    Args:
        features: dict of [batch, rows, columns, c] by layer name; nothing is learnt from
            them through the variances.
        average: takes the mean of a tensor over the equal parts of a batch that is split
            over several devices.
    """
    layers = [ops.cast(features[layer], 'float32') for layer in FEATURE_LAYERS]
    means = average(ops.stack([ops.mean(layer) for layer in layers]))
    # Stopped here, so that no gradient has to pass through ``average``.
    result = ops.stop_gradient(average(ops.stack(
        [ops.mean(ops.square(layer - means[number])) for number, layer in enumerate(layers)])))
    return {layer: result[number] for number, layer in enumerate(FEATURE_LAYERS)}


def perceptual(features, targets, scales=None):
    """Σ over the four feature layers of the mean squared feature difference, a scalar.

    Args:
        features, targets: dicts of [batch, rows, columns, c] by layer name.
        scales: what each layer's difference is divided by, such as :func:`variances`, so
            that all layers count alike; None divides by nothing, as published.
    """
    total = 0.0
    for layer in FEATURE_LAYERS:
        difference = mean_square(features[layer], targets[layer])
        total += difference if scales is None else difference / scales[layer]
    return total


def attention_sparsity(attention, reduction='sum'):
    """L1 norm of the attention residual: Σ|o| over the batch (published), or its mean."""
    magnitude = ops.abs(attention)
    return ops.sum(magnitude) if reduction == 'sum' else ops.mean(magnitude)


def channel_statistics(moments, targets):
    """Style loss: squared differences of means and deviations (Huang and Belongie 2017, eq. 13).

    Args:
        moments, targets: dicts of (mean, variance), each [batch, 1, 1, c], by layer name.

    Returns:
        Σ over the layers, each divided by the targets' variance over positions and
        channels, so that all count alike; a scalar, the mean over the batch.
    """
    total = 0.0
    for layer in FEATURE_LAYERS:
        (mean, variance), (wanted, wanted_variance) = moments[layer], targets[layer]
        difference = ops.square(mean - wanted) + ops.square(
            ops.sqrt(variance + VARIANCE_EPSILON) - ops.sqrt(wanted_variance + VARIANCE_EPSILON))
        scale = ops.mean(wanted_variance, axis=-1) + ops.var(wanted, axis=-1)
        total += ops.mean(ops.mean(difference, axis=-1) / scale)
    return total


def correlations(features, targets):
    """Style loss: relative squared difference of Gram matrices (Gatys et al. 2016, eq. 4).

    Args:
        features, targets: dicts of [batch, rows, columns, c] by layer name; sizes may differ.

    Returns:
        Σ over the layers of ‖G - G_target‖² / ‖G_target‖², [batch].
    """
    total = 0.0
    for layer in FEATURE_LAYERS:
        found, wanted = (_gram(each[layer]) for each in (features, targets))
        total += (ops.sum(ops.square(found - wanted), axis=(1, 2))
                  / ops.sum(ops.square(wanted), axis=(1, 2)))
    return total


def _gram(features):
    batch, rows, columns, channels = ops.shape(features)
    flat = ops.reshape(ops.cast(features, 'float32'), (batch, rows * columns, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (rows * columns)
