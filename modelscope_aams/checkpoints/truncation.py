"""Files of weights that end too early, told by their structure alone: no array is read."""
import pathlib

from . import frozen_graph, native, training_checkpoint
from .layout import CheckpointError

# Kinds of protobuf's fields, and the lengths of those that are always as long.
_NUMBER, _BYTES, _LENGTHS = 0, 2, {1: 8, 5: 4}


def is_cut_off(path) -> bool:
    """Whether a file of weights ends before it should, or another file of it is missing.

    A frozen graph that ends between two of its nodes is not told from a whole one.
    """
    path = pathlib.Path(path)
    if not path.stat().st_size:
        return True
    if path.suffix == native.SUFFIX:
        try:
            native.is_native(path)
        except CheckpointError:
            return True
        return False
    if path.suffix == pathlib.Path(frozen_graph.FILE_NAME).suffix:
        return not _is_message(path)
    if training_checkpoint.is_checkpoint(path):
        prefix = pathlib.Path(training_checkpoint.prefix_of(path))
        return next(prefix.parent.glob(f'{prefix.name}.data-*'), None) is None
    return False


def _is_message(path) -> bool:
    """Whether a file is a sequence of whole fields, as a protobuf message is."""
    size = path.stat().st_size
    with open(path, 'rb') as file:
        while file.tell() < size:
            key = _number(file)
            kind = None if key is None else key & 7
            length = _number(file) if kind in (_NUMBER, _BYTES) else _LENGTHS.get(kind)
            if length is None:
                return False
            if kind != _NUMBER:
                file.seek(length, 1)
            if file.tell() > size:
                return False
    return True


def _number(file):
    """The variable-length number that comes next; None if there is none."""
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 127) << 7 * place
        if byte[0] < 128:
            return value
    return None
