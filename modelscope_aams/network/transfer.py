"""Attention-aware multi-stroke style transfer, stage by stage, on TensorFlow."""
import dataclasses
import functools
import math
import threading
from typing import Callable, Dict, NamedTuple, Optional, Tuple

import numpy as np
import tensorflow as tf

from .adain import EPSILON, RowMoments, channel_moments, normalise, overall_moments, row_moments
from .attention import attend
from .attention_map import attention_map
from .autoencoder import NORMALISE_EPSILON, AttentionAutoencoder
from .bands import band_rows, in_halves, joined, map_bands
from .configuration import FEATURE_LAYERS, NORMALISED, POOL, VGG19_LAYERS
from .decoder import STAGES
from .encoder import subtract_mean
from .fusion import cluster_centres, fuse, stroke_weights
from .preprocess import prepare_style
from .style_swap import StylePatches, style_patches, swap
from .whitening import Colouring, colour, square_roots, whiten

#: Attention weights that are held at a time, in float32 values (64 MiB).
ATTENTION_VALUES = 1 << 24
#: Convolutions between maps of so many channels are the ones that run faster in halves.
HALVED_CHANNELS = 256


@dataclasses.dataclass(frozen=True)
class TransferOptions:
    """How a picture is stylized.

    Attributes:
        inter_weight: style weight, 0 (the content's structure alone) to 1.
        scales: sizes of the style for the swapped strokes, coarse matching first, each
            above 0 and at most 1; the content itself is the last, finest stroke.
        theta: sharpness of the choice between strokes, at least 0.
        attention_length: longest side, in pixels, up to which every position attends to
            every other; those of larger contents attend to averages of 2x2 (up to twice
            the length), 3x3 and so on. None is always exact.
    """
    inter_weight: float = 1.0
    scales: Tuple[float, ...] = (0.5, math.sqrt(0.5), 1.0)
    theta: float = 50.0
    attention_length: Optional[int] = 1600

    def __post_init__(self):
        object.__setattr__(self, 'scales', tuple(float(scale) for scale in self.scales))
        if not 0 <= self.inter_weight <= 1:
            raise ValueError(f'inter_weight is {self.inter_weight}; expected 0 to 1')
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise ValueError(f'scales are {self.scales}; expected one or more numbers '
                             'above 0 and at most 1')
        if not 0 <= self.theta < math.inf:
            raise ValueError(f'theta is {self.theta}; expected a number of at least 0')
        if self.attention_length is not None and not self.attention_length >= 1:
            raise ValueError(f'attention_length is {self.attention_length}; expected a whole '
                             'number of pixels of at least 1, or None')


class StyleFeatures(NamedTuple):
    """Everything that depends on the style alone.

    Attributes:
        colouring: gives whitened conv4_1 features the style's correlations.
        moments: (mean, variance), each [1, 1, 1, c], at conv1_1, conv2_1 and conv3_1.
        patches: what is matched, one entry a stroke scale.
    """
    colouring: Colouring
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


class FusedStrokes(NamedTuple):
    """Coloured features [rows, columns, 512], ready to be decoded, and how they came about."""
    features: tf.Tensor
    attention_map: tf.Tensor
    stroke_weights: tf.Tensor
    centroids: tf.Tensor


