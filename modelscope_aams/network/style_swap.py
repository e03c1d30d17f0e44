"""Style swap: each patch of content features becomes its nearest style patch.

Chen and Schmidt 2016, at several sizes of the style (Yao et al. 2019, section 3.4).
"""
from typing import NamedTuple

import tensorflow as tf

from .preprocess import resize_bilinear

#: Side of the patches, in positions, as published.
PATCH = 5
NORM_EPSILON = 1e-7
#: Similarities held at a time, in float32 values (64 MiB).
BAND_VALUES = 1 << 24


class StylePatches(NamedTuple):
    """The style's features at one scale, ready to be matched.

    Attributes:
        padded: [rows + p - 1, columns + p - 1, c] for patches of side p, a border of zeros
            around the features.
        inverse_norms: [rows, columns], one over the norm of the patch at each position.
    """
    padded: tf.Tensor
    inverse_norms: tf.Tensor


def style_patches(features, scale, patch=PATCH) -> StylePatches:
    """Patches of whitened style features [rows, columns, c] shrunk to ``scale`` (0 < s <= 1).

    Args:
        patch: side of the patches, odd.
    """
    border = patch // 2
    shape = tf.cast(tf.shape(features)[:2], tf.float32)
    size = tf.maximum(tf.cast(tf.floor(scale * shape), tf.int32), 1)
    shrunk = resize_bilinear(features, (size[0], size[1]))
    padded = tf.pad(shrunk, [[border, border], [border, border], [0, 0]])
    energy = tf.reduce_sum(tf.square(padded), axis=-1)[None, :, :, None]
    norms = tf.sqrt(tf.nn.conv2d(energy, tf.ones([patch, patch, 1, 1]), 1, 'VALID')[0, :, :, 0])
    return StylePatches(padded, 1.0 / (norms + NORM_EPSILON))


class _Layout(NamedTuple):
    """How inner products of positions lie in a flat vector, so that diagonals are strides.

    Content position (y, x) and style position (v, u) meet at
    (y · columns + x) · pitch + v · style_columns + u. One step down in both is then a shift by
    ``down``, one step along in both by ``along``, and as both are multiples of ALIGNED,
    TensorFlow takes a shifted part of the vector without copying it.

    Attributes:
        columns: content columns with border and filling.
        pitch: style positions with border and filling.
        down, along: see above.
    """
    columns: tf.Tensor
    pitch: tf.Tensor
    down: tf.Tensor
    along: tf.Tensor


#: Values to whose multiples TensorFlow can cut vectors without copying: 64 bytes.
ALIGNED = 16


def _round_up(value, step):
    return -tf.math.floordiv(-value, step) * step


def _layout(columns, style_rows, style_columns) -> _Layout:
    """The layout for a content of so many columns; all three with their borders."""
    pitch = _round_up(style_rows * style_columns + 1, ALIGNED) - 1
    columns += tf.math.floormod(style_columns - columns, ALIGNED)
    return _Layout(columns, pitch, columns * pitch + style_columns, pitch + 1)


def _moving_sum(vector, shift, size, terms):
    """Σ over i < terms of the ``size`` values of ``vector`` from i · shift on."""
    return tf.add_n([vector[i * shift:i * shift + size] for i in range(terms)])


