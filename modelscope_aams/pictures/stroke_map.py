"""Which stroke went where, seen on the picture that it belongs to."""
from typing import List, Tuple

import cv2
import numpy as np

#: Colours from cold to warm that people with any colour blindness tell apart (Okabe and
#: Ito 2008, Color Universal Design), uint8 RGB.
COLOURS = ((0, 114, 178), (86, 180, 233), (0, 158, 115), (240, 228, 66), (230, 159, 0),
           (213, 94, 0))


def stroke_colours(strokes: int) -> List[Tuple[int, int, int]]:
    """A colour for each stroke, coarse (cold) to fine (warm), uint8 RGB.

    Raises:
        ValueError: if there are none, or more than COLOURS.
    """
    if not 1 <= strokes <= len(COLOURS):
        raise ValueError(f'{strokes} strokes; expected 1 to {len(COLOURS)}')
    places = np.rint(np.linspace(0, len(COLOURS) - 1, strokes)).astype(int)
    return [COLOURS[place] for place in places]


def stroke_map(picture: np.ndarray, weights: np.ndarray, opacity: float = 0.7) -> np.ndarray:
    """Lays the strokes' colours over a picture; where several mix, so do their colours.

    Args:
        picture: uint8 RGB [rows, columns, 3].
        weights: [map rows, map columns, strokes] of any size, 0..1, sum 1 over the strokes;
            stretched over the picture.
        opacity: share of the strokes' colours in the result, 0..1; the rest is the picture
            in grey, so that all colour is the strokes'.

    Returns:
        uint8 RGB of the picture's size.
    """
    if weights.ndim != 3 or weights.size == 0:
        raise ValueError(f'stroke weights have the shape {weights.shape}; expected '
                         '[rows, columns, strokes]')
    if not 0 <= opacity <= 1:
        raise ValueError(f'opacity is {opacity}; expected 0 to 1')
    colours = np.array(stroke_colours(weights.shape[2]), np.float32)
    rows, columns = picture.shape[:2]
    # Mixed before it is stretched: that is linear, and three planes take less than the strokes.
    mixed = cv2.resize(weights.astype(np.float32) @ colours, (columns, rows),
                       interpolation=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return np.rint(opacity * mixed + (1 - opacity) * grey).clip(0, 255).astype(np.uint8)