class StyleTransfer:
    """Stylizes pictures with a network's weights; safe to call from several threads.

    Args:
        network: an AttentionAutoencoder; its configuration says how attention is taken.
        banded: work in bands, so that memory stays bounded; without, a traced graph has
            no loops over bands.
        square_roots: of a covariance, as whitening.square_roots takes them.
    """

    def __init__(self, network: AttentionAutoencoder, banded: bool = True,
                 square_roots: Callable = square_roots):
        self.network = network
        self.banded = banded
        self.square_roots = square_roots
        self._lock = threading.Lock()
        self._compiled = {}

    def prepare_style(self, style_rgb, scales=TransferOptions.scales) -> StyleFeatures:
        """Features of a style: RGB 0..255, [rows, columns, 3], any size."""
        function = self._function(('style', len(scales)), self.style_features,
                                  _PICTURE, _vector(len(scales)))
        return function(tf.cast(style_rgb, tf.float32), tf.constant(scales, tf.float32))

    def stylize(self, content_rgb, style: StyleFeatures,
                options: TransferOptions = TransferOptions()) -> Stylized:
        """Stylizes a content: RGB 0..255, [rows, columns, 3], each side at least 24."""
        content_rgb = tf.cast(content_rgb, tf.float32)
        reduction = attention_reduction(content_rgb.shape[:2], options.attention_length)
        strokes = len(style.patches)
        fuse_strokes = self._function(
            ('fuse', strokes, reduction),
            lambda deep, *arguments: self.fuse_strokes(self.attend(deep, reduction), *arguments),
            _FEATURES, _style_signature(strokes), _SCALAR, _SCALAR)
        fused = fuse_strokes(self.encode(content_rgb), style,
                             tf.constant(options.inter_weight, tf.float32),
                             tf.constant(options.theta, tf.float32))
        picture = self.decode(fused.features, style.moments)
        return Stylized(*(value.numpy() for value in (picture, *fused[1:])))

    @property
    def traces(self) -> int:
        """How many graphs were traced so far.

        Another size of picture adds none, unless its attention is reduced further than
        that of any before.
        """
        with self._lock:
            return sum(function.experimental_get_tracing_count()
                       for function in self._compiled.values())

    def _function(self, key, python_function, *signature):
        """``python_function``, traced once for pictures of all sizes.

        Where a graph is being traced already, it becomes part of that.
        """
        if not tf.executing_eagerly():
            return python_function
        with self._lock:
            if key not in self._compiled:
                # Rewriting the source for control flow takes seconds, and there is none in it.
                self._compiled[key] = tf.function(
                    python_function, input_signature=signature, autograph=False)
            return self._compiled[key]

    def _band_rows(self, bands, values_per_pixel):
        columns = bands[0].shape[2]
        # In a graph for pictures of all sizes there is but one band.
        return band_rows(columns, values_per_pixel) if self.banded and columns else None

    def style_features(self, style_rgb, scales) -> StyleFeatures:
        """Encode and whiten a style (float32 tensor), and shrink it to each scale."""
        features = self.network.encoder(subtract_mean(prepare_style(style_rgb)[None]))
        whitened, colouring = self._whiten(features['conv4_1'])
        moments = {layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS[:-1]}
        patches = tuple(style_patches(whitened, scales[i]) for i in range(scales.shape[0]))
        return StyleFeatures(colouring, moments, patches)

    def encode(self, content_rgb):
        """conv4_1 features [1, rows, columns, 512] of a content (float32 tensor)."""
        bands, channels = [content_rgb[None]], 3
        for index, layers in enumerate(self.network.encoder.blocks):
            function = self._function(
                ('encode', index), functools.partial(self._encoder_block, index), _maps(channels))
            channels = self.network.encoder.convolutions[layers[-1]].filters
            bands = map_bands(function, bands, self._band_rows(bands, channels), len(layers),
                              0.5 if self._is_pooled(index) else 1)
        return joined(bands)

    def _encoder_block(self, index, x):
        block = functools.partial(self.network.encoder.block, index)
        if index == 0:
            return block(subtract_mean(x))
        layers = self.network.encoder.blocks[index]
        if self.network.encoder.convolutions[layers[-1]].filters == HALVED_CHANNELS:
            return in_halves(block, x, len(layers), self._is_pooled(index))
        return block(x)

    def _is_pooled(self, index):
        return index < len(self.network.encoder.blocks) - 1

    def attend(self, deep, reduction=1) -> AttendedContent:
        """Whiten a content's conv4_1 features [1, rows, columns, 512], and attend to them.

        Args:
            reduction: see SelfAttention.project.
        """
        whitened, _ = self._whiten(deep)
        configuration = self.network.configuration
        attention_input = (normalise(deep, NORMALISE_EPSILON)
                           if configuration.attention_features == NORMALISED
                           else whitened[None])
        projected = self.network.attention.project(attention_input, reduction)
        attended = (_attend_in_bands if self.banded else attend)(*projected)
        attention = tf.reshape(attended, tf.shape(whitened))
        return AttendedContent(whitened * attention + whitened,
                               attention_map(attention, configuration.attention_peak))

    def _whiten(self, deep):
        """Features [1, rows, columns, c], whitened and without the batch, and their colouring."""
        flat = tf.reshape(deep, [-1, deep.shape[-1]])
        whitened, colouring = whiten(flat, self.square_roots)
        return tf.reshape(whitened, tf.shape(deep)[1:]), colouring

    def attended_content(self, content_rgb) -> AttendedContent:
        """Encode and whiten a content (float32 tensor), and attend to it."""
        return self.attend(self.encode(content_rgb))

    def fuse_strokes(self, content: AttendedContent, style: StyleFeatures, inter_weight, theta,
                     centroids: Optional[tf.Tensor] = None) -> FusedStrokes:
        """Swap, fuse and colour; ``centroids`` [strokes] replace the k-means."""
        strokes = []
        for patches in style.patches:
            # One after another: the similarities of each take memory.
            with tf.control_dependencies(strokes):
                strokes.append(swap(content.features, patches, self.banded))
        strokes.append(content.features)
        if centroids is None:
            centroids = cluster_centres(tf.reshape(content.attention_map, [-1]), len(strokes))
        weights = stroke_weights(content.attention_map, centroids, theta)
        fused = inter_weight * fuse(strokes, weights) + (1 - inter_weight) * content.features
        return FusedStrokes(colour(fused, style.colouring), content.attention_map, weights,
                            centroids)

    def decode(self, features, moments):
        """Decode coloured features [rows, columns, 512] to RGB [8 rows, 8 columns, 3].

        Args:
            moments: the style's, see StyleFeatures.
        """
        bands, statistics = [features[None]], ()
        for index, stage in enumerate(STAGES):
            channels = bands[0].shape[-1]
            function = self._function(
                ('decode', index), functools.partial(self._decoder_stage, index),
                _maps(channels), *[_statistic(channels)] * len(statistics))
            bands = map_bands(lambda x: function(x, *statistics), bands,
                              self._band_rows(bands, stage.values_per_pixel),
                              stage.halo, stage.scale)
            statistics = ((*self._moments(bands), *moments[stage.matched_to])
                          if stage.matched_to else ())
        return joined(bands)[0]

    def _decoder_stage(self, index, x, *statistics):
        """A stage, after the AdaIN of the one before if its ``statistics`` are given."""
        if statistics:
            x = _matched(x, *statistics)
        stage = functools.partial(self.network.decoder.stage, index)
        if x.shape[-1] == HALVED_CHANNELS and not STAGES[index].enlarged:
            return in_halves(stage, x, STAGES[index].halo, halved=False)
        return stage(x)

    def _moments(self, bands):
        """Mean and variance of a map that is given in bands."""
        function = self._function(('moments', bands[0].shape[-1]), row_moments,
                                  _maps(bands[0].shape[-1]))
        rows = [function(band) for band in bands]
        return overall_moments(rows[0] if len(rows) == 1 else RowMoments(
            *(tf.concat(parts, axis=1) for parts in zip(*rows))))

    def transfer(self, content: AttendedContent, style: StyleFeatures, inter_weight, theta,
                 centroids: Optional[tf.Tensor] = None) -> Stylized:
        """Swap, fuse, colour and decode; ``centroids`` [strokes] replace the k-means."""
        fused = self.fuse_strokes(content, style, inter_weight, theta, centroids)
        return Stylized(self.decode(fused.features, style.moments), *fused[1:])


