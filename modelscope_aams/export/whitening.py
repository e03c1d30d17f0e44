"""Whitening by matrix products alone, for formats that know no eigenvectors.

Functions of a symmetric matrix by the iterations of Newton and Schulz (Higham 2008,
Functions of Matrices, sections 5.3 and 6.3), in float64. Each round a direction's value
grows by up to 1.5 times until it is near 1, and from there on the error is squared.
"""
import tensorflow as tf

from modelscope_aams.network.whitening import SMALLEST_VARIANCE

#: Rounds end when all values are so near to 1 (Frobenius norm): one more squares that.
NEAR_ONE = 1e-8
#: Enough for values down to 1e-17 of the largest, where float64 ends.
MOST_ROUNDS = 100


def _iterate(step, *start):
    """``step(*matrices) -> (distance from the end, next matrices)`` until that is small."""
    return tf.while_loop(lambda distance, *_: distance > NEAR_ONE, lambda _, *now: step(*now),
                         (tf.constant(1.0, tf.float64), *start),
                         maximum_iterations=MOST_ROUNDS)[1:]


def _symmetric(matrix):
    """Without what rounding added on one side of the diagonal."""
    return (matrix + tf.transpose(matrix)) / 2


def sign(matrix):
    """The symmetric [n, n] float64 ``matrix`` with each eigenvalue replaced by its sign."""
    identity = tf.eye(matrix.shape[0], dtype=tf.float64)

    def step(current):
        square = tf.matmul(current, current)
        following = _symmetric(1.5 * current - 0.5 * tf.matmul(square, current))
        return tf.norm(square - identity), following

    return _iterate(step, matrix / tf.norm(matrix))[0]


def positive_roots(matrix):
    """Square root and inverse square root of a positive [n, n] float64 ``matrix``."""
    identity = tf.eye(matrix.shape[0], dtype=tf.float64)
    scale = tf.norm(matrix)

    def step(root, inverse):
        product = tf.matmul(inverse, root)
        factor = 1.5 * identity - 0.5 * product
        return tf.norm(product - identity), tf.matmul(root, factor), tf.matmul(factor, inverse)

    root, inverse = _iterate(step, matrix / scale, identity)
    return root * tf.sqrt(scale), inverse / tf.sqrt(scale)


def square_roots(covariance):
    """Does to a covariance [c, c], float64, what network.whitening.square_roots does.

    The directions to keep are those in which the covariance less SMALLEST_VARIANCE is
    positive; the others are set to a large variance while the roots are taken.
    """
    identity = tf.eye(covariance.shape[0], dtype=tf.float64)
    kept = (sign(covariance - SMALLEST_VARIANCE * identity) + identity) / 2
    within = _symmetric(tf.matmul(kept, tf.matmul(covariance, kept)))
    largest = tf.maximum(tf.norm(within), SMALLEST_VARIANCE)
    root, inverse = positive_roots(within + largest * (identity - kept))
    return tf.matmul(kept, inverse), tf.matmul(kept, root)
