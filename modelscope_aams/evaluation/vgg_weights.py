"""Where the weights of the evaluation's VGG-16 come from."""
import pathlib
import zipfile
from typing import Dict

import numpy as np

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.keras_h5 import read_vgg16
from modelscope_aams.checkpoints.layout import CheckpointError
from modelscope_aams.checkpoints.reading import read_encoder
from modelscope_aams.network.names import encoder_name

from .feature_networks import POOL, VGG16_LAYERS

#: Layers that the shipped encoder has, and those that it has not.
_CONVOLUTIONS = tuple(layer for layer in VGG16_LAYERS if layer != POOL)
_SHIPPED_COUNT = _CONVOLUTIONS.index('conv4_1') + 1
SHIPPED, DEEPER = _CONVOLUTIONS[:_SHIPPED_COUNT], _CONVOLUTIONS[_SHIPPED_COUNT:]
EXPECTED = ("a VGG-16 of Keras (.h5), or an .npz file or a folder of .npz or .npy files with "
            f'LAYER/kernel and LAYER/bias of {", ".join(DEEPER)}')
#: The shipped weights are rounded to float16, by at most this share.
ROUNDING = 2 ** -10


def shipped_vgg() -> Dict[str, np.ndarray]:
    """``LAYER/kernel`` and ``LAYER/bias`` of the shipped encoder, conv1_1 to conv4_1."""
    encoder = read_encoder(BUNDLED)
    return {f'{layer}/{kind}': encoder[f'{encoder_name(layer)}/{official}']
            for layer in SHIPPED
            for kind, official in (('kernel', 'weights'), ('bias', 'biases'))}


def read_vgg(path) -> Dict[str, np.ndarray]:
    """The shipped layers and, from ``path``, those up to conv5_1.

    Args:
        path: see EXPECTED. Kernels are [3, 3, in, out]. Of its other layers, conv4_1 has
            to be the shipped one, if it is there.

    Raises:
        CheckpointError: if layers are missing or are not VGG-16's, or nothing can be read.
    """
    path = pathlib.Path(path)
    found, arrays = _arrays(path), shipped_vgg()
    joint = f'{SHIPPED[-1]}/kernel'
    if joint in found and not _is_close(np.asarray(found[joint]), arrays[joint]):
        raise CheckpointError(f'{path}: {joint} is not that of the shipped encoder, to which '
                              'the layers beyond have to belong')
    for layer in DEEPER:
        for kind, shape in (('kernel', (3, 3, 512, 512)), ('bias', (512,))):
            name = f'{layer}/{kind}'
            if name not in found:
                raise CheckpointError(f'{path} lacks {name}; expected {EXPECTED}')
            array = np.asarray(found[name])
            if array.shape != shape or array.dtype.kind != 'f' or not np.isfinite(array).all():
                raise CheckpointError(f'{path}: {name} is {array.dtype} of shape {array.shape}; '
                                      f'expected finite floats of shape {shape}')
            arrays[name] = array.astype(np.float32)
    return arrays


def _is_close(array, shipped) -> bool:
    return array.shape == shipped.shape and array.dtype.kind == 'f' and np.allclose(
        array, shipped, rtol=ROUNDING, atol=ROUNDING * float(np.abs(shipped).max()))


def _arrays(path: pathlib.Path) -> Dict[str, np.ndarray]:
    """The arrays of a file or folder that belong to the layers from conv4_1 on."""
    if path.is_dir():
        found = {}
        for file in sorted(path.rglob('*.npy')):
            name = file.relative_to(path).with_suffix('').as_posix()
            if _is_wanted(name):
                found[name] = _loaded(file, np.asarray)
        for file in sorted(path.glob('*.npz')):
            found.update(_loaded(file, _members))
        return found
    if not path.exists():
        raise CheckpointError(f'{path} is not there; expected {EXPECTED}')
    if path.suffix == '.npz':
        return _loaded(path, _members)
    if path.suffix in ('.h5', '.hdf5'):
        return read_vgg16(path)
    raise CheckpointError(f'{path} is of another kind; expected {EXPECTED}')


def _is_wanted(name) -> bool:
    return name.split('/')[0] in (SHIPPED[-1], *DEEPER)


def _members(archive) -> Dict[str, np.ndarray]:
    return {name: archive[name] for name in archive.files if _is_wanted(name)}


def _loaded(path, take):
    try:
        return take(np.load(path, allow_pickle=False))
    # An archive's members are read when they are asked for.
    except (ValueError, EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
        if getattr(error, 'errno', None) is not None:
            raise
        raise CheckpointError(f'{path} cannot be read as NumPy arrays ({error}); '
                              f'expected {EXPECTED}') from None
