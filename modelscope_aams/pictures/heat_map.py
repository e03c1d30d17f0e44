"""An attention map seen on the picture that it belongs to."""
import cv2
import numpy as np


def heat_map(picture: np.ndarray, attention: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lays an attention map over a picture, from dark violet (0) to bright yellow (1).

    Args:
        picture: uint8 RGB [rows, columns, 3].
        attention: [map rows, map columns] of any size, 0..1; stretched over the picture.
        opacity: share of the map's colours in the result, 0..1; the rest is the picture
            in grey, so that all colour is the map's.

    Returns:
        uint8 RGB of the picture's size.
    """
    if attention.ndim != 2 or attention.size == 0:
        raise ValueError(f'attention map has the shape {attention.shape}; expected '
                         '[rows, columns]')
    if not 0 <= opacity <= 1:
        raise ValueError(f'opacity is {opacity}; expected 0 to 1')
    rows, columns = picture.shape[:2]
    # Cubic interpolation swings past the ends of the range.
    stretched = np.clip(cv2.resize(attention.astype(np.float32), (columns, rows),
                                   interpolation=cv2.INTER_CUBIC), 0, 1)
    levels = np.rint(stretched * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return np.rint(opacity * colours + (1 - opacity) * grey.astype(np.float32)).astype(np.uint8)
