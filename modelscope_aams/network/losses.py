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


def perceptual(features, targets, relative=False):
    """Σ over the four feature layers of the mean squared feature difference.

    Args:
        features, targets: dicts of [batch, rows, columns, c] by layer name.
        relative: divide each layer by its target's variance, so that all layers
            count alike; the published loss does not.
    """
    total = 0.0
    for layer in FEATURE_LAYERS:
        difference = mean_square(features[layer], targets[layer])
        if relative:
            difference /= ops.stop_gradient(ops.var(ops.cast(targets[layer], 'float32')))
        total += difference
    return total


def attention_sparsity(attention, reduction='sum'):
    """L1 norm of the attention residual: Σ|o| over the batch (published), or its mean."""
    magnitude = ops.abs(attention)
    return ops.sum(magnitude) if reduction == 'sum' else ops.mean(magnitude)
