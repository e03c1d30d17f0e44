"""The project's own file of weights: safetensors, float16, with the configuration inside."""
from typing import Dict

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from modelscope_aams.network.configuration import NetworkConfiguration

from .atomic import write_atomically
from .description import DESCRIPTION, described, read_description
from .layout import CheckpointError, Weights, check_shapes, check_weights, encoder_part

#: Ending of the files' names.
SUFFIX = '.safetensors'
#: The file's one entry of metadata, a description. One, because safetensors writes several
#: in an order that changes.
FORMAT = DESCRIPTION

_FLOATS = ('F16', 'F32')


def save_weights(path, weights: Weights):
    """Writes weights to ``path``, whole or not at all; the same weights give the same bytes.

    Raises:
        CheckpointError: if the weights do not have the official layout, or a value is not
            finite or beyond float16's range (65504).
    """
    check_weights(weights, path)
    with np.errstate(over='ignore'):
        halves = {name: np.ascontiguousarray(array, np.float16)
                  for name, array in weights.arrays.items()}
    for name, array in halves.items():
        if not np.isfinite(array).all():
            raise CheckpointError(
                f'{path}: variable {name} of shape {array.shape} holds '
                f'{np.abs(weights.arrays[name]).max():g}, beyond float16, in which it is kept '
                f'(at most {np.finfo(np.float16).max:g})')
    entry = described(weights.configuration)
    write_atomically(path, lambda temporary: save_file(halves, temporary, {FORMAT: entry}))


def is_native(path) -> bool:
    """Whether a safetensors file is of this format.

    Raises:
        CheckpointError: if it is no whole safetensors file.
    """
    with _opened(path) as file:
        return FORMAT in (file.metadata() or {})


def read_weights(path) -> Weights:
    """Reads what :func:`save_weights` wrote, back to float32.

    Raises:
        CheckpointError: if the file is damaged, of another format or version, or its
            variables are not those of the official layout.
    """
    with _opened(path) as file:
        configuration = _configuration(file.metadata() or {}, path)
        slices = {name: file.get_slice(name) for name in file.keys()}
        check_shapes({name: tuple(part.get_shape()) for name, part in slices.items()}, path)
        for name, part in slices.items():
            if part.get_dtype() not in _FLOATS:
                raise CheckpointError(f'{path}: variable {name} is of type {part.get_dtype()}; '
                                      f'expected {" or ".join(_FLOATS)}')
        arrays = {name: file.get_tensor(name).astype(np.float32) for name in slices}
    weights = Weights(arrays, configuration)
    check_weights(weights, path)
    return weights


def read_encoder(path) -> Dict[str, np.ndarray]:
    """The encoder's arrays of :func:`read_weights`."""
    return encoder_part(read_weights(path).arrays)


def _opened(path):
    try:
        return safe_open(str(path), framework='numpy')
    except SafetensorError as error:
        raise CheckpointError(f'{path} is not a whole safetensors file: {error}') from None


def _configuration(metadata, path) -> NetworkConfiguration:
    if FORMAT not in metadata:
        raise CheckpointError(f'{path} is a safetensors file of something else; expected one '
                              f'whose metadata has the entry {FORMAT}')
    return read_description(metadata[FORMAT], path)
