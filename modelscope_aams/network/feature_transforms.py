"""What the methods differ in: how content features at conv4_1 take a style's statistics.

Encoder, whitening and decoder are the same for all; the decoder gives each of its scales
the style's mean and deviation.
"""
from typing import Callable, Dict, NamedTuple, Optional, Tuple

import tensorflow as tf

from . import options
from .adain import EPSILON, normalise
from .attention import attend
from .attention_map import attention_map
from .autoencoder import NORMALISE_EPSILON, AttentionAutoencoder
from .configuration import FEATURE_LAYERS, NORMALISED
from .fusion import cluster_centres, fuse, stroke_weights
from .style_swap import PATCH, StylePatches, swap
from .whitening import Colouring, colour, square_roots, whiten

#: Attention weights that are held at a time, in float32 values (64 MiB).
ATTENTION_VALUES = 1 << 24


class StyleFeatures(NamedTuple):
    """Everything that depends on the style alone.

    Attributes:
        colouring: gives whitened conv4_1 features the style's correlations.
        moments: (mean, variance), each [1, 1, 1, c], at the FEATURE_LAYERS.
        patches: what is matched, one entry a stroke scale.
    """
    colouring: Colouring
    moments: Dict[str, Tuple[tf.Tensor, tf.Tensor]]
    patches: Tuple[StylePatches, ...]


class ContentFeatures(NamedTuple):
    """Content features [rows, columns, 512] that are ready for any style.

    ``attention_map`` [rows, columns] is None for methods without attention.
    """
    features: tf.Tensor
    attention_map: Optional[tf.Tensor] = None


class Transferred(NamedTuple):
    """Features [rows, columns, 512] with a style's statistics, ready to be decoded.

    ``stroke_weights`` [rows, columns, strokes] and ``centroids`` [strokes], which say what
    stroke went where, are None for methods that have but one.
    """
    features: tf.Tensor
    stroke_weights: Optional[tf.Tensor] = None
    centroids: Optional[tf.Tensor] = None


class FeatureTransform:
    """One method: ``prepare`` takes what belongs to the content alone, ``apply`` a style.

    Args:
        network: its self-attention is used, and its configuration says how.
        banded: work in bands, so that memory stays bounded.
        square_roots: of a covariance, as whitening.square_roots takes them.
    """

    def __init__(self, network: AttentionAutoencoder, banded: bool = True,
                 square_roots: Callable = square_roots):
        self.network, self.banded, self.square_roots = network, banded, square_roots

    def prepare(self, deep, region=None, reduction: int = 1) -> ContentFeatures:
        """Of conv4_1 features [1, rows, columns, 512].

        Args:
            region: what each position counts in the content's statistics, float32
                [rows, columns]; None counts all alike.
            reduction: of the attention, see SelfAttention.project.
        """
        raise NotImplementedError

    def apply(self, content: ContentFeatures, style: StyleFeatures, inter_weight, theta,
              patch: int = PATCH) -> Transferred:
        """Gives prepared features a style; see TransferOptions for the other arguments."""
        raise NotImplementedError

    def _whitened(self, deep, region):
        weights = None if region is None else tf.reshape(region, [-1])
        flat = tf.reshape(deep, [-1, deep.shape[-1]])
        whitened, _ = whiten(flat, self.square_roots, weights)
        return tf.reshape(whitened, tf.shape(deep)[1:])


class AdaIN(FeatureTransform):
    """Mean and deviation of each channel (Huang and Belongie 2017, equation 8)."""

    def prepare(self, deep, region=None, reduction=1):
        weights = None if region is None else region[None, :, :, None]
        return ContentFeatures(normalise(deep, EPSILON, weights)[0])

    def apply(self, content, style, inter_weight, theta, patch=PATCH):
        mean, variance = (moment[0] for moment in style.moments[FEATURE_LAYERS[-1]])
        return Transferred(content.features * tf.sqrt(variance) + mean)


class WCT(FeatureTransform):
    """Mean and covariance: whitening and colouring (Li et al. 2017, section 3), one level."""

    def prepare(self, deep, region=None, reduction=1):
        return ContentFeatures(self._whitened(deep, region))

    def apply(self, content, style, inter_weight, theta, patch=PATCH):
        return Transferred(colour(content.features, style.colouring))


class AvatarNet(WCT):
    """One style swap between whitening and colouring (Sheng et al. 2018, section 3.2)."""

    def apply(self, content, style, inter_weight, theta, patch=PATCH):
        patches, = style.patches
        swapped = swap(content.features, patches, self.banded, patch)
        mixed = inter_weight * swapped + (1 - inter_weight) * content.features
        return Transferred(colour(mixed, style.colouring))


class AAMS(FeatureTransform):
    """Swaps at several scales, fused by attention (Yao et al. 2019, section 3)."""

    def prepare(self, deep, region=None, reduction=1):
        whitened = self._whitened(deep, region)
        configuration = self.network.configuration
        attention_input = (normalise(deep, NORMALISE_EPSILON)
                           if configuration.attention_features == NORMALISED
                           else whitened[None])
        projected = self.network.attention.project(attention_input, reduction)
        attended = (_attend_in_bands if self.banded else attend)(*projected)
        attention = tf.reshape(attended, tf.shape(whitened))
        return ContentFeatures(whitened * attention + whitened,
                               attention_map(attention, configuration.attention_peak))

    def apply(self, content, style, inter_weight, theta, patch=PATCH, centroids=None):
        """See FeatureTransform; ``centroids`` [strokes] replace the k-means."""
        strokes = []
        for patches in style.patches:
            # One after another: the similarities of each take memory.
            with tf.control_dependencies(strokes):
                strokes.append(swap(content.features, patches, self.banded, patch))
        strokes.append(content.features)
        if centroids is None:
            centroids = cluster_centres(tf.reshape(content.attention_map, [-1]), len(strokes))
        weights = stroke_weights(content.attention_map, centroids, theta)
        mixed = inter_weight * fuse(strokes, weights) + (1 - inter_weight) * content.features
        return Transferred(colour(mixed, style.colouring), weights, centroids)


#: The transform of each of options.METHODS.
TRANSFORMS = {options.AAMS: AAMS, options.ADAIN: AdaIN, options.WCT: WCT,
              options.AVATAR_NET: AvatarNet}


def _attend_in_bands(queries, keys, values):
    """attend of [1, n, d], [1, m, d] and [1, m, c], so many queries at a time as fit."""
    # Without the batch: products of matrices run faster than those of batches of one.
    queries, keys, values = queries[0], keys[0], values[0]
    count = tf.shape(queries)[0]
    bands = count // tf.maximum(ATTENTION_VALUES // tf.shape(keys)[0], 1) + 1
    size = (count + bands - 1) // bands
    padded = tf.pad(queries, [[0, bands * size - count], [0, 0]])
    parts = tf.map_fn(
        lambda part: tf.matmul(tf.nn.softmax(tf.matmul(part, keys, transpose_b=True)), values),
        tf.reshape(padded, [bands, size, queries.shape[-1]]), parallel_iterations=1)
    return tf.reshape(parts, [1, bands * size, values.shape[-1]])[:, :count]
