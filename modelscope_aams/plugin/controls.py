"""What a caller may add to content and style, in the form that the network takes."""
import math
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np

from .options import is_number


def style_shares(weights: Optional[Sequence[float]], styles: int) -> Tuple[float, ...]:
    """``weights`` scaled to sum 1; equal shares without them.

    Raises:
        ValueError: if they are not one number of at least 0 for each of ``styles`` styles,
            or all 0.
    """
    if weights is None:
        return (1 / styles,) * styles
    if (not isinstance(weights, (list, tuple, np.ndarray)) or len(weights) != styles
            or not all(is_number(weight) and 0 <= weight < math.inf for weight in weights)):
        raise ValueError(f'style_weights is {weights!r}; expected {styles} number'
                         f'{"s" if styles > 1 else ""} of at least 0, one for each style')
    largest = float(max(weights))
    if not largest:
        raise ValueError(f'style_weights is {weights!r}; expected one or more above 0')
    # Of the largest first, as the sum of large numbers may be infinite.
    parts = [float(weight) / largest for weight in weights]
    return tuple(part / sum(parts) for part in parts)


def laid_over(plane: np.ndarray, content) -> np.ndarray:
    """A plane of values that belongs to a content, scaled and extended as the content was.

    Args:
        plane: float32 [rows, columns] of any size with the content's aspect ratio.
        content: a PreparedContent.

    Returns:
        float32 of the rows and columns of ``content.picture``.

    Raises:
        ValueError: if the aspect ratio differs by more than what rounding its size to whole
            pixels explains.
    """
    sizes = (rows, columns), (whole_rows, whole_columns) = plane.shape, content.size
    # Up to two pixels of the smaller of both too many or too few along its shorter side.
    if abs(rows * whole_columns - columns * whole_rows) > 2 * max(map(max, sizes)):
        raise ValueError(f'{columns}x{rows} pixels are of another aspect ratio than the '
                         f"content's {whole_columns}x{whole_rows}; expected the same")
    rows, columns = content.kept
    shrinks = plane.shape[0] > rows
    fitted = cv2.resize(plane, (columns, rows),
                        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    down, along = (whole - kept for whole, kept in zip(content.picture.shape, content.kept))
    return cv2.copyMakeBorder(fitted, 0, down, 0, along, cv2.BORDER_REPLICATE)
