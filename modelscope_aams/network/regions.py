"""Parts of a picture, and feature statistics that differ from part to part.

Huang and Belongie 2017, section 7.3, and Li et al. 2017, section 4.2, do so for parts that
exclude each other; here parts may blend.
"""
from typing import List, Sequence, Tuple

import numpy as np
import tensorflow as tf

from .adain import EPSILON
from .configuration import FEATURE_LAYERS

#: Sides of pictures with regions are multiples of it, so that all levels fit each other.
GRANULE = 2 ** (len(FEATURE_LAYERS) - 1)


def pyramid(region: np.ndarray) -> List[tf.Tensor]:
    """A region's share of each position, at the size of each of the FEATURE_LAYERS.

    Args:
        region: [rows, columns], multiples of GRANULE, 0..1.

    Returns:
        float32 [1, rows / 2ⁱ, columns / 2ⁱ, 1] for i = 0, 1, 2 and 3, each the average of
        the pixels below it.
    """
    level, levels = np.asarray(region, np.float32), []
    for _ in FEATURE_LAYERS:
        levels.append(tf.constant(level[None, :, :, None]))
        rows, columns = (side // 2 * 2 for side in level.shape)
        level = level[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean((1, 3))
    return levels


def whole(picture) -> np.ndarray:
    """The part of a picture or plane whose sides are multiples of GRANULE, from the top left."""
    rows, columns = (side // GRANULE * GRANULE for side in picture.shape[:2])
    return picture[:rows, :columns]


def among_styles(shares: Sequence[tf.Tensor]) -> List[tf.Tensor]:
    """Each style's part in what all styles share at a position, [1, rows, columns, 1].

    They sum to 1; where no style has a share, all have the same part.
    """
    covered = tf.add_n(list(shares))
    return [tf.where(covered > 0, tf.math.divide_no_nan(share, covered), 1 / len(shares))
            for share in shares]


def match_regions(x, shares, mean, variance, wanted_mean, wanted_variance):
    """AdaIN whose statistics are mixed at each position, all of float32.

    Args:
        x: [1, rows, columns, c].
        shares: of k regions, [1, rows, columns, k].
        mean, variance: of x in each region, [k, c].
        wanted_mean, wanted_variance: what each region is given, [k, c].
    """
    scale = tf.sqrt(wanted_variance / (variance + EPSILON))
    return (x * tf.tensordot(shares, scale, 1)
            + tf.tensordot(shares, wanted_mean - mean * scale, 1))


def mixed_moments(moments: Sequence[dict], weights: Sequence[float]) -> dict:
    """Weighted mean of the means and of the deviations of several, by layer.

    Args:
        moments: dicts of (mean, variance) by layer.
        weights: of each, sum 1.
    """
    def mix(layer) -> Tuple[tf.Tensor, tf.Tensor]:
        pairs = [each[layer] for each in moments]
        mean = tf.add_n([weight * pair[0] for weight, pair in zip(weights, pairs)])
        deviation = tf.add_n([weight * tf.sqrt(pair[1]) for weight, pair in zip(weights, pairs)])
        return mean, tf.square(deviation)

    return {layer: mix(layer) for layer in FEATURE_LAYERS[:-1]}
