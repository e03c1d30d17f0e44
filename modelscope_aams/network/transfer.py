"""Style transfer from pictures to picture, with any of the methods, on TensorFlow."""
import functools
import math
from typing import Callable, Iterator, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np
import tensorflow as tf

from .adain import channel_moments
from .autoencoder import AttentionAutoencoder
from .coding import Coding
from .compiled import CompiledFunctions, maps, statistic
from .configuration import FEATURE_LAYERS, POOL, VGG19_LAYERS
from .encoder import subtract_mean
from .feature_transforms import TRANSFORMS, ContentFeatures, StyleFeatures
from .options import AAMS, METHODS, TransferOptions
from .preprocess import prepare_style
from .progress import TRANSFER, Progress, silent
from .regions import among_styles, mixed_moments, pyramid, whole
from .style_swap import PATCH, StylePatches, style_patches
from .style_weight import weaken, weaken_moments
from .whitening import Colouring, square_roots, whiten


#: Share of a pixel that the styles may leave over without the content filling it.
SMALLEST_SHARE = 1e-3


class Stylized(NamedTuple):
    """A stylized picture and how it came about.

    Attributes:
        picture: float32 RGB [8 rows, 8 columns, 3], nominally 0..255, not clipped.
        attention_map: float32 [rows, columns], 0..1; None for methods without attention.
        stroke_weights: float32 [rows, columns, strokes], sum 1, coarse to fine, those of
            the first style; None for methods with one stroke.
        centroids: float32 [strokes], the attention that belongs to each stroke; None with
            ``stroke_weights``.
    """
    picture: np.ndarray
    attention_map: Optional[np.ndarray] = None
    stroke_weights: Optional[np.ndarray] = None
    centroids: Optional[np.ndarray] = None


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
        self.network, self.square_roots = network, square_roots
        self._function = CompiledFunctions()
        self.coding = Coding(network, self._function, banded)
        self.transforms = {method: TRANSFORMS[method](network, banded, square_roots)
                           for method in METHODS}

    @property
    def traces(self) -> int:
        """How many graphs were traced so far.

        Another size of picture adds none, unless its attention is reduced further than
        that of any before.
        """
        return self._function.traces

    def prepare_style(self, style_rgb, scales=TransferOptions.scales,
                      patch_size=PATCH) -> StyleFeatures:
        """Features of a style: RGB 0..255, [rows, columns, 3], any size.

        Args:
            scales: TransferOptions.style_scales of the calls that the features are for.
            patch_size: that of the calls.
        """
        function = self._function(
            ('style', len(scales), patch_size),
            functools.partial(self.style_features, patch_size=patch_size),
            _PICTURE, tf.TensorSpec([len(scales)], tf.float32))
        return function(tf.cast(style_rgb, tf.float32), tf.constant(scales, tf.float32))

    def stylize(self, content_rgb, styles: Union[StyleFeatures, Sequence[StyleFeatures]],
                options: TransferOptions = TransferOptions(),
                weights: Optional[Sequence[float]] = None,
                regions: Optional[np.ndarray] = None,
                attention_map: Optional[np.ndarray] = None,
                progress: Progress = silent) -> Stylized:
        """Stylizes a content: RGB 0..255, [rows, columns, 3], each side at least 32.

        Args:
            styles: one, or several that are mixed.
            weights: of each style, sum 1; all alike without them.
            regions: each style's share of each pixel, float32 [styles, rows, columns] of
                the content's size, 0..1. Where they add up to less than 1, the content
                itself has the rest. They take the place of ``weights``.
            attention_map: float32 [rows, columns] of any size, 0..1, that is stretched over
                the content in place of its own (method 'aams').
            progress: is told how far it is, once all before is done.
        """
        result, = self.stylize_at((options.style_weight,), content_rgb, styles, options,
                                  weights, regions, attention_map, progress)
        return result

    def stylize_at(self, style_weights: Sequence[float], content_rgb, styles,
                   options: TransferOptions = TransferOptions(), weights=None, regions=None,
                   attention_map=None, progress: Progress = silent) -> Iterator[Stylized]:
        """``stylize`` with each of several style weights, in place of that of ``options``.

        What does not depend on the style weight is done but once.
        """
        styles = [styles] if isinstance(styles, StyleFeatures) else list(styles)
        for style in styles:
            _expect_fitting(style, options)
        content_rgb = tf.cast(content_rgb if regions is None else whole(content_rgb), tf.float32)
        deep = self.coding.encode(content_rgb, progress)
        progress(TRANSFER, 0)
        shares = None
        if regions is not None:
            shares = np.stack([whole(region) for region in regions])
        contents, transferred = self._transfer_features(
            content_rgb, deep, styles, options, shares, attention_map)
        decode = (functools.partial(self._decode_evenly, weights=weights) if shares is None
                  else functools.partial(self._decode_regions, shares=shares))
        decode = functools.partial(decode, progress=progress)
        for picture in decode(content_rgb, deep, [each.features for each in transferred],
                              styles, style_weights):
            yield Stylized(*(None if value is None else value.numpy() for value in (
                picture, contents[0].attention_map, *transferred[0][1:])))

    def _transfer_features(self, content_rgb, deep, styles, options, shares, attention_map):
        """ContentFeatures and Transferred for each style."""
        transform = self.transforms[options.method]
        reduction = 1
        if options.method == AAMS:
            reduction = attention_reduction(content_rgb.shape[:2], options.attention_length)
        has_region = shares is not None
        prepare = self._function(
            ('prepare', options.method, reduction, has_region),
            functools.partial(transform.prepare, reduction=reduction),
            _FEATURES, *[_PLANE] * has_region)
        if has_region:
            contents = [prepare(deep, pyramid(share)[-1][0, :, :, 0]) for share in shares]
        else:
            contents = [prepare(deep)] * len(styles)
        if attention_map is not None:
            rows, columns = deep.shape[1:3]
            plane = tf.constant(cv2.resize(
                np.asarray(attention_map, np.float32), (columns, rows),
                interpolation=cv2.INTER_AREA))
            contents = [content._replace(attention_map=plane) for content in contents]
        strokes, patch_size = len(styles[0].patches), options.patch_size
        apply = self._function(
            ('apply', options.method, strokes, patch_size),
            functools.partial(_apply, transform, patch_size),
            (_DEEP, _PLANE) if options.method == AAMS else (_DEEP,),
            _style_signature(strokes), _SCALAR, _SCALAR)
        strength = (tf.constant(options.inter_weight, tf.float32),
                    tf.constant(options.theta, tf.float32))
        return contents, [
            apply(tuple(part for part in content if part is not None), style, *strength)
            for content, style in zip(contents, styles)]

    def _decode_evenly(self, content_rgb, deep, features, styles, style_weights, weights,
                       progress):
        """The picture at each style weight, with the same mixture of styles everywhere."""
        weights = [1 / len(styles)] * len(styles) if weights is None else list(weights)
        moments, own = [style.moments for style in styles], None
        for style_weight in style_weights:
            parts, targets = features, moments
            if style_weight < 1:
                own = own or self.coding.moments(content_rgb)
                parts = [self._weaken(part, deep, style_weight) for part in features]
                targets = [weaken_moments(target, own, style_weight) for target in moments]
            if len(parts) > 1:
                parts = [tf.add_n([weight * part for weight, part in zip(weights, parts)])]
                targets = [mixed_moments(targets, weights)]
            yield self.coding.decode(parts[0], targets, progress=progress)

    def _decode_regions(self, content_rgb, deep, features, styles, style_weights, shares,
                        progress):
        """The picture at each style weight, with a mixture that differs from place to place."""
        pyramids, own = [pyramid(share) for share in shares], None
        contents, rest = [], 1 - shares.sum(axis=0)
        if rest.max() > SMALLEST_SHARE:
            contents.append(pyramid(rest))
        left = [self.coding.moments(content_rgb, levels) for levels in contents]
        deepest = [levels[-1] for levels in pyramids]
        covered, among = tf.add_n(deepest), among_styles(deepest)
        for style_weight in style_weights:
            parts, targets = features, [style.moments for style in styles]
            if style_weight < 1:
                own = own or [self.coding.moments(content_rgb, levels) for levels in pyramids]
                targets = [weaken_moments(target, region, style_weight)
                           for target, region in zip(targets, own)]
            if style_weight < 1 or contents:
                parts = [self._weaken(part, deep, style_weight * covered, region)
                         for part, region in zip(features, deepest)]
            mixed = tf.add_n([share[0] * part for share, part in zip(among, parts)])
            yield self.coding.decode(mixed, [*targets, *left], [*pyramids, *contents], progress)

    def _weaken(self, features, deep, style_weight, *region):
        signature = [maps(1), maps(1)] if region else [_SCALAR]
        function = self._function(('weaken', len(region)), weaken, _FEATURES, _FEATURES,
                                  *signature)
        return function(features[None], deep, tf.cast(style_weight, tf.float32), *region)[0]

    def attention(self, rgb) -> np.ndarray:
        """The attention map, [rows / 8, columns / 8] in 0..1, of a picture as in stylize."""
        prepare = self._function(('prepare', AAMS, 1, False),
                                 functools.partial(self.transforms[AAMS].prepare, reduction=1),
                                 _FEATURES)
        return prepare(self.coding.encode(tf.cast(rgb, tf.float32))).attention_map.numpy()

    def style_features(self, style_rgb, scales, patch_size=PATCH) -> StyleFeatures:
        """Encode and whiten a style (float32 tensor), and shrink it to each scale."""
        features = self.network.encoder(subtract_mean(prepare_style(style_rgb)[None]))
        deep = features[FEATURE_LAYERS[-1]][0]
        whitened, colouring = whiten(tf.reshape(deep, [-1, deep.shape[-1]]), self.square_roots)
        whitened = tf.reshape(whitened, tf.shape(deep))
        return StyleFeatures(
            colouring, {layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS},
            tuple(style_patches(whitened, scales[i], patch_size)
                  for i in range(scales.shape[0])))

    def transfer(self, content: ContentFeatures, style: StyleFeatures, inter_weight, theta,
                 centroids: Optional[tf.Tensor] = None) -> Stylized:
        """AAMS of prepared content features, as tensors; ``centroids`` replace the k-means."""
        transferred = self.transforms[AAMS].apply(content, style, inter_weight, theta,
                                                  centroids=centroids)
        picture = self.coding.decode(transferred.features, [style.moments])
        return Stylized(picture, content.attention_map, *transferred[1:])

    def attended_content(self, content_rgb) -> ContentFeatures:
        """Encode and whiten a content (float32 tensor), and attend to it, as for AAMS."""
        return self.transforms[AAMS].prepare(self.coding.encode(content_rgb))


