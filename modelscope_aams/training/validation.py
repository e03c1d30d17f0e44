"""How well pictures come back through the attention autoencoder."""
from typing import Iterator, Tuple

import numpy as np
from keras import ops

from .pictures import centre_crop, load_rgb, resize_short_side

#: Short side, and side of the central crop, of validation pictures.
SIDE = 256


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures in 0..255."""
    error = np.mean(np.square(a.astype(np.float64) - b.astype(np.float64)))
    return float('inf') if error == 0 else float(10 * np.log10(255 ** 2 / error))


def reconstructions(network, paths, side=SIDE) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
    """Pairs of a picture's central crop and its reconstruction, uint8 RGB [side, side, 3]."""
    for path in paths:
        picture = centre_crop(resize_short_side(load_rgb(path), side), side)
        output = network(ops.convert_to_tensor(picture[None], dtype='float32'))['picture']
        output = np.clip(np.rint(ops.convert_to_numpy(output)[0]), 0, 255).astype(np.uint8)
        yield picture, output


def mean_psnr(network, paths, side=SIDE) -> float:
    """Mean over ``paths`` of the PSNR of the reconstruction, in dB."""
    return float(np.mean([psnr(*pair) for pair in reconstructions(network, paths, side)]))
