"""Whitening and colouring of features (ZCA; Li et al. 2017, equations 2 and 3)."""
from typing import NamedTuple

import tensorflow as tf

#: Channels are split into so many parts, of which every pair is multiplied once.
GRAM_PARTS = 4
#: Directions whose variance is at most this are dropped.
SMALLEST_VARIANCE = 1e-5


class Whitened(NamedTuple):
    """Features without correlations, and what gives them back.

    Attributes:
        features: [n, c], covariance the identity in the directions that are kept.
        colouring: [c, c] symmetric; features @ colouring + mean are the original ones.
        mean: [c].
    """
    features: tf.Tensor
    colouring: tf.Tensor
    mean: tf.Tensor


def whiten(features) -> Whitened:
    """Whitens float32 features [n, c].

    Covariance and eigenvectors are taken in float64: the variances spread over 1e6 and
    more, and in float32 noise would decide the weak directions.
    """
    exact = tf.cast(features, tf.float64)
    count = tf.shape(exact)[0]
    # A product with a row of ones runs faster than a reduction.
    share = 1 / tf.cast(count, tf.float64)
    mean = tf.matmul(tf.fill([1, count], share), exact)
    covariance = _gram(exact) * share - tf.matmul(mean, mean, transpose_a=True)
    variances, directions = tf.linalg.eigh(covariance)
    kept = variances > SMALLEST_VARIANCE
    deviations = tf.sqrt(tf.where(kept, variances, 1.0))
    directions = tf.where(kept, directions, 0.0)
    whitening = tf.matmul(directions / deviations, directions, transpose_b=True)
    colouring = tf.matmul(directions * deviations, directions, transpose_b=True)
    mean = tf.cast(mean[0], tf.float32)
    return Whitened(tf.matmul(features - mean, tf.cast(whitening, tf.float32)),
                    tf.cast(colouring, tf.float32), mean)


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


def colour(features, whitened: Whitened):
    """Gives whitened features [..., c] the correlations and mean of another picture."""
    return tf.tensordot(features, whitened.colouring, 1) + whitened.mean
