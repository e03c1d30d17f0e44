"""How well pictures come back through the attention autoencoder."""
import logging
from typing import Iterator, Tuple

import numpy as np
from keras import ops

from .pictures import centre_crop, load_rgb, resize_short_side

logger = logging.getLogger(__name__)

#: Short side, and side of the central crop, of validation pictures.
SIDE = 256


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures in 0..255, infinite if they are equal.

    Raises:
        ValueError: if their shapes differ.
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(f'pictures of shapes {np.shape(a)} and {np.shape(b)} cannot be '
                         'compared; expected the same shape')
    error = np.mean(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)))
    return float('inf') if error == 0 else float(10 * np.log10(255 ** 2 / error))


def reconstructions(network, paths, side=SIDE) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
    """Pairs of a picture's central crop and its reconstruction, uint8 RGB [side, side, 3].

    A file that cannot be decoded is named and passed over.
    """
    for path in paths:
        try:
            picture = load_rgb(path)
        # Pillow's decoders let many kinds of errors out of a broken file.
        except Exception as error:
            logger.warning('left out %s (unreadable: %s)', path, error)
            continue
        picture = centre_crop(resize_short_side(picture, side), side)
        output = network(ops.convert_to_tensor(picture[None], dtype='float32'))['picture']
        output = np.clip(np.rint(ops.convert_to_numpy(output)[0]), 0, 255).astype(np.uint8)
        yield picture, output


def mean_psnr(network, paths, side=SIDE) -> float:
    """Mean over ``paths`` of the PSNR of the reconstruction, in dB.

    Raises:
        ValueError: if none of them can be decoded.
    """
    values = [psnr(*pair) for pair in reconstructions(network, paths, side)]
    if not values:
        raise ValueError(f'none of {len(paths)} pictures can be decoded')
    return float(np.mean(values))
