"""Whitening and colouring of features (ZCA; Li et al. 2017, equations 2 and 3)."""
from typing import NamedTuple, Tuple

import tensorflow as tf

#: Channels are split into so many parts, of which every pair is multiplied once.
GRAM_PARTS = 4
#: Directions whose variance is at most this are dropped.
SMALLEST_VARIANCE = 1e-5


class Colouring(NamedTuple):
    """What gives whitened features the correlations and mean of a picture.

    Attributes:
        kernel: [c, c], symmetric; whitened features @ kernel + mean are the original ones.
        mean: [c].
    """
    kernel: tf.Tensor
    mean: tf.Tensor


def square_roots(covariance) -> Tuple[tf.Tensor, tf.Tensor]:
    """Inverse square root and square root of a covariance [c, c], float64.

    Both are zero in the directions whose variance is at most SMALLEST_VARIANCE.
    """
    variances, directions = tf.linalg.eigh(covariance)
    kept = variances > SMALLEST_VARIANCE
    deviations = tf.sqrt(tf.where(kept, variances, 1.0))
    directions = tf.where(kept, directions, 0.0)
    return (tf.matmul(directions / deviations, directions, transpose_b=True),
            tf.matmul(directions * deviations, directions, transpose_b=True))


def whiten(features, square_roots=square_roots, weights=None) -> Tuple[tf.Tensor, Colouring]:
    """Whitens float32 features [n, c]; the covariance of the result is the identity.

    Covariance and eigenvectors are taken in float64: the variances spread over 1e6 and
    more, and in float32 noise would decide the weak directions.

    Args:
        square_roots: computes what the function of that name does.
        weights: what each position counts in mean and covariance, float32 [n], at least 0;
            None counts all alike.

    Returns:
        The whitened features and the colouring that undoes it, float32.
    """
    exact = tf.cast(features, tf.float64)
    if weights is None:
        count = tf.shape(exact)[0]
        # A product with a row of ones runs faster than a reduction.
        share = 1 / tf.cast(count, tf.float64)
        mean = tf.matmul(tf.fill([1, count], share), exact)
        covariance = _gram(exact) * share - tf.matmul(mean, mean, transpose_a=True)
    else:
        shares = tf.cast(weights, tf.float64)
        shares = tf.math.divide_no_nan(shares, tf.reduce_sum(shares))
        mean = tf.matmul(shares[None], exact)
        covariance = _gram(tf.sqrt(shares)[:, None] * (exact - mean))
    whitening, colouring = (tf.cast(root, tf.float32) for root in square_roots(covariance))
    mean = tf.cast(mean[0], tf.float32)
    return tf.matmul(features - mean, whitening), Colouring(colouring, mean)


def _gram(features):
    """featuresᵀ features, [c, c], whose blocks below the diagonal are those above it."""
    channels = features.shape[-1]
    edges = [channels * i // GRAM_PARTS for i in range(GRAM_PARTS + 1)]
    parts = [features[:, start:end] for start, end in zip(edges, edges[1:]) if end > start]
    blocks = {(i, j): tf.matmul(parts[i], parts[j], transpose_a=True)
              for i in range(len(parts)) for j in range(i, len(parts))}
    return tf.concat([tf.concat(
        [blocks[i, j] if i <= j else tf.transpose(blocks[j, i]) for j in range(len(parts))],
        axis=1) for i in range(len(parts))], axis=0)


def colour(features, colouring: Colouring):
    """Gives whitened features [..., c] the correlations and mean of another picture."""
    return tf.tensordot(features, colouring.kernel, 1) + colouring.mean
