"""Attention map: where the self-attention acts strongly (Yao et al. 2019, section 3.3)."""
import numpy as np
import tensorflow as tf

#: A feature is salient if its attention exceeds so many times the mean.
SALIENCE = 2.0
#: Smoothing kernel, 3x3 with sum 1.
GAUSSIAN = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25]).astype(np.float32)


def _smooth(plane):
    """[rows, columns] smoothed with GAUSSIAN, zero padding."""
    kernel = tf.constant(GAUSSIAN[:, :, None, None])
    return tf.nn.conv2d(plane[None, :, :, None], kernel, 1, 'SAME')[0, :, :, 0]


def _percentile(values, percentile):
    """The value at or below which ``percentile`` % of ``values`` [n] lie (nearest rank)."""
    count = tf.cast(tf.size(values), tf.float32)
    rank = tf.cast(tf.math.ceil(count * (percentile / 100.0)), tf.int32)
    return tf.sort(values)[tf.maximum(rank, 1) - 1]


def attention_map(attention, peak=100.0):
    """Saliency of positions in 0..1.

    The published code draws the smoothing kernel at random on every run; here it is a
    fixed Gaussian.

    Args:
        attention: the self-attention residual [rows, columns, channels].
        peak: percentile of the map that becomes 1; 100 is the maximum.

    Returns:
        [rows, columns] float32; all 0 if the attention is the same everywhere.
    """
    magnitude = tf.abs(attention)
    salient = magnitude > SALIENCE * tf.reduce_mean(magnitude)
    plane = _smooth(tf.reduce_sum(tf.cast(salient, tf.float32), axis=-1))
    plane -= tf.reduce_min(plane)
    scale = _percentile(tf.reshape(plane, [-1]), peak)
    scale = tf.where(scale > 0, scale, tf.reduce_max(plane))
    return tf.clip_by_value(tf.math.divide_no_nan(plane, scale), 0.0, 1.0)
