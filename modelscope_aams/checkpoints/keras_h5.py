"""The encoder's weights out of Keras's HDF5 files of VGG-16 and VGG-19."""
import re
from typing import Dict, Optional, Tuple

import h5py
import numpy as np

from .layout import (ENCODER_SHAPES, VGG19_ONLY, CheckpointError, check_arrays, check_shapes,
                     complete, encoder_name)

_LAYER = re.compile(r'block(\d)_conv(\d)')
# 'kernel:0', 'kernel', 'block1_conv1_W_1:0' in files of layer names, '0' in '.weights.h5'.
_ROLES = {'weights': re.compile(r'kernel(:0)?|.+_W(_\d+)?(:0)?|0'),
          'biases': re.compile(r'bias(:0)?|.+_b(_\d+)?(:0)?|1')}


def read_encoder(path) -> Dict[str, np.ndarray]:
    """Reads ``conv1_1`` to ``conv4_1`` of a VGG-16 or VGG-19, with or without its top.

    All of Keras's layouts are known: weights of keras.applications, ``.weights.h5`` and
    whole models. Keras's VGG takes BGR; here ``conv1_1`` is turned to RGB. A VGG-16 gets
    an identity ``conv3_4``. Datasets of the file itself are read and nothing else: no
    model description, no link to another file.

    Raises:
        CheckpointError: if it is no HDF5 file, or its variables are not those of a VGG.
    """
    try:
        with h5py.File(path, 'r') as file:
            return _encoder(file, path)
    except (OSError, RuntimeError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CheckpointError(f'{path} is not a whole HDF5 file: {error}') from None


def _encoder(file, path) -> Dict[str, np.ndarray]:
    found, layers = {}, set()

    def visit(name, item):
        # Links are not visited at all; what is left of other files are these two.
        if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
            return
        layer, role = _place(name, item)
        layers.add(layer)
        if layer and role and f'{encoder_name(layer)}/{role}' in ENCODER_SHAPES:
            official = f'{encoder_name(layer)}/{role}'
            if official in found:
                raise CheckpointError(f'{path}: {layer} is there twice, as '
                                      f'{found[official].name} and {item.name}')
            found[official] = item

    file.visititems(visit)
    # VGG-16 has three convolutions from the third block on, VGG-19 four.
    is_vgg16 = not layers & {VGG19_ONLY, 'conv4_4', 'conv5_4'}
    expected = {name: shape for name, shape in ENCODER_SHAPES.items()
                if not (is_vgg16 and name.startswith(f'{encoder_name(VGG19_ONLY)}/'))}
    check_shapes({name: item.shape for name, item in found.items()}, path, expected)
    for name, item in found.items():
        if item.dtype.kind != 'f':
            raise CheckpointError(f'{path}: variable {name} is of type {item.dtype}; '
                                  'expected floats')
    arrays = {name: item[()].astype(np.float32) for name, item in found.items()}
    check_arrays(arrays, path, expected)
    first = f'{encoder_name("conv1_1")}/weights'
    arrays[first] = np.ascontiguousarray(arrays[first][:, :, ::-1])
    return complete(arrays)


def _place(name: str, item) -> Tuple[Optional[str], Optional[str]]:
    """Layer ('conv1_1') and role ('weights', 'biases') of a dataset, None where unknown."""
    *folders, last = name.split('/')
    # In '.weights.h5' the folders count the layers; an attribute holds the layer's name.
    label = item.parent.attrs.get('name')
    parts = [*folders, label] if isinstance(label, str) else folders
    matches = [_LAYER.fullmatch(part) for part in parts]
    layer = next((f'conv{match[1]}_{match[2]}' for match in matches if match), None)
    role = next((role for role, pattern in _ROLES.items() if pattern.fullmatch(last)), None)
    return layer, role
