"""Where the weights of the evaluation's VGG-16 come from."""
import pathlib
import zipfile
from typing import Dict

import numpy as np

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.layout import CheckpointError
from modelscope_aams.checkpoints.reading import read_encoder
from modelscope_aams.network.names import encoder_name

from .feature_networks import POOL, VGG16_LAYERS

#: Layers that the shipped encoder has, and those that it has not.
_CONVOLUTIONS = tuple(layer for layer in VGG16_LAYERS if layer != POOL)
_SHIPPED_COUNT = _CONVOLUTIONS.index('conv4_1') + 1
SHIPPED, DEEPER = _CONVOLUTIONS[:_SHIPPED_COUNT], _CONVOLUTIONS[_SHIPPED_COUNT:]
EXPECTED = (f'an .npz file, or a folder of .npz or .npy files, with LAYER/kernel and LAYER/bias '
            f'of {", ".join(DEEPER)}')


def shipped_vgg() -> Dict[str, np.ndarray]:
    """``LAYER/kernel`` and ``LAYER/bias`` of the shipped encoder, conv1_1 to conv4_1."""
    encoder = read_encoder(BUNDLED)
    return {f'{layer}/{kind}': encoder[f'{encoder_name(layer)}/{official}']
            for layer in SHIPPED
            for kind, official in (('kernel', 'weights'), ('bias', 'biases'))}


def read_vgg(path) -> Dict[str, np.ndarray]:
    """The shipped layers and, from ``path``, those up to conv5_1.

    Args:
        path: see EXPECTED; other layers there are left aside. Kernels are
            [3, 3, in, out].

    Raises:
        CheckpointError: if layers are missing or are not VGG-16's.
    """
    path = pathlib.Path(path)
    found = _arrays(path)
    arrays, channels = shipped_vgg(), 512
    for layer in DEEPER:
        for kind, shape in (('kernel', (3, 3, channels, 512)), ('bias', (512,))):
            name = f'{layer}/{kind}'
            if name not in found:
                raise CheckpointError(f'{path} lacks {name}; expected {EXPECTED}')
            array = found[name]()
            if array.shape != shape or array.dtype.kind != 'f' or not np.isfinite(array).all():
                raise CheckpointError(f'{path}: {name} is {array.dtype} of shape {array.shape}; '
                                      f'expected finite floats of shape {shape}')
            arrays[name] = array.astype(np.float32)
    return arrays


def _arrays(path: pathlib.Path):
    """Functions that read the arrays of a file or folder, by ``LAYER/kernel`` and ``bias``."""
    if path.is_dir():
        found = {file.relative_to(path).with_suffix('').as_posix():
                 lambda file=file: _loaded(file) for file in sorted(path.rglob('*.npy'))}
        for file in sorted(path.glob('*.npz')):
            found.update(_in_archive(file))
        return found
    if path.suffix != '.npz' or not path.is_file():
        kind = 'is not there' if not path.exists() else 'is of another kind'
        raise CheckpointError(f'{path} {kind}; expected {EXPECTED}')
    return _in_archive(path)


def _in_archive(path):
    archive = _loaded(path)
    return {name: lambda name=name: _member(archive, name, path) for name in archive.files}


def _member(archive, name, path):
    try:
        return archive[name]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None


def _loaded(path):
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None


def _damaged(path, error):
    return CheckpointError(f'{path} cannot be read as NumPy arrays ({error}); '
                           f'expected {EXPECTED}')
