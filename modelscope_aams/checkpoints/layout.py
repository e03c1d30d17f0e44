"""The official names and shapes of the network's variables, and weights that have them."""
import dataclasses
import re
from typing import Dict, Mapping, NamedTuple, Tuple

import numpy as np

from modelscope_aams.network.configuration import (
    ATTENTION_CHANNELS, DECODER_LAYERS, POOL, VGG19_LAYERS, NetworkConfiguration)
from modelscope_aams.network.names import (
    ENCODER_SCOPE, attention_name, decoder_name, encoder_name)

Shape = Tuple[int, ...]

#: The one layer up to conv4_1 that VGG-19 has and VGG-16 has not.
VGG19_ONLY = 'conv3_4'

# Behind conv4_1, which the network ends at, published VGG-19 files go on with these.
_DEEPER = re.compile(
    rf'{ENCODER_SCOPE}/(conv4/conv4_[2-4]|conv5/conv5_[1-4]|fc[678])/(weights|biases)')


class CheckpointError(ValueError):
    """A file's weights cannot be used; the message is one line that names the file."""


class NotOfficialLayout(CheckpointError):
    """A sound frozen graph whose variables are not those of the published network."""


class Weights(NamedTuple):
    """What a network is made of.

    Attributes:
        arrays: float32 by official name, with exactly the names and shapes of SHAPES.
        configuration: what else describes the network; its encoder is VGG-19.
    """
    arrays: Dict[str, np.ndarray]
    configuration: NetworkConfiguration = NetworkConfiguration()


def _encoder_shapes() -> Dict[str, Shape]:
    shapes, channels = {}, 3
    for layer, width in (entry for entry in VGG19_LAYERS if entry != POOL):
        shapes[f'{encoder_name(layer)}/weights'] = (3, 3, channels, width)
        shapes[f'{encoder_name(layer)}/biases'] = (width,)
        channels = width
    return shapes


def _trained_shapes() -> Dict[str, Shape]:
    channels = VGG19_LAYERS[-1][1]
    layers = [(attention_name(letter), 1, channels, width) for letter, width in
              (('f', ATTENTION_CHANNELS), ('g', ATTENTION_CHANNELS), ('h', channels))]
    for layer, width in DECODER_LAYERS:
        layers.append((decoder_name(layer), 3, channels, width))
        channels = width
    shapes = {}
    for name, side, inputs, width in layers:
        shapes[f'{name}/kernel'] = (side, side, inputs, width)
        shapes[f'{name}/bias'] = (width,)
    return shapes


#: Shapes of the encoder's variables by official name, kernels [rows, columns, in, out].
ENCODER_SHAPES = _encoder_shapes()
#: Shapes of all variables by official name.
SHAPES = {**ENCODER_SHAPES, **_trained_shapes()}


def is_deeper(name: str) -> bool:
    """Whether a variable belongs to a layer of VGG-19 behind the encoder's last."""
    return _DEEPER.fullmatch(name) is not None


def check_shapes(found: Mapping[str, Shape], source, expected: Mapping[str, Shape] = SHAPES):
    """Makes sure that ``found`` has exactly the expected names and shapes.

    Raises:
        CheckpointError: names ``source``, the first variable that is wrong, both its
            shapes, and how many more there are.
    """
    def wrong(name):
        return name not in found or name not in expected or (
            tuple(found[name]) != tuple(expected[name]))

    def shape_in(shapes, name):
        return tuple(shapes[name]) if name in shapes else 'none'

    names = [*expected, *sorted(set(found) - set(expected))]
    faults = [name for name in names if wrong(name)]
    if faults:
        name = faults[0]
        more = f' (and {len(faults) - 1} more such variables)' if len(faults) > 1 else ''
        raise CheckpointError(f'{source}: variable {name}: expected shape '
                              f'{shape_in(expected, name)}, found {shape_in(found, name)}{more}')


def check_arrays(arrays: Mapping[str, np.ndarray], source,
                 expected: Mapping[str, Shape] = SHAPES):
    """Makes sure that arrays have the expected names and shapes and hold only numbers.

    Raises:
        CheckpointError: see :func:`check_shapes`; also for a NaN or an infinite value.
    """
    check_shapes({name: np.shape(array) for name, array in arrays.items()}, source, expected)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f'{source}: variable {name} of shape {array.shape} holds '
                                  'values that are not finite')


def check_weights(weights: Weights, source):
    """:func:`check_arrays`, and the configuration has to describe these arrays."""
    if weights.configuration.encoder_layers != VGG19_LAYERS:
        raise CheckpointError(f'{source}: encoder_layers are not those of VGG-19 up to '
                              f'{VGG19_LAYERS[-1][0]}, the layout of the arrays')
    check_arrays(weights.arrays, source)


def encoder_part(arrays: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """The encoder's arrays alone."""
    return {name: arrays[name] for name in ENCODER_SHAPES if name in arrays}


def _identity() -> Dict[str, np.ndarray]:
    kernel_name, bias_name = (f'{encoder_name(VGG19_ONLY)}/{ending}'
                              for ending in ('weights', 'biases'))
    kernel = np.zeros(SHAPES[kernel_name], np.float32)
    kernel[1, 1] = np.eye(*kernel.shape[2:])
    return {kernel_name: kernel, bias_name: np.zeros(SHAPES[bias_name], np.float32)}


def complete(arrays: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """``arrays`` with an identity conv3_4 where they have none.

    With it a VGG-19 computes exactly what the VGG-16 of the other arrays does, for what
    enters that layer is past a ReLU.
    """
    identity = _identity()
    return dict(arrays) if any(name in arrays for name in identity) else {**identity, **arrays}


def has_identity(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether conv3_4 is exactly the identity, so that the encoder is a VGG-16."""
    return all(np.array_equal(arrays[name], array) for name, array in _identity().items())


def fitting_configuration(weights: Weights) -> NetworkConfiguration:
    """The configuration to build the network with: an identity conv3_4 is left out."""
    configuration = weights.configuration
    return configuration.without(VGG19_ONLY) if has_identity(weights.arrays) else configuration


def build_network(weights: Weights, **kwargs):
    """The AttentionAutoencoder with these weights; an identity conv3_4 costs nothing in it.

    Args:
        weights: all variables, see :class:`Weights`.
        kwargs: passed on to AttentionAutoencoder.

    Raises:
        CheckpointError: if the weights do not have the official layout.
    """
    from modelscope_aams.network.autoencoder import AttentionAutoencoder
    check_weights(weights, 'weights')
    network = AttentionAutoencoder(fitting_configuration(weights), **kwargs)
    network.assign(weights.arrays)
    return network


def network_weights(network) -> Weights:
    """The weights of an AttentionAutoencoder in the official layout."""
    configuration = dataclasses.replace(network.configuration, encoder_layers=VGG19_LAYERS)
    return Weights(complete(network.arrays()), configuration)
