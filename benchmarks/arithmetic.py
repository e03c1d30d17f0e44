"""Floating-point operations of the convolutions and matrix products that a picture needs.

Only these two are counted, a multiplication and an addition as two operations, float64 ones
like float32 ones: what a roofline drawn by a matrix product's rate can speak of. Not counted
are decompositions, softmax, sums along diagonals, gathering and moments, the convolutions of
single channels, and the rows that bands compute twice.
"""
import math
from typing import Dict

from modelscope_aams.network.coding import DECODER_MARGIN, ENCODER_MARGIN
from modelscope_aams.network.configuration import (
    ATTENTION_CHANNELS, DECODER_LAYERS, MIRRORED, POOL, VGG19_LAYERS, ZEROS,
    NetworkConfiguration)
from modelscope_aams.network.options import TransferOptions
from modelscope_aams.network.preprocess import STYLE_SIDE
from modelscope_aams.network.style_swap import PATCH
from modelscope_aams.network.whitening import GRAM_PARTS

from .published_graph import ENLARGED

DEEP_CHANNELS = VGG19_LAYERS[-1][1]
#: A feature has so many pixels along each side.
STRIDE = 8
STYLE_POSITIONS = (STYLE_SIDE // STRIDE) ** 2


def picture_operations(configuration: NetworkConfiguration, rows: int, columns: int,
                       scales=TransferOptions.scales, reduction: int = 1) -> Dict[str, int]:
    """Operations by stage for one content picture whose style is prepared.

    Args:
        configuration: the network's; its encoder layers are those that run.
        rows, columns: the picture's size as it is stylized.
        scales: sizes of the style in the swap.
        reduction: how far the attention's keys and values are reduced along each side.
    """
    high, wide = rows // STRIDE, columns // STRIDE
    positions = high * wide
    keys = math.ceil(high / reduction) * math.ceil(wide / reduction)
    mirrored = configuration.border == MIRRORED
    beyond, around = (2 * margin * mirrored for margin in (ENCODER_MARGIN, DECODER_MARGIN))
    return {**_prefixed('encoder', _encoder(configuration, rows + beyond, columns + beyond)),
            'whitening': _whitening(positions, kernels=1),
            'attention/projections': 2 * DEEP_CHANNELS * (
                positions * ATTENTION_CHANNELS + keys * (ATTENTION_CHANNELS + DEEP_CHANNELS)),
            'attention/products': 2 * positions * keys * (ATTENTION_CHANNELS + DEEP_CHANNELS),
            'matching': sum(_matching(high, wide, scale) for scale in scales),
            'colouring': 2 * positions * DEEP_CHANNELS ** 2,
            **_prefixed('decoder', _decoder(high + around, wide + around))}


def published_operations(rows: int, columns: int, border: str = ZEROS) -> Dict[str, int]:
    """Operations by stage of the published graph for one content picture and its style.

    Args:
        border: see NetworkConfiguration.
    """
    configuration = NetworkConfiguration(border=border)
    around = 2 * DECODER_MARGIN * (border == MIRRORED)
    high, wide = rows // STRIDE, columns // STRIDE
    positions = high * wide
    style_positions = sum(_style_side(scale) ** 2 for scale in TransferOptions.scales)
    shared = {**picture_operations(configuration, rows, columns),
              **style_operations(configuration)}
    return {**shared,
            'whitening': _whitening(positions, kernels=2, covariance=1),
            'style/whitening': _whitening(STYLE_POSITIONS, kernels=2, covariance=1),
            'smoothing': _convolution(positions, 3, DEEP_CHANNELS, DEEP_CHANNELS),
            'matching': _convolution(positions, PATCH, DEEP_CHANNELS, style_positions),
            'pasting': _convolution(positions, PATCH, style_positions, DEEP_CHANNELS),
            **_prefixed('decoder', _decoder(high + around, wide + around, shared=False))}


def style_operations(configuration: NetworkConfiguration) -> Dict[str, int]:
    """Operations by stage for preparing one style picture."""
    return {**_prefixed('style/encoder', _encoder(configuration, STYLE_SIDE, STYLE_SIDE)),
            'style/whitening': _whitening(STYLE_POSITIONS, kernels=2)}


def _prefixed(prefix, operations):
    return {f'{prefix}/{name}': count for name, count in operations.items()}


def _convolution(positions, side, inputs, outputs):
    return 2 * positions * side ** 2 * inputs * outputs


def _encoder(configuration, rows, columns):
    operations, channels = {}, 3
    for entry in configuration.encoder_layers:
        if entry == POOL:
            rows, columns = rows // 2, columns // 2
            continue
        layer, width = entry
        operations[layer] = _convolution(rows * columns, 3, channels, width)
        channels = width
    return operations


def _whitening(positions, kernels, covariance=(GRAM_PARTS + 1) / (2 * GRAM_PARTS)):
    """The covariance, ``kernels`` matrices out of its eigenvectors, and one of them applied.

    ``covariance``: the share of it that is computed, as it is symmetric.
    """
    return round(2 * DEEP_CHANNELS ** 2 * (
        (1 + covariance) * positions + kernels * DEEP_CHANNELS))


def _matching(high, wide, scale):
    """The product of all positions with those of the style, borders included."""
    border = PATCH - 1
    style_side = _style_side(scale) + border
    return 2 * (high + border) * (wide + border) * style_side ** 2 * DEEP_CHANNELS


def _style_side(scale):
    return math.floor(scale * (STYLE_SIDE // STRIDE))


def _decoder(high, wide, shared=True):
    """``shared``: a 3x3 convolution of an enlarged map sees 2x2 different positions only."""
    operations, positions, channels, enlarged = {}, high * wide, DEEP_CHANNELS, False
    for layer, width in DECODER_LAYERS:
        side = 2 if enlarged and shared else 3
        operations[layer] = _convolution(positions, side, channels, width)
        channels, enlarged = width, layer in ENLARGED
        positions *= 4 if enlarged else 1
    return operations
