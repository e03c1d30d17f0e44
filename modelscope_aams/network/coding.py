"""Encoder and decoder on pictures of any size, in bands of rows with bounded memory."""
import functools
from typing import Dict, List, Optional, Sequence, Tuple

import tensorflow as tf

from .adain import EPSILON, RowMoments, overall_moments, row_moments
from .autoencoder import AttentionAutoencoder
from .bands import band_rows, in_halves, joined, map_bands
from .compiled import CompiledFunctions, maps, statistic
from .configuration import FEATURE_LAYERS, MIRRORED
from .decoder import STAGES
from .encoder import subtract_mean
from .progress import CONTENT, PAINTING, Progress, silent
from .regions import GRANULE, match_regions

#: How far a content is mirrored beyond its border for the encoder, in pixels, and its
#: features for the decoder, in positions of GRANULE pixels.
ENCODER_MARGIN, DECODER_MARGIN = 16, 1
#: Convolutions between maps of so many channels are the ones that run faster in halves.
HALVED_CHANNELS = 256

Moments = Dict[str, Tuple[tf.Tensor, tf.Tensor]]


class Coding:
    """A network's encoder and decoder.

    Args:
        network: whose parts they are.
        function: what compiles.
        banded: work in bands; without, a traced graph has no loops over bands.
    """

    def __init__(self, network: AttentionAutoencoder, function: CompiledFunctions,
                 banded: bool = True):
        self.encoder, self.decoder = network.encoder, network.decoder
        self.function, self.banded = function, banded
        self.mirrored = network.configuration.border == MIRRORED

    def encode(self, rgb, progress: Progress = silent) -> tf.Tensor:
        """conv4_1 features [1, rows, columns, 512] of a picture (float32 [rows, columns, 3])."""
        bands = [_mirrored(rgb[None], ENCODER_MARGIN) if self.mirrored else rgb[None]]
        for index in range(len(self.encoder.blocks)):
            progress(CONTENT, index / len(self.encoder.blocks))
            bands = self._encode_block(index, bands)
        if not self.mirrored:
            return joined(bands)
        rows, columns = (rgb.shape[i] or tf.shape(rgb)[i] for i in range(2))
        first = ENCODER_MARGIN // GRANULE
        return joined(bands)[:, first:first + rows // GRANULE, first:first + columns // GRANULE]

    def moments(self, rgb, shares: Optional[Sequence[tf.Tensor]] = None) -> Moments:
        """(mean, variance) of a picture's features at each layer that the decoder matches.

        Args:
            shares: what each position counts, a level for each layer (see regions.pyramid).
        """
        bands, moments = [rgb[None]], {}
        for index, layer in enumerate(FEATURE_LAYERS[:-1]):
            channels = bands[0].shape[-1] + (shares is not None)
            function = self.function(
                ('layer moments', index, shares is not None),
                functools.partial(self._layer_rows, index, shares is not None), maps(channels))
            weighted = list(bands) if shares is None else [
                tf.concat([band, share], axis=-1)
                for band, share in zip(bands, _split_like(shares[index], bands))]
            width = self.encoder.convolutions[layer].filters
            rows = joined(map_bands(function, weighted, self._band_rows(bands, width), 1))
            moments[layer] = overall_moments(RowMoments(
                rows[..., :width], rows[..., width:2 * width],
                None if shares is None else rows[..., 2 * width:]))
            if index < len(FEATURE_LAYERS) - 2:
                bands = self._encode_block(index, bands)
        return moments

    def decode(self, features, targets: Sequence[Moments],
               shares: Optional[Sequence[Sequence[tf.Tensor]]] = None,
               progress: Progress = silent) -> tf.Tensor:
        """Decode coloured features [rows, columns, 512] to RGB [8 rows, 8 columns, 3].

        Args:
            targets: the moments that the decoder's maps are given, one for the whole
                picture or one for each region.
            shares: of each region, a level for each layer (see regions.pyramid).
        """
        bands, statistics = [features[None]], ()
        if self.mirrored:
            bands = [_mirrored(bands[0], DECODER_MARGIN)]
            shares = shares and [
                [_mirrored(plane, DECODER_MARGIN * GRANULE >> level)
                 for level, plane in enumerate(levels)] for levels in shares]
        for index, stage in enumerate(STAGES):
            progress(PAINTING, index / len(STAGES))
            channels = bands[0].shape[-1]
            function = self.function(
                ('decode', index, bool(statistics)),
                functools.partial(self._decoder_stage, index),
                maps(channels), *[statistic(channels)] * len(statistics))
            bands = map_bands(lambda x: function(x, *statistics), bands,
                              self._band_rows(bands, stage.values_per_pixel),
                              stage.halo, stage.scale)
            statistics = ()
            if stage.matched_to and shares is None:
                statistics = (*self._moments(bands), *targets[0][stage.matched_to])
            elif stage.matched_to:
                level = FEATURE_LAYERS.index(stage.matched_to)
                bands = self._match_regions(
                    bands, [target[stage.matched_to] for target in targets],
                    [share[level] for share in shares])
        picture, cut = joined(bands)[0], DECODER_MARGIN * GRANULE
        return picture[cut:-cut, cut:-cut] if self.mirrored else picture

    def _band_rows(self, bands, values_per_pixel):
        columns = bands[0].shape[2]
        # In a graph for pictures of all sizes there is but one band.
        return band_rows(columns, values_per_pixel) if self.banded and columns else None

    def _encode_block(self, index, bands) -> List[tf.Tensor]:
        layers = self.encoder.blocks[index]
        function = self.function(('encode', index), functools.partial(self._encoder_block, index),
                                 maps(bands[0].shape[-1]))
        channels = self.encoder.convolutions[layers[-1]].filters
        return map_bands(function, bands, self._band_rows(bands, channels), len(layers),
                         0.5 if self._is_pooled(index) else 1)

    def _encoder_block(self, index, x):
        block = functools.partial(self.encoder.block, index)
        if index == 0:
            return block(subtract_mean(x))
        layers = self.encoder.blocks[index]
        if self.encoder.convolutions[layers[-1]].filters == HALVED_CHANNELS:
            return in_halves(block, x, len(layers), self._is_pooled(index))
        return block(x)

    def _is_pooled(self, index):
        return index < len(self.encoder.blocks) - 1

    def _layer_rows(self, index, weighted, x):
        """Moments of the rows at a block's first layer, [1, rows, 1, 2 c (+ 1)]."""
        x, weights = (x[..., :-1], x[..., -1:]) if weighted else (x, None)
        x = subtract_mean(x) if index == 0 else x
        rows = row_moments(self.encoder.convolutions[FEATURE_LAYERS[index]](x), weights)
        return tf.concat([part for part in rows if part is not None], axis=-1)

    def _decoder_stage(self, index, x, *statistics):
        """A stage, after the AdaIN of the one before if its ``statistics`` are given."""
        if statistics:
            x = _matched(x, *statistics)
        stage = functools.partial(self.decoder.stage, index)
        if x.shape[-1] == HALVED_CHANNELS and not STAGES[index].enlarged:
            return in_halves(stage, x, STAGES[index].halo, halved=False)
        return stage(x)

    def _moments(self, bands, weights=None):
        """Mean and variance of a map that is given in bands, ``weights`` as well."""
        channels = bands[0].shape[-1]
        weights = [] if weights is None else [weights]
        function = self.function(('moments', channels, len(weights)), row_moments,
                                 maps(channels), *[maps(1)] * len(weights))
        rows = [function(*parts) for parts in zip(bands, *weights)]
        return overall_moments(rows[0] if len(rows) == 1 else RowMoments(
            *(None if parts[0] is None else tf.concat(parts, axis=1) for parts in zip(*rows))))

    def _match_regions(self, bands, targets, shares):
        channels = bands[0].shape[-1]
        split = [_split_like(share, bands) for share in shares]
        found = [self._moments(bands, weights) for weights in split]
        statistics = [tf.concat([tf.reshape(pair[i], [1, channels]) for pair in pairs], axis=0)
                      for pairs in (found, targets) for i in range(2)]
        function = self.function(
            ('match regions', channels), match_regions, maps(channels), maps(None),
            *[tf.TensorSpec([None, channels], tf.float32)] * 4)
        return [function(band, tf.concat(parts, axis=-1), *statistics)
                for band, *parts in zip(bands, *split)]


def _mirrored(plane, margin):
    """A map [1, rows, columns, c] with so much of it mirrored beyond each border."""
    return tf.pad(plane, [[0, 0], [margin, margin], [margin, margin], [0, 0]], 'REFLECT')


def _split_like(plane, bands):
    """A map [1, rows, columns, c] cut into as many rows as each of ``bands`` has."""
    return [plane] if len(bands) == 1 else tf.split(plane, [band.shape[1] for band in bands], 1)


def _matched(x, mean, variance, wanted_mean, wanted_variance):
    """adain.adain with known moments, in one pass over memory; it has no whole gradient."""
    return tf.raw_ops.FusedBatchNormV3(
        x=x, scale=tf.reshape(tf.sqrt(wanted_variance), [-1]),
        offset=tf.reshape(wanted_mean, [-1]), mean=tf.reshape(mean, [-1]),
        variance=tf.reshape(variance, [-1]), epsilon=EPSILON, is_training=False).y
