"""Weights out of TensorFlow 1 checkpoints: of the published training, and slim's VGG-19."""
import os
import pathlib
import re
from typing import Dict, Mapping, Optional

import numpy as np

from modelscope_aams.network.names import ENCODER_SCOPE

from .layout import (ENCODER_SHAPES, SHAPES, CheckpointError, Shape, Weights,
                     check_arrays, check_shapes, is_deeper)

#: Name of the file in which TensorFlow notes the newest checkpoint of a directory.
STATE_NAME = 'checkpoint'

# What training keeps beside the weights: Adam's moments and powers, the step, the mean pixel.
_BOOKKEEPING = re.compile(r'.*/Adam(_\d+)?|(.*/)?(beta[12]_power|global_step|mean_rgb)')
_PART = re.compile(r'\.(index|meta|data-\d{5}-of-\d{5})$')
_FLOATS = ('float32', 'float16')


def read_weights(path) -> Weights:
    """Reads a checkpoint of the published training code.

    Args:
        path: its prefix, or one of its files (``.index``, ``.data-00000-of-00001``), or
            the one file of the older format.

    Raises:
        CheckpointError: if it is damaged or its variables are not the official ones.
    """
    return Weights(_read(path, SHAPES, scope=''))


def read_encoder(path) -> Dict[str, np.ndarray]:
    """The encoder's arrays of such a checkpoint or of slim's ``vgg_19.ckpt``.

    Errors as above; variables outside ``vgg_19/`` do not matter.
    """
    return _read(path, ENCODER_SHAPES, scope=f'{ENCODER_SCOPE}/')


def prefix_of(path) -> str:
    """The name that TensorFlow knows a checkpoint by, from that or any of its files."""
    return _PART.sub('', os.fspath(path))


def is_checkpoint(path) -> bool:
    """Whether ``path`` is the prefix or a file of a checkpoint of the newer format."""
    return pathlib.Path(prefix_of(path) + '.index').is_file()


def newest_in(directory) -> Optional[str]:
    """The prefix of the checkpoint that a directory's ``checkpoint`` file names, or None.

    Raises:
        CheckpointError: if that file is there and names nothing in the directory.
    """
    directory = pathlib.Path(directory)
    if not (directory / STATE_NAME).is_file():
        return None
    lines = (directory / STATE_NAME).read_text(errors='replace').splitlines()
    named = [line.split(':', 1)[1].strip().strip('"') for line in lines
             if line.startswith('model_checkpoint_path:')]
    if not named:
        raise CheckpointError(f'{directory / STATE_NAME} has no line model_checkpoint_path')
    # The path may be that of the machine which trained: the files lie beside this one.
    prefix = directory / pathlib.PurePath(named[0]).name
    if not (is_checkpoint(prefix) or prefix.is_file()):
        raise CheckpointError(f'{directory / STATE_NAME} names {prefix.name}, '
                              'which is not in the directory')
    return str(prefix)


def _read(path, expected: Mapping[str, Shape], scope: str) -> Dict[str, np.ndarray]:
    import tensorflow as tf
    try:
        reader = tf.train.load_checkpoint(prefix_of(path))
        types = reader.get_variable_to_dtype_map()
        shapes = {name: tuple(shape) for name, shape in
                  reader.get_variable_to_shape_map().items()
                  if name.startswith(scope) and not is_deeper(name)
                  and not _BOOKKEEPING.fullmatch(name)}
        check_shapes(shapes, path, expected)
        for name in expected:
            if types[name].name not in _FLOATS:
                raise CheckpointError(f'{path}: variable {name} is of type {types[name].name}; '
                                      f'expected {" or ".join(_FLOATS)}')
        arrays = {name: reader.get_tensor(name).astype(np.float32) for name in expected}
    except CheckpointError:
        raise
    # The reader turns the file system's and its own errors into Python's as it sees fit.
    except (tf.errors.OpError, RuntimeError, IndexError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise CheckpointError(f'{path} is not a whole TensorFlow checkpoint: {reason}') from None
    check_arrays(arrays, path, expected)
    return arrays
