"""The exported ONNX file in ONNX Runtime, and the operators that its conversion adds."""
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx

from modelscope_aams.checkpoints.description import DESCRIPTION, read_description
from modelscope_aams.export.onnx_operators import HANDLERS


@pytest.fixture(scope='module')
def file(export_by_command, tmp_path_factory):
    return export_by_command(tmp_path_factory.mktemp('exported') / 'model.onnx',
                             '--format', 'onnx')


def test_has_the_official_inputs_and_outputs(file, inputs, assert_official_outputs):
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    assert_official_outputs([dict(zip(names, session.run(names, arrays))) for arrays in inputs])
    sizes = {value.name: value.shape for value in session.get_inputs()}
    assert sizes == {'content': ['rows', 'columns', 3],
                     'style': ['style_rows', 'style_columns', 3], 'inter_weight': []}


def test_is_of_the_standard_and_says_what_it_is(file, weights):
    onnx.checker.check_model(str(file), full_check=True)
    model = onnx.load(file)
    assert {opset.domain: opset.version for opset in model.opset_import}[''] == 18
    assert all(node.domain == '' for node in model.graph.node)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert read_description(metadata[DESCRIPTION], file) == weights.configuration


INTEGERS = np.array([-9, -8, -1, 0, 1, 7, 8], np.int32)
DIVISORS = np.array([4, -4, 4, 4, -4, 4, -4], np.int32)
STATISTICS = np.array([[1, 0.5], [3, -1], [0.2, 8], [4, 9]], np.float32)


def normalised(features, statistics):
    scale, offset, mean, variance = tf.unstack(statistics)
    return tf.raw_ops.FusedBatchNormV3(x=features, scale=scale, offset=offset, mean=mean,
                                       variance=variance, epsilon=0.25, is_training=False).y


#: TensorFlow's operator -> a function, and its inputs.
OPERATORS = {
    'FloorDiv': (lambda values, divisors: values // divisors, (INTEGERS, DIVISORS)),
    'FloorMod': (lambda values, divisors: values % divisors, (INTEGERS, DIVISORS)),
    'LowerBound': (tf.searchsorted, (np.array([0, 2, 2, 3, 9]), np.array([-1, 2, 2, 50, 3]))),
    'FusedBatchNormV3': (normalised, (np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2),
                                      STATISTICS)),
}


@pytest.mark.parametrize('operator', HANDLERS)
def test_operator(operator):
    python_function, (first, second) = OPERATORS[operator]
    function = tf.function(
        lambda first, second: {'result': python_function(first, second)},
        input_signature=[tf.TensorSpec(array.shape, array.dtype, name)
                         for name, array in (('first', first), ('second', second))])
    graph = function.get_concrete_function().graph
    assert any(node.type == operator for node in graph.get_operations())
    model, _ = tf2onnx.convert.from_function(
        function, function.input_signature, opset=18, custom_op_handlers=HANDLERS)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=['CPUExecutionProvider'])
    found, = session.run(['result'], {'first': first, 'second': second})
    np.testing.assert_allclose(found, function(first, second)['result'], rtol=1e-6, atol=1e-6)
