"""Attention-aware multi-stroke style transfer, stage by stage, on TensorFlow."""
import dataclasses
import math
import threading
from typing import Callable, Dict, NamedTuple, Optional, Tuple

import numpy as np
import tensorflow as tf

from .adain import channel_moments, normalise
from .attention_map import attention_map
from .autoencoder import NORMALISE_EPSILON, AttentionAutoencoder
from .configuration import FEATURE_LAYERS, NORMALISED, POOL, VGG19_LAYERS
from .encoder import subtract_mean
from .fusion import cluster_centres, fuse, stroke_weights
from .preprocess import prepare_style
from .style_swap import StylePatches, style_patches, swap
from .whitening import Whitened, colour, whiten

#: Content positions whose attention is taken at a time.
ATTENTION_BAND = 1024


@dataclasses.dataclass(frozen=True)
class TransferOptions:
    """How a picture is stylized.

    Attributes:
        inter_weight: style weight, 0 (the content's structure alone) to 1.
        scales: sizes of the style for the swapped strokes, coarse matching first, each
            above 0 and at most 1; the content itself is the last, finest stroke.
        theta: sharpness of the choice between strokes, at least 0.
    """
    inter_weight: float = 1.0
    scales: Tuple[float, ...] = (0.5, math.sqrt(0.5), 1.0)
    theta: float = 50.0

    def __post_init__(self):
        object.__setattr__(self, 'scales', tuple(float(scale) for scale in self.scales))
        if not 0 <= self.inter_weight <= 1:
            raise ValueError(f'inter_weight is {self.inter_weight}; expected 0 to 1')
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise ValueError(f'scales are {self.scales}; expected one or more numbers '
                             'above 0 and at most 1')
        if not 0 <= self.theta < math.inf:
            raise ValueError(f'theta is {self.theta}; expected a number of at least 0')


class StyleFeatures(NamedTuple):
    """Everything that depends on the style alone.

    Attributes:
        whitened: the style's conv4_1 features, whitened, as [n, 512], with their colouring.
        moments: (mean, variance), each [1, 1, 1, c], at conv1_1, conv2_1 and conv3_1.
        patches: what is matched, one entry a stroke scale.
    """
    whitened: Whitened
    moments: Dict[str, Tuple[tf.Tensor, tf.Tensor]]
    patches: Tuple[StylePatches, ...]


class AttendedContent(NamedTuple):
    """The content's side: attended features [rows, columns, 512], map [rows, columns]."""
    features: tf.Tensor
    attention_map: tf.Tensor


class Stylized(NamedTuple):
    """A stylized picture and how it came about.

    Attributes:
        picture: float32 RGB [8 rows, 8 columns, 3], nominally 0..255, not clipped.
        attention_map: float32 [rows, columns], 0..1.
        stroke_weights: float32 [rows, columns, strokes], sum 1, coarse to fine.
        centroids: float32 [strokes], the attention that belongs to each stroke.
    """
    picture: np.ndarray
    attention_map: np.ndarray
    stroke_weights: np.ndarray
    centroids: np.ndarray


_ANY_PICTURE = tf.TensorSpec([None, None, 3], tf.float32)
_SCALAR = tf.TensorSpec([], tf.float32)


