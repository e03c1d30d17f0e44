"""Whitening and colouring of features (ZCA; Li et al. 2017, equations 2 and 3)."""
from typing import NamedTuple

import tensorflow as tf

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
    features = tf.cast(features, tf.float64)
    mean = tf.reduce_mean(features, axis=0)
    centred = features - mean
    count = tf.cast(tf.shape(features)[0], tf.float64)
    covariance = tf.matmul(centred, centred, transpose_a=True) / count
    variances, directions = tf.linalg.eigh(covariance)
    kept = variances > SMALLEST_VARIANCE
    deviations = tf.sqrt(tf.where(kept, variances, 1.0))
    directions = tf.where(kept, directions, 0.0)
    whitening = tf.matmul(directions / deviations, directions, transpose_b=True)
    colouring = tf.matmul(directions * deviations, directions, transpose_b=True)
    return Whitened(tf.cast(tf.matmul(centred, whitening), tf.float32),
                    tf.cast(colouring, tf.float32), tf.cast(mean, tf.float32))


def colour(features, whitened: Whitened):
    """Gives whitened features [..., c] the correlations and mean of another picture."""
    return tf.tensordot(features, whitened.colouring, 1) + whitened.mean
