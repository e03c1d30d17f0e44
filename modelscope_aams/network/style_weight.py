"""Less than full style: transferred features on their way back to the content's.

For AdaIN this is its published trade-off (Huang and Belongie 2017, equation 14). The other
methods move features to other places as well; averaging those with the content's would
lower the deviation of both. So statistics and structure are mixed apart from each other.
"""
from typing import Dict, Tuple

from keras import ops

from .adain import EPSILON, channel_moments

#: Strokes fade with this power of the style weight, so before colours do.
STRUCTURE_POWER = 2.0


def weaken(transferred, content, style_weight, weights=None):
    """Features between a content's and those that a style gave it.

    Mean and deviation of each channel are mixed by the style weight s, the features without
    them by s², and what comes of it is given the mixed ones.

    Args:
        transferred, content: conv4_1 features [batch, rows, columns, c], float32.
        style_weight: 0..1, a number, [batch, 1, 1, 1], or [batch, rows, columns, 1], which
            differs from place to place. Where it is 0 the content is as it was.
        weights: what each position counts in the statistics of ``transferred``, see
            adain.row_moments. Those of the content are of all of it: a channel may be
            without any deviation in a part, but not beside it.
    """
    structure = style_weight ** STRUCTURE_POWER
    style, own = channel_moments(transferred, weights), channel_moments(content)
    moved, left = _standardised(transferred, style), _standardised(content, own)
    covariance, _ = channel_moments(moved * left, weights)
    # The variance of the mixture, had it the same style weight everywhere.
    spread = (structure ** 2 * style[1] / (style[1] + EPSILON)
              + (1 - structure) ** 2 * own[1] / (own[1] + EPSILON)
              + 2 * structure * (1 - structure) * covariance)
    mean, variance = mix_moments(style, own, style_weight)
    mixed = structure * moved + (1 - structure) * left
    return mixed * ops.sqrt(variance / (ops.maximum(spread, 0) + EPSILON)) + mean


def _standardised(features, moments):
    return (ops.cast(features, 'float32') - moments[0]) / ops.sqrt(moments[1] + EPSILON)


def mix_moments(style, content, style_weight) -> Tuple:
    """(mean, variance) between two: means and deviations are mixed."""
    mean = style_weight * style[0] + (1 - style_weight) * content[0]
    deviation = (style_weight * ops.sqrt(style[1])
                 + (1 - style_weight) * ops.sqrt(content[1]))
    return mean, ops.square(deviation)


def weaken_moments(style: Dict, content: Dict, style_weight) -> Dict:
    """mix_moments at every layer of ``content``."""
    return {layer: mix_moments(style[layer], content[layer], style_weight) for layer in content}
