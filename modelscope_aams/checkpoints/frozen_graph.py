"""Weights out of a frozen TensorFlow 1 graph, whose nodes are read and never run."""
import pathlib
import re
from typing import Dict, Mapping

import numpy as np

from modelscope_aams.network.configuration import NetworkConfiguration
from modelscope_aams.network.names import ENCODER_SCOPE, SCOPES

from .description import DESCRIPTION, read_description
from .layout import (ENCODER_SHAPES, SHAPES, CheckpointError, NotOfficialLayout, Shape, Weights,
                     check_arrays, check_shapes, check_weights, is_deeper)

#: Name of the file in the official model directories.
FILE_NAME = 'tf_graph.pb'

_FLOATS = ('DT_FLOAT', 'DT_HALF')


def read_weights(path) -> Weights:
    """Reads a ``tf_graph.pb`` of the official layout.

    Constants that are no weights of the three parts are passed over, as is a scope that
    an import put before all the names. A graph that modelscope_aams.export wrote describes
    its network in one more constant; of others the network is the published one.

    Raises:
        NotOfficialLayout: if it is a graph, but its weights are others.
        CheckpointError: if it is no graph, or a weight is damaged.
    """
    graph = _parsed(path)
    weights = Weights(_arrays(graph, path, SCOPES, SHAPES), _configuration(graph, path))
    check_weights(weights, path)
    return weights


def read_encoder(path) -> Dict[str, np.ndarray]:
    """The encoder's arrays; attention and decoder need not be there. Errors as above."""
    return _arrays(_parsed(path), path, (ENCODER_SCOPE,), ENCODER_SHAPES)


def _configuration(graph, path) -> NetworkConfiguration:
    for node in graph.node:
        if node.op == 'Const' and node.name.split('/')[-1] == DESCRIPTION:
            return read_description(b''.join(node.attr['value'].tensor.string_val), path)
    return NetworkConfiguration()


def _arrays(graph, path, scopes, expected: Mapping[str, Shape]) -> Dict[str, np.ndarray]:
    protos = _weight_constants(graph, path, scopes)
    try:
        check_shapes({name: tuple(dimension.size for dimension in proto.tensor_shape.dim)
                      for name, proto in protos.items()}, path, expected)
    except CheckpointError as error:
        raise NotOfficialLayout(f'not the official layout: {error}') from None
    # Shapes are known to be sensible now, so that decoding cannot ask for much memory.
    arrays = {name: _decoded(proto, name, path) for name, proto in protos.items()}
    check_arrays(arrays, path, expected)
    return arrays


def _weight_constants(graph, path, scopes):
    """TensorProtos of the Const nodes that are weights, by official name."""
    pattern = re.compile(rf'(?:.*/)?((?:{"|".join(scopes)})/.+/(?:weights|biases|kernel|bias))'
                         # Folding constants turns an Identity named so into a Const.
                         r'(?:/read)?')
    protos = {}
    for node in graph.node:
        match = pattern.fullmatch(node.name)
        if node.op != 'Const' or match is None or is_deeper(match[1]):
            continue
        proto = node.attr['value'].tensor
        if protos.setdefault(match[1], proto) != proto:
            raise NotOfficialLayout(f'not the official layout: {path}: variable {match[1]} '
                                    'is there twice, with different values')
    return protos


def _parsed(path):
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework.graph_pb2 import GraphDef
    graph = GraphDef()
    try:
        graph.ParseFromString(pathlib.Path(path).read_bytes())
    except DecodeError:
        raise CheckpointError(f'{path} is not a whole TensorFlow graph (GraphDef)') from None
    # Junk can be a message of unknown fields alone.
    if not graph.node:
        raise CheckpointError(f'{path} is not a TensorFlow graph (GraphDef): it has no nodes')
    return graph


def _decoded(proto, name, path) -> np.ndarray:
    import tensorflow as tf
    from tensorflow.core.framework.types_pb2 import DataType
    if proto.dtype not in map(DataType.Value, _FLOATS):
        raise CheckpointError(f'{path}: variable {name} is of type number {proto.dtype}; '
                              f'expected {" or ".join(_FLOATS)}')
    try:
        return tf.make_ndarray(proto).astype(np.float32)
    except ValueError:
        raise CheckpointError(f'{path}: the values of variable {name} do not fill its '
                              'shape') from None
