"""Weights out of any file that the project knows, told apart by what is in it."""
import pathlib
from typing import Dict, Optional

import numpy as np

from . import frozen_graph, keras_h5, native, training_checkpoint
from .layout import CheckpointError, Weights

KNOWN = ('weights of this project (.safetensors), a frozen graph (.pb) or a TensorFlow '
         'checkpoint (prefix or .index)')

_HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'
_REFUSED = {
    b'PK': 'a zip archive (.keras, .npz or PyTorch)',
    **{bytes((0x80, protocol)): 'a Python pickle' for protocol in range(2, 6)},
}
# Last bytes of a TensorFlow table: the .index of a checkpoint, or one of the older format.
_TABLE_MAGIC = (0xdb4775248b80fb57).to_bytes(8, 'little')


class WeightsNotFound(CheckpointError, FileNotFoundError):
    """There is no such file, or nothing known in the directory."""


def read_weights(path) -> Weights:
    """Reads a network's weights; only arrays are read, nothing from a file is ever run.

    Args:
        path: a file of KNOWN, or a directory with one: ``*.safetensors`` of this project,
            else ``tf_graph.pb``, else a TensorFlow checkpoint.

    Raises:
        WeightsNotFound: if there is none.
        NotOfficialLayout: for a frozen graph of another network.
        CheckpointError: for all else that is wrong with the file; one line that names it.
    """
    path = _file(path)
    reader = _reader(path)
    if not hasattr(reader, 'read_weights'):
        raise CheckpointError(f'{path} is a Keras file, which holds an encoder alone; '
                              f'expected {KNOWN}')
    return reader.read_weights(path)


def read_encoder(path) -> Dict[str, np.ndarray]:
    """Reads the encoder alone, float32 arrays by official name, ``conv3_4`` among them.

    Args:
        path: as for :func:`read_weights`, or slim's ``vgg_19.ckpt``, or a VGG-16 or VGG-19
            of Keras (``.h5``).

    Raises:
        CheckpointError: as for :func:`read_weights`.
    """
    path = _file(path)
    return _reader(path).read_encoder(path)


def _file(path) -> pathlib.Path:
    """The file, or prefix of a checkpoint, that ``path`` stands for."""
    path = pathlib.Path(path)
    if path.is_dir():
        return _in_directory(path)
    if not path.exists() and not training_checkpoint.is_checkpoint(path):
        raise WeightsNotFound(f'{path}: no such file, nor a TensorFlow checkpoint of that name')
    return path


def _in_directory(directory: pathlib.Path) -> pathlib.Path:
    found = [file for file in sorted(directory.glob(f'*{native.SUFFIX}'))
             if native.is_native(file)]
    if len(found) > 1:
        names = ', '.join(file.name for file in found)
        raise CheckpointError(f'{directory} holds several files of weights; name one of {names}')
    if found:
        return found[0]
    if (directory / frozen_graph.FILE_NAME).is_file():
        return directory / frozen_graph.FILE_NAME
    checkpoint: Optional[str] = training_checkpoint.newest_in(directory)
    if checkpoint is None:
        raise WeightsNotFound(
            f'{directory} holds no weights; looked for *{native.SUFFIX} of this project, '
            f'{frozen_graph.FILE_NAME}, and a TensorFlow checkpoint named in a file '
            f'{training_checkpoint.STATE_NAME}')
    return pathlib.Path(checkpoint)


def _reader(path: pathlib.Path):
    """The module that reads the kind of file that ``path`` is."""
    if training_checkpoint.is_checkpoint(path):
        return training_checkpoint
    with open(path, 'rb') as file:
        head = file.read(16)
        size = file.seek(0, 2)
        file.seek(max(0, size - len(_TABLE_MAGIC)))
        tail = file.read()
    if not size:
        raise CheckpointError(f'{path} is empty')
    # The length of a safetensors header, at the start, may look like any magic number.
    if head[8:9] == b'{' and int.from_bytes(head[:8], 'little') <= size - 8:
        return native
    for magic, kind in _REFUSED.items():
        if head.startswith(magic):
            raise CheckpointError(f'{path} is {kind}, which is not read, as it may hold code; '
                                  f'expected {KNOWN}')
    if path.suffix == native.SUFFIX:
        return native
    if head.startswith(_HDF5_MAGIC) or path.suffix == '.h5':
        return keras_h5
    if tail == _TABLE_MAGIC:
        return training_checkpoint
    if path.suffix == '.pb':
        return frozen_graph
    raise CheckpointError(f'{path} is of an unknown kind; expected {KNOWN}')

