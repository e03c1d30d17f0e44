"""The encoder's weights out of Keras's HDF5 files of VGG-16 and VGG-19."""
import re
from typing import Dict, Optional, Tuple, Union

import h5py
import numpy as np

from modelscope_aams.network.names import encoder_name

from .layout import (ENCODER_SHAPES, VGG19_ONLY, CheckpointError, check_arrays, check_shapes,
                     complete, is_deeper)

_LAYER = re.compile(r'block(\d)_conv(\d)')
_NUMBERED = re.compile(r'conv2d(?:_(\d+))?')
# 'kernel:0', 'kernel', 'block1_conv1_W_1:0' in files of layer names, '0' in '.weights.h5'.
_ROLES = {'weights': re.compile(r'kernel(:0)?|.+_W(_\d+)?(:0)?|0'),
          'biases': re.compile(r'bias(:0)?|.+_b(_\d+)?(:0)?|1')}
# Convolutions in each of the five blocks, by their number in all: VGG-16 and VGG-19.
_BLOCKS = {13: (2, 2, 3, 3, 3), 16: (2, 2, 4, 4, 4)}


def read_encoder(path) -> Dict[str, np.ndarray]:
    """Reads ``conv1_1`` to ``conv4_1`` of a VGG-16 or VGG-19, with or without its top.

    All of Keras's layouts are known: weights of keras.applications, ``.weights.h5`` and
    whole models. Keras's VGG takes BGR; here ``conv1_1`` is turned to RGB. A VGG-16 gets
    an identity ``conv3_4``. Datasets of the file itself are read and nothing else: no
    model description, no link to another file.

    Raises:
        CheckpointError: if it is no HDF5 file, or its variables are not those of a VGG.
    """
    return _read(path, _encoder)


def read_vgg16(path) -> Dict[str, np.ndarray]:
    """All convolutions of a VGG-16, as far as they are there: ``conv5_1/kernel``, ``/bias``.

    Layouts and errors are those of :func:`read_encoder`; a VGG-19 is refused. Shapes and
    values are not looked at, and ``conv1_1`` takes BGR as in the file.
    """
    return _read(path, _vgg16)


def _read(path, reader):
    try:
        with h5py.File(path, 'r') as file:
            return reader(file, path)
    except CheckpointError:
        raise
    # What HDF5 raises depends on which of its structures is damaged.
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CheckpointError(f'{path} is not a whole HDF5 file: {error}') from None


def _vgg16(file, path) -> Dict[str, np.ndarray]:
    datasets = _by_layer(file, path)
    if not _is_vgg16(datasets):
        raise CheckpointError(f'{path} holds a VGG-19; expected a VGG-16')
    kinds = {'weights': 'kernel', 'biases': 'bias'}
    return {f'{layer}/{kinds[role]}': item[()] for (layer, role), item in datasets.items()}


def _is_vgg16(datasets) -> bool:
    """VGG-16 has three convolutions from the third block on, VGG-19 four."""
    return not {layer for layer, _ in datasets} & {VGG19_ONLY, 'conv4_4', 'conv5_4'}


def _encoder(file, path) -> Dict[str, np.ndarray]:
    datasets = _by_layer(file, path)
    is_vgg16 = _is_vgg16(datasets)
    expected = {name: shape for name, shape in ENCODER_SHAPES.items()
                if not (is_vgg16 and name.startswith(f'{encoder_name(VGG19_ONLY)}/'))}
    found = {f'{encoder_name(layer)}/{role}': item for (layer, role), item in datasets.items()}
    found = {name: item for name, item in found.items() if not is_deeper(name)}
    check_shapes({name: item.shape or () for name, item in found.items()}, path, expected)
    for name, item in found.items():
        if item.dtype.kind != 'f':
            raise CheckpointError(f'{path}: variable {name} is of type {item.dtype}; '
                                  'expected floats')
    arrays = {name: item[()].astype(np.float32) for name, item in found.items()}
    check_arrays(arrays, path, expected)
    first = f'{encoder_name("conv1_1")}/weights'
    arrays[first] = np.ascontiguousarray(arrays[first][:, :, ::-1])
    return complete(arrays)


def _by_layer(file, path) -> Dict[Tuple[str, str], h5py.Dataset]:
    """The convolutions' datasets by layer ('conv1_1') and role ('weights' or 'biases')."""
    found = {}

    def visit(name, item):
        # A damaged name comes as bytes.
        if not isinstance(name, str) or not isinstance(item, h5py.Dataset):
            return
        # Links are not visited at all; what is left of other files are these two.
        if item.external or item.is_virtual:
            return
        place = _layer(name, item), _role(name)
        if None in place:
            return
        if place in found:
            raise CheckpointError(f'{path}: {found[place].name} and {item.name} are of one '
                                  'layer; expected one network')
        found[place] = item

    file.visititems(visit)
    numbers = {layer for layer, _ in found if isinstance(layer, int)}
    if len(numbers) in _BLOCKS:
        names = [f'conv{block}_{place}' for block, size in enumerate(_BLOCKS[len(numbers)], 1)
                 for place in range(1, size + 1)]
        order = dict(zip(sorted(numbers), names))
        return {(order[layer], role): item for (layer, role), item in found.items()
                if layer in order}
    return {(layer, role): item for (layer, role), item in found.items() if layer not in numbers}


def _layer(name: str, item) -> Union[str, int, None]:
    """A dataset's layer, 'conv1_1'; its number, where the file has but that; else None."""
    folders = name.split('/')[:-1]
    # In '.weights.h5' folders are numbered; newer Keras gives the name as an attribute.
    label = item.parent.attrs.get('name')
    parts = [*folders, label] if isinstance(label, str) else folders
    named = next((match for match in map(_LAYER.fullmatch, parts) if match), None)
    if named:
        return f'conv{named[1]}_{named[2]}'
    if label is None and folders[-1:] == ['vars']:
        numbered = _NUMBERED.fullmatch('/'.join(folders[-2:-1]))
        return numbered and int(numbered[1] or 0)
    return None


def _role(name: str) -> Optional[str]:
    last = name.split('/')[-1]
    return next((role for role, pattern in _ROLES.items() if pattern.fullmatch(last)), None)
