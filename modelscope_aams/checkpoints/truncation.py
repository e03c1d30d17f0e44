"""Files of weights that end too early, told by their structure alone: no array is read."""
import pathlib

from google.protobuf import empty_pb2
from google.protobuf.message import DecodeError

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
    """Whether a file is one whole protobuf message, of whatever type."""
    try:
        # A message without fields of its own keeps all that it does not know.
        empty_pb2.Empty.FromString(path.read_bytes())
    except DecodeError:
        return False
    return True
