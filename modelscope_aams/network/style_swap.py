"""Style swap: each 5x5 patch of content features becomes its nearest style patch.

Chen and Schmidt 2016, at several sizes of the style (Yao et al. 2019, section 3.4).
"""
from typing import NamedTuple

import tensorflow as tf

from .preprocess import resize_bilinear

PATCH = 5
BORDER = PATCH // 2
NORM_EPSILON = 1e-7
#: Similarities held at a time, in float32 values (64 MiB).
BAND_VALUES = 1 << 24


class StylePatches(NamedTuple):
    """The style's features at one scale, ready to be matched.

    Attributes:
        padded: [rows + 4, columns + 4, c], a border of zeros around the features.
        inverse_norms: [rows, columns], one over the norm of the patch at each position.
    """
    padded: tf.Tensor
    inverse_norms: tf.Tensor


def style_patches(features, scale) -> StylePatches:
    """Patches of whitened style features [rows, columns, c] shrunk to ``scale`` (0 < s <= 1)."""
    shape = tf.cast(tf.shape(features)[:2], tf.float32)
    size = tf.maximum(tf.cast(tf.floor(scale * shape), tf.int32), 1)
    shrunk = resize_bilinear(features, (size[0], size[1]))
    padded = tf.pad(shrunk, [[BORDER, BORDER], [BORDER, BORDER], [0, 0]])
    energy = tf.reduce_sum(tf.square(padded), axis=-1)[None, :, :, None]
    norms = tf.sqrt(tf.nn.conv2d(energy, tf.ones([PATCH, PATCH, 1, 1]), 1, 'VALID')[0, :, :, 0])
    return StylePatches(padded, 1.0 / (norms + NORM_EPSILON))


def _diagonal_sum(products, content_axis, style_axis):
    """Σ over i of products moved by i along both axes, which get PATCH - 1 shorter."""
    def moved(i):
        begin, end = [0] * 4, [0] * 4
        for axis in (content_axis, style_axis):
            begin[axis], end[axis] = i, PATCH - 1 - i
        shape = tf.shape(products)
        return tf.slice(products, begin, shape - begin - end)

    return tf.add_n([moved(i) for i in range(PATCH)])


def match(content, patches: StylePatches):
    """The best style patch for the patch around each content position.

    The inner product of two patches is a sum over the 25 offsets of inner products of
    single positions, so one matrix product of positions is summed along its diagonals,
    first down, then along. It is taken in bands of content rows to bound memory.

    Args:
        content: [rows, columns, c]; its borders are mirrored, so each side is at least 3.

    Returns:
        int32 [rows, columns]: row · style columns + column of the best patch.
    """
    shape = tf.shape(content)
    rows, columns, channels = shape[0], shape[1], shape[2]
    style_shape = tf.shape(patches.padded)
    style = tf.reshape(patches.padded, [-1, channels])
    inverse_norms = tf.reshape(patches.inverse_norms, [-1])
    padded = tf.pad(content, [[BORDER, BORDER], [BORDER, BORDER], [0, 0]], 'REFLECT')
    row_values = (columns + 2 * BORDER) * tf.shape(style)[0]
    band = tf.maximum(BAND_VALUES // row_values - 2 * BORDER, 2 * BORDER)

    def best(start):
        end = tf.minimum(start + band, rows)
        part = padded[start:end + 2 * BORDER]
        products = tf.matmul(tf.reshape(part, [-1, channels]), style, transpose_b=True)
        products = tf.reshape(products, [end - start + 2 * BORDER, columns + 2 * BORDER,
                                         style_shape[0], style_shape[1]])
        similarity = _diagonal_sum(_diagonal_sum(products, 0, 2), 1, 3)
        similarity = tf.reshape(similarity, [(end - start) * columns, -1]) * inverse_norms
        return end, tf.argmax(similarity, axis=-1, output_type=tf.int32)

    def body(start, found):
        end, indices = best(start)
        return end, tf.concat([found, indices], axis=0)

    _, found = tf.while_loop(
        lambda start, _: start < rows, body, (0, tf.zeros([0], tf.int32)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])), parallel_iterations=1)
    return tf.reshape(found, [rows, columns])


def paste(matches, patches: StylePatches):
    """Puts the matched patches in place and averages where they overlap.

    Args:
        matches: int32 [rows, columns], see :func:`match`.

    Returns:
        [rows, columns, c].
    """
    rows, columns = tf.unstack(tf.shape(matches))
    width = tf.shape(patches.inverse_norms)[1]
    padded_width = width + 2 * BORDER
    channels = patches.padded.shape[-1]
    # The last row stays zero: patches that would be centred outside the content.
    table = tf.concat([tf.reshape(patches.padded, [-1, channels]), tf.zeros([1, channels])], 0)
    outside = tf.shape(table)[0] - 1
    corner = matches // width * padded_width + matches % width
    corner = tf.pad(corner, [[BORDER, BORDER], [BORDER, BORDER]], constant_values=-1)
    sources = []
    for down in range(PATCH):
        for along in range(PATCH):
            # The patch centred at (r - offset) covers r with its cell at offset.
            top, left = PATCH - 1 - down, PATCH - 1 - along
            covering = corner[top:top + rows, left:left + columns]
            cell = covering + down * padded_width + along
            sources.append(tf.where(covering < 0, outside, cell))
    sources = tf.reshape(tf.stack(sources, axis=-1), [-1])
    positions = tf.repeat(tf.range(rows * columns), PATCH * PATCH)
    total = tf.raw_ops.SparseSegmentSum(data=table, indices=sources, segment_ids=positions)
    count = tf.math.unsorted_segment_sum(
        tf.cast(sources < outside, tf.float32), positions, rows * columns)
    return tf.reshape(total / count[:, None], [rows, columns, channels])


def swap(content, patches: StylePatches):
    """Content features [rows, columns, c] rebuilt from the style's patches."""
    return paste(match(content, patches), patches)
