"""A grey mask as the share that each of several styles has of each position."""
import numpy as np


def regions(mask: np.ndarray, styles: int) -> np.ndarray:
    """Shares of ``styles`` styles in each position.

    For one style the mask itself is its share. For more, the first is where the mask is
    black, the last where it is white, the others at even levels between; a level between
    those of two styles mixes these two, and the shares of a position sum to 1.

    Args:
        mask: float32 [rows, columns], 0 (black) to 1 (white).
        styles: how many, at least 1.

    Returns:
        float32 [styles, rows, columns], 0..1.
    """
    if styles == 1:
        return mask[None]
    place = mask * np.float32(styles - 1)
    return np.stack([np.maximum(0, 1 - np.abs(place - style)) for style in range(styles)])
