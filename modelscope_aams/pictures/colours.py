"""A picture in the colours of another."""
import cv2
import numpy as np

#: Pixels that are converted at a time: float32 takes several times the memory of uint8.
_BAND = 1 << 18


def with_colours_of(picture: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The lightness of ``picture`` with hue and chroma of ``source``, position by position.

    Luminance transfer (Gatys et al. 2016, Preserving Color in Neural Artistic Style
    Transfer, section 3.2), in CIELAB. What lies outside sRGB is clipped.

    Args:
        picture: uint8 RGB [rows, columns, 3].
        source: uint8 RGB of the same size.

    Returns:
        uint8 RGB of that size.
    """
    if picture.shape != source.shape:
        raise ValueError(f'the colours are of a picture of shape {source.shape}; expected '
                         f'{picture.shape}, that of the picture which is to have them')
    result = np.empty_like(picture)
    rows = max(1, _BAND // picture.shape[1])
    for start in range(0, len(picture), rows):
        band = slice(start, start + rows)
        mixed = _lab(source[band])
        mixed[..., 0] = _lab(picture[band])[..., 0]
        colours = cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
        result[band] = np.rint(np.clip(colours, 0, 1) * 255)
    return result


def _lab(rgb):
    """uint8 RGB to float32 CIELAB, L in 0..100."""
    return cv2.cvtColor(np.ascontiguousarray(rgb, np.float32) / 255, cv2.COLOR_RGB2LAB)
