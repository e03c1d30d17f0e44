"""How far apart two pictures are by their patches of features, which show strokes.

Statistics of channels do not change when positions are shuffled; what patches hold does.
The distance is the sliced Wasserstein distance (Rabin, Peyré, Delon and Bernot 2011)
between the two clouds of patches: the mean over directions θ of W₂²(θ·result, θ·style),
here divided by the variance of θ·style, which makes every direction count alike. Equal
clouds have 0, a flat result about 1. In one dimension W₂² is the mean square difference of
quantiles.
"""
import functools
from typing import NamedTuple

import numpy as np
import torch

#: Side of a patch, in positions of features.
SIDE = 3
#: Directions that a layer's patches are projected on, and quantiles of each projection.
DIRECTIONS, QUANTILES = 64, 1024
SEED = 20190616


class Projections(NamedTuple):
    """Directions in the space of patches, each the product of two unit vectors.

    Random directions of all the patch's numbers mix so many of them that every projection
    looks like a Gaussian; these keep how a stroke goes over its patch.

    Attributes:
        across: [directions, channels, 1, 1], which channels are mixed.
        along: [directions, 1, SIDE, SIDE], how the patch's positions are.
    """
    across: torch.Tensor
    along: torch.Tensor


@functools.lru_cache(maxsize=None)
def projections(channels: int) -> Projections:
    """The directions for feature maps of so many channels, always the same."""
    rng = np.random.default_rng((SEED, channels))

    def unit_vectors(*shape):
        values = rng.standard_normal((DIRECTIONS, *shape))
        values /= np.sqrt((values ** 2).sum(axis=(1, 2, 3), keepdims=True))
        return torch.from_numpy(values.astype(np.float32))

    return Projections(unit_vectors(channels, 1, 1), unit_vectors(1, SIDE, SIDE))


def patch_quantiles(features: torch.Tensor) -> torch.Tensor:
    """Quantiles of the projected patches of a map [channels, rows, columns].

    Returns:
        [directions, QUANTILES], rising along the last axis, whatever the map's size.
    """
    across, along = projections(len(features))
    mixed = torch.nn.functional.conv2d(features[None], across)
    projected = torch.nn.functional.conv2d(mixed, along, groups=DIRECTIONS)
    ordered = projected.reshape(DIRECTIONS, -1).sort(dim=1).values
    # The quantile (i + 1/2) / QUANTILES lies between two of the values in order.
    count = ordered.shape[1]
    place = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES * count - 0.5
    place = place.clamp(0, count - 1)
    lower = place.floor().long()
    fraction = (place - lower).float()
    low, high = ordered[:, lower], ordered[:, (lower + 1).clamp(max=count - 1)]
    return low + (high - low) * fraction


def patch_distance(result: torch.Tensor, style: torch.Tensor) -> float:
    """Mean over directions of W₂² over the style's variance, of two :func:`patch_quantiles`.

    A direction in which the style is flat (a channel that is silent) is left out.
    """
    variance = style.var(dim=1, correction=0)
    seen = variance > 1e-12
    return float(((result - style).square().mean(dim=1)[seen] / variance[seen]).mean())