class StyleTransfer:
    """Stylizes pictures with a network's weights; safe to call from several threads.

    Args:
        network: an AttentionAutoencoder; its configuration says how attention is taken.
        banded: take attention, matching and convolutions in bands, so that memory stays
            bounded; without, the graph has no loops over bands.
        whiten: what whitens features, as whitening.whiten does.
    """

    def __init__(self, network: AttentionAutoencoder, banded: bool = True,
                 whiten: Callable[[tf.Tensor], Whitened] = whiten):
        self.network = network
        self.banded = banded
        self.whiten = whiten
        self._lock = threading.Lock()
        self._compiled = {}

    def prepare_style(self, style_rgb, scales=TransferOptions.scales) -> StyleFeatures:
        """Features of a style: RGB 0..255, [rows, columns, 3], any size."""
        scales = tf.constant(scales, tf.float32)
        function = self._function('style', len(scales), self.style_features, lambda strokes: [
            _ANY_PICTURE, tf.TensorSpec([strokes], tf.float32)])
        return function(tf.cast(style_rgb, tf.float32), scales)

    def stylize(self, content_rgb, style: StyleFeatures,
                options: TransferOptions = TransferOptions()) -> Stylized:
        """Stylizes a content: RGB 0..255, [rows, columns, 3], each side at least 24."""
        function = self._function(
            'stylize', len(style.patches), self._stylize,
            lambda strokes: [_ANY_PICTURE, _style_signature(strokes), _SCALAR, _SCALAR])
        result = function(tf.cast(content_rgb, tf.float32), style,
                          tf.constant(options.inter_weight, tf.float32),
                          tf.constant(options.theta, tf.float32))
        return Stylized(*(value.numpy() for value in result))

    def _function(self, name, strokes, python_function, signature):
        """One traced function for each number of strokes, for pictures of all sizes."""
        with self._lock:
            if (name, strokes) not in self._compiled:
                self._compiled[name, strokes] = tf.function(
                    python_function, input_signature=signature(strokes))
            return self._compiled[name, strokes]

    def style_features(self, style_rgb, scales) -> StyleFeatures:
        """Encode and whiten a style (float32 tensor), and shrink it to each scale."""
        features = self.network.encoder(subtract_mean(prepare_style(style_rgb)[None]))
        deep = features['conv4_1'][0]
        whitened = self.whiten(tf.reshape(deep, [-1, deep.shape[-1]]))
        plane = tf.reshape(whitened.features, tf.shape(deep))
        moments = {layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS[:-1]}
        patches = tuple(style_patches(plane, scales[i]) for i in range(scales.shape[0]))
        return StyleFeatures(whitened, moments, patches)

    def attended_content(self, content_rgb) -> AttendedContent:
        """Encode and whiten a content (float32 tensor), and attend to it."""
        deep = self.network.encoder(subtract_mean(content_rgb[None]))['conv4_1']
        shape = tf.shape(deep)[1:]
        whitened = tf.reshape(self.whiten(tf.reshape(deep, [-1, deep.shape[-1]])).features, shape)
        configuration = self.network.configuration
        attention_input = (normalise(deep, NORMALISE_EPSILON)
                           if configuration.attention_features == NORMALISED
                           else whitened[None])
        attention = self.network.attention(attention_input, band=ATTENTION_BAND if self.banded else None)[0]
        return AttendedContent(whitened * attention + whitened,
                               attention_map(attention, configuration.attention_peak))

    def decode(self, features, style: StyleFeatures):
        """Colour fused features [rows, columns, 512] and decode them to a picture."""
        return self.network.decoder(colour(features, style.whitened)[None], style.moments)[0]

    def _stylize(self, content_rgb, style, inter_weight, theta):
        return self.transfer(self.attended_content(content_rgb), style, inter_weight, theta)

    def transfer(self, content: AttendedContent, style: StyleFeatures, inter_weight, theta,
                 centroids: Optional[tf.Tensor] = None) -> Stylized:
        """Swap, fuse, colour and decode; ``centroids`` [strokes] replace the k-means."""
        strokes = [swap(content.features, patches, self.banded) for patches in style.patches]
        strokes.append(content.features)
        if centroids is None:
            centroids = cluster_centres(tf.reshape(content.attention_map, [-1]), len(strokes))
        weights = stroke_weights(content.attention_map, centroids, theta)
        fused = inter_weight * fuse(strokes, weights) + (1 - inter_weight) * content.features
        return Stylized(self.decode(fused, style), content.attention_map, weights, centroids)


def _style_signature(strokes):
    """The StyleFeatures of ``strokes`` scales as tensor specifications."""
    def spec(*shape):
        return tf.TensorSpec(shape, tf.float32)

    widths = dict(layer for layer in VGG19_LAYERS if layer != POOL)
    *matched, deepest = FEATURE_LAYERS
    deep = widths[deepest]
    return StyleFeatures(
        Whitened(spec(None, deep), spec(deep, deep), spec(deep)),
        {layer: (spec(1, 1, 1, widths[layer]), spec(1, 1, 1, widths[layer]))
         for layer in matched},
        tuple(StylePatches(spec(None, None, deep), spec(None, None)) for _ in range(strokes)))
