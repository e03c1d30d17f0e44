"""Pictures to what the network takes, and its output back to a picture."""
from typing import NamedTuple, Optional, Tuple

import cv2
import numpy as np
import tensorflow as tf

#: The style's short side is scaled to the first, its central square has the second.
STYLE_SHORT_SIDE, STYLE_SIDE = 512, 448
#: A content side below this is extended by its border: 5x5 patches of features with
#: mirrored borders need at least three rows and columns of features.
SMALLEST_SIDE = 32


class PreparedContent(NamedTuple):
    """A content picture as the network takes it.

    Attributes:
        picture: float32 RGB 0..255, [rows, columns, 3], no side under SMALLEST_SIDE.
        kept: the (rows, columns) of ``picture`` that are not extension.
        size: (rows, columns) of the original.
    """
    picture: np.ndarray
    kept: Tuple[int, int]
    size: Tuple[int, int]


def working_size(size: Tuple[int, int], max_length: Optional[int]) -> Tuple[int, int]:
    """(rows, columns) at which a content of ``size`` is stylized, see prepare_content."""
    if max_length is None or max(size) <= max_length:
        return tuple(size)
    return tuple(max(1, int(max_length * side / max(size))) for side in size)


def prepare_content(rgb: np.ndarray, max_length: Optional[int] = 800) -> PreparedContent:
    """Scales a picture [rows, columns, 3] down so that no side exceeds ``max_length``.

    ``max_length=None`` keeps its size.
    """
    size, (rows, columns) = rgb.shape[:2], working_size(rgb.shape[:2], max_length)
    picture = np.ascontiguousarray(rgb, dtype=np.float32)
    if (rows, columns) != size:
        picture = cv2.resize(picture, (columns, rows))
    down, along = max(0, SMALLEST_SIDE - rows), max(0, SMALLEST_SIDE - columns)
    if down or along:
        picture = cv2.copyMakeBorder(picture, 0, down, 0, along, cv2.BORDER_REPLICATE)
    return PreparedContent(picture, (rows, columns), size)


def finish(stylized: np.ndarray, prepared: PreparedContent) -> np.ndarray:
    """The network's RGB output, not clipped, as uint8 BGR of the original's size."""
    picture = np.empty(stylized.shape, np.uint8)
    # Row by row, because several copies in float32 of a large picture take memory.
    for row, values in zip(picture, stylized):
        row[:] = np.clip(np.rint(values[:, ::-1]), 0, 255)
    rows, columns = (
        round(side * kept / extended) if extended > kept else side
        for side, kept, extended in zip(stylized.shape, prepared.kept, prepared.picture.shape))
    picture = np.ascontiguousarray(picture[:max(1, rows), :max(1, columns)])
    rows, columns = prepared.size
    return picture if picture.shape[:2] == (rows, columns) else cv2.resize(
        picture, (columns, rows))


def _sample(image, axis, start, count, scale):
    """Linear interpolation along ``axis`` at (start + 0, 1, .., count - 1) · scale."""
    last = tf.shape(image)[axis] - 1
    position = tf.cast(start + tf.range(count), tf.float32) * scale
    lower = tf.minimum(tf.cast(position, tf.int32), last)
    fraction = position - tf.cast(lower, tf.float32)
    fraction = tf.reshape(fraction, [-1, 1, 1] if axis == 0 else [1, -1, 1])
    low = tf.gather(image, lower, axis=axis)
    high = tf.gather(image, tf.minimum(lower + 1, last), axis=axis)
    return low + (high - low) * fraction


def resize_bilinear(image, size, window=None):
    """Bilinear resizing on TensorFlow 1's grid: output i samples input i · in / out.

    There are no half-pixel centres and there is no antialiasing.

    Args:
        image: float32 [rows, columns, channels].
        size: (rows, columns) to resize to.
        window: (top, left, rows, columns) of the resized image to compute; all by default.
    """
    top, left, rows, columns = window or (0, 0, *size)
    shape = tf.cast(tf.shape(image), tf.float32)
    image = _sample(image, 1, left, columns, shape[1] / tf.cast(size[1], tf.float32))
    return _sample(image, 0, top, rows, shape[0] / tf.cast(size[0], tf.float32))


def prepare_style(rgb):
    """The central 448x448 of a style scaled to short side 512.

    Args:
        rgb: float32 tensor [rows, columns, 3], 0..255.

    Returns:
        float32 [448, 448, 3] in the same range.
    """
    shape = tf.cast(tf.shape(rgb)[:2], tf.float64)
    size = tf.cast(shape * STYLE_SHORT_SIDE / tf.reduce_min(shape), tf.int32)
    top, left = (size[0] - STYLE_SIDE) // 2, (size[1] - STYLE_SIDE) // 2
    return resize_bilinear(rgb, (size[0], size[1]), (top, left, STYLE_SIDE, STYLE_SIDE))
