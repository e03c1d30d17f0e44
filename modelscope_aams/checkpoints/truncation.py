"""Files of weights that end too early, told by their structure alone: no array is read."""
import pathlib

from . import frozen_graph, native, training_checkpoint
from .layout import CheckpointError


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
            kind = _number(file)
            if kind is None:
                return False
            length = {0: lambda: _number(file) and 0, 1: lambda: 8, 2: lambda: _number(file),
                      5: lambda: 4}.get(kind & 7, lambda: None)()
            if length is None or file.tell() + length > size:
                return False
            file.seek(length, 1)
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