def _expect_fitting(style, options):
    """A ValueError if a style was prepared for other options."""
    sides = [patches.padded.shape[0] - patches.inverse_norms.shape[0] + 1
             for patches in style.patches]
    expected = [options.patch_size] * len(options.style_scales)
    if expected and sides != expected:
        raise ValueError(f'the style was prepared with patches of {sides} positions; these '
                         f'options need {expected}: prepare_style(style, style_scales, '
                         'patch_size)')


def _apply(transform, patch_size, content, *arguments):
    """FeatureTransform.apply, with a plain tuple for the content."""
    return transform.apply(ContentFeatures(*content), *arguments, patch=patch_size)


def attention_reduction(size, longest: Optional[int]) -> int:
    """How far keys and values are reduced along each side of a content of ``size`` pixels."""
    return 1 if longest is None else max(1, math.ceil(max(size) / longest))


_WIDTHS = dict(layer for layer in VGG19_LAYERS if layer != POOL)
_SCALAR = tf.TensorSpec([], tf.float32)
_PICTURE = tf.TensorSpec([None, None, 3], tf.float32)
_PLANE = tf.TensorSpec([None, None], tf.float32)
_DEEP = tf.TensorSpec([None, None, _WIDTHS[FEATURE_LAYERS[-1]]], tf.float32)
_FEATURES = maps(_WIDTHS[FEATURE_LAYERS[-1]])


def _style_signature(strokes):
    """The StyleFeatures of ``strokes`` scales as tensor specifications."""
    deep = _WIDTHS[FEATURE_LAYERS[-1]]
    return StyleFeatures(
        Colouring(tf.TensorSpec([deep, deep], tf.float32), tf.TensorSpec([deep], tf.float32)),
        {layer: (statistic(_WIDTHS[layer]),) * 2 for layer in FEATURE_LAYERS},
        (StylePatches(_DEEP, _PLANE),) * strokes)
