"""Losses of the self-attention autoencoder (Yao et al. 2019, equations 3 to 6)."""
from keras import ops

from .configuration import FEATURE_LAYERS


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
