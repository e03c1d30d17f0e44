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
#: TensorFlow's operator -> a function of an input whose shape is open, and that input.
OPERATORS = {
    'FloorDiv': (lambda values: values // tf.constant([4, -4, 4, 4, -4, 4, -4]), INTEGERS),
    'FloorMod': (lambda values: values % tf.constant([4, -4, 4, 4, -4, 4, -4]), INTEGERS),
    'LowerBound': (lambda values: tf.searchsorted(values, tf.constant([-1, 2, 2, 50, 3])),
                   np.array([0, 2, 2, 3, 9], np.int32)),
}


@pytest.mark.parametrize('operator', HANDLERS)
def test_operator(operator):
    python_function, values = OPERATORS[operator]
    function = tf.function(lambda values: {'result': python_function(values)},
                           input_signature=[tf.TensorSpec([None], tf.int32, name='values')])
    graph = function.get_concrete_function().graph
    assert any(node.type == operator for node in graph.get_operations())
    model, _ = tf2onnx.convert.from_function(
        function, function.input_signature, opset=18, custom_op_handlers=HANDLERS)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=['CPUExecutionProvider'])
    found, = session.run(['result'], {'values': values})
    np.testing.assert_array_equal(found, function(values)['result'])