def attention_reduction(size, longest: Optional[int]) -> int:
    """How far keys and values are reduced along each side of a content of ``size`` pixels."""
    return 1 if longest is None else max(1, math.ceil(max(size) / longest))


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


def _matched(x, mean, variance, wanted_mean, wanted_variance):
    """adain.adain with known moments, in one pass over memory; it has no whole gradient."""
    return tf.raw_ops.FusedBatchNormV3(
        x=x, scale=tf.reshape(tf.sqrt(wanted_variance), [-1]),
        offset=tf.reshape(wanted_mean, [-1]), mean=tf.reshape(mean, [-1]),
        variance=tf.reshape(variance, [-1]), epsilon=EPSILON, is_training=False).y


_SCALAR = tf.TensorSpec([], tf.float32)
_PICTURE = tf.TensorSpec([None, None, 3], tf.float32)


def _vector(size):
    return tf.TensorSpec([size], tf.float32)


def _maps(channels):
    return tf.TensorSpec([1, None, None, channels], tf.float32)


def _statistic(channels):
    return tf.TensorSpec([1, 1, 1, channels], tf.float32)


_WIDTHS = dict(layer for layer in VGG19_LAYERS if layer != POOL)
_FEATURES = _maps(_WIDTHS[FEATURE_LAYERS[-1]])


def _style_signature(strokes):
    """The StyleFeatures of ``strokes`` scales as tensor specifications."""
    def spec(*shape):
        return tf.TensorSpec(shape, tf.float32)

    *matched, deepest = FEATURE_LAYERS
    deep = _WIDTHS[deepest]
    return StyleFeatures(
        Colouring(spec(deep, deep), spec(deep)),
        {layer: (_statistic(_WIDTHS[layer]),) * 2 for layer in matched},
        tuple(StylePatches(spec(None, None, deep), spec(None, None)) for _ in range(strokes)))