def match(content, patches: StylePatches, banded=True, patch=PATCH):
    """The best style patch for the patch around each content position.

    The inner product of two patches is a sum over their positions (25 for a side of 5) of
    inner products of single positions, so one matrix product of positions is summed along
    its diagonals, first down, then along. It is taken in bands of content rows to bound
    memory.

    Args:
        content: [rows, columns, c]; its borders are mirrored, so each side is above patch / 2.
        banded: False takes all rows at once, without a loop.
        patch: side of the patches, odd.

    Returns:
        int32 [rows, columns]: row · style columns + column of the best patch.
    """
    border = patch // 2
    rows, columns, channels = tf.shape(content)[0], tf.shape(content)[1], content.shape[2]
    style_rows, style_columns = tf.unstack(tf.shape(patches.padded)[:2])
    layout = _layout(columns + patch - 1, style_rows, style_columns)
    filling = layout.pitch - style_rows * style_columns
    style = tf.pad(tf.reshape(patches.padded, [-1, channels]), [[0, filling], [0, 0]])

    def laid_out(plane, outside):
        plane = tf.pad(plane, [[0, patch - 1], [0, patch - 1]], constant_values=outside)
        return tf.pad(tf.reshape(plane, [-1]), [[0, filling]], constant_values=outside)

    inverse_norms = laid_out(patches.inverse_norms, 0.0)
    # Where no whole patch begins, no similarity is found.
    penalty = laid_out(tf.zeros_like(patches.inverse_norms), tf.float32.min)
    padded = tf.pad(content, [[border, border], [border, border], [0, 0]], 'REFLECT')
    padded = tf.pad(padded, [[0, 0], [0, layout.columns - columns - (patch - 1)], [0, 0]])

    def best(start, end):
        count = _round_up((end - start) * layout.columns, ALIGNED)
        # The sums reach patch - 1 rows and positions further, and a row of the style.
        needed = _round_up(count + (patch - 1) * layout.columns + patch, ALIGNED)
        part = tf.reshape(padded[start:end + patch - 1], [-1, channels])
        part = tf.pad(part, [[0, needed - tf.shape(part)[0]], [0, 0]])
        products = tf.reshape(tf.matmul(part, style, transpose_b=True), [-1])
        summed = _moving_sum(products, layout.down,
                             needed * layout.pitch - (patch - 1) * layout.down, patch)
        summed = _moving_sum(summed, layout.along, count * layout.pitch, patch)
        similarity = tf.reshape(summed, [count, layout.pitch]) * inverse_norms + penalty
        found = tf.argmax(similarity, axis=-1, output_type=tf.int32)
        found = tf.reshape(found[:(end - start) * layout.columns], [-1, layout.columns])
        return found[:, :columns]

    if banded:
        band = tf.maximum(BAND_VALUES // (layout.columns * layout.pitch), 2 * patch)
        found = _in_bands(best, rows, columns, band)
    else:
        found = best(0, rows)
    return found // style_columns * (style_columns - (patch - 1)) + found % style_columns


def _in_bands(best, rows, columns, band):
    """``best`` of every ``band`` rows, joined: int32 [rows, columns]."""
    def body(start, found):
        end = tf.minimum(start + band, rows)
        return end, tf.concat([found, best(start, end)], axis=0)

    return tf.while_loop(
        lambda start, _: start < rows, body, (0, tf.zeros([0, columns], tf.int32)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None])),
        parallel_iterations=1)[1]


def paste(matches, patches: StylePatches, patch=PATCH):
    """Puts the matched patches in place and averages where they overlap.

    Args:
        matches: int32 [rows, columns], see :func:`match`.
        patch: side of the patches, odd.

    Returns:
        [rows, columns, c].
    """
    border = patch // 2
    rows, columns = tf.unstack(tf.shape(matches))
    width = tf.shape(patches.inverse_norms)[1]
    padded_width = width + patch - 1
    channels = patches.padded.shape[-1]
    # The last row stays zero: patches that would be centred outside the content.
    table = tf.concat([tf.reshape(patches.padded, [-1, channels]), tf.zeros([1, channels])], 0)
    outside = tf.shape(table)[0] - 1
    corner = matches // width * padded_width + matches % width
    corner = tf.pad(corner, [[border, border], [border, border]], constant_values=-1)
    sources = []
    for down in range(patch):
        for along in range(patch):
            # The patch centred at (r - offset) covers r with its cell at offset.
            top, left = patch - 1 - down, patch - 1 - along
            covering = corner[top:top + rows, left:left + columns]
            cell = covering + down * padded_width + along
            sources.append(tf.where(covering < 0, outside, cell))
    sources = tf.reshape(tf.stack(sources, axis=-1), [-1])
    positions = tf.repeat(tf.range(rows * columns), patch * patch)
    total = tf.raw_ops.SparseSegmentSum(data=table, indices=sources, segment_ids=positions)
    count = tf.math.unsorted_segment_sum(
        tf.cast(sources < outside, tf.float32), positions, rows * columns)
    return tf.reshape(total / count[:, None], [rows, columns, channels])


def swap(content, patches: StylePatches, banded=True, patch=PATCH):
    """Content features [rows, columns, c] rebuilt from the style's patches."""
    return paste(match(content, patches, banded, patch), patches, patch)
