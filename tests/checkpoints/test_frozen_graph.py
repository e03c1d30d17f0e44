import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.checkpoints import frozen_graph
from modelscope_aams.checkpoints.description import DESCRIPTION, described
from modelscope_aams.checkpoints.layout import (SHAPES, CheckpointError, NotOfficialLayout,
                                                 encoder_part)
from modelscope_aams.network.configuration import NetworkConfiguration


@pytest.fixture(scope='module')
def frozen(arrays):
    """The GraphDef that TensorFlow makes in freezing the variables of a graph."""
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        content = v1.placeholder(tf.float32, (None, None, 3), name='content')
        mean = tf.constant((123.68, 116.78, 103.94), name='vgg_19/mean')
        sums = [tf.reduce_sum(content - mean)]
        for name, array in arrays.items():
            # Not random: once a training here made TensorFlow deterministic, that raises.
            variable = v1.get_variable(name, SHAPES[name], use_resource=False,
                                       initializer=v1.zeros_initializer())
            variable.load(array, session)
            sums.append(tf.reduce_sum(variable))
        tf.add_n(sums, name='stylized_output')
        definition = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ['stylized_output'])
    operations = {node.name: node.op for node in definition.node}
    assert operations['self_attention/f_conv/conv2d/kernel'] == 'Const'
    assert operations['self_attention/f_conv/conv2d/kernel/read'] == 'Identity'
    return definition


@pytest.fixture
def written(tmp_path):
    def write(definition):
        path = tmp_path / 'tf_graph.pb'
        path.write_bytes(definition.SerializeToString())
        return path
    return write


def test_frozen_variables_are_read(frozen, written, arrays, assert_same):
    found = frozen_graph.read_weights(written(frozen))
    assert found.configuration == NetworkConfiguration()
    assert_same(found.arrays, arrays)


def test_description_is_read(written, graph_of, weights, assert_same):
    path = written(graph_of({**weights.arrays, DESCRIPTION: described(weights.configuration)}))
    found = frozen_graph.read_weights(path)
    assert found.configuration == weights.configuration != NetworkConfiguration()
    assert_same(found.arrays, weights.arrays)


@pytest.mark.parametrize('description, message', [
    (np.float32(3), 'entry modelscope-aams is wrong'),
    (b'\xff{', 'entry modelscope-aams is wrong'),
    ('{"version": 2}', 'version 2; expected 1'),
    (described(NetworkConfiguration().without('conv3_4')), 'encoder_layers'),
])
def test_wrong_description(written, graph_of, arrays, description, message):
    path = written(graph_of({**arrays, DESCRIPTION: description}))
    with pytest.raises(CheckpointError, match=rf'tf_graph\.pb.*{message}') as error:
        frozen_graph.read_weights(path)
    assert '\n' not in str(error.value)


def test_encoder_alone(written, graph_of, arrays, assert_same):
    encoder = encoder_part(arrays)
    assert_same(frozen_graph.read_encoder(written(graph_of(encoder))), encoder)
    with pytest.raises(NotOfficialLayout, match='self_attention/f_conv/conv2d/kernel: .*none'):
        frozen_graph.read_weights(written(graph_of(encoder)))


def test_encoder_of_a_whole_graph(frozen, written, arrays, assert_same):
    assert_same(frozen_graph.read_encoder(written(frozen)), encoder_part(arrays))


@pytest.mark.parametrize('rename', ['import/{}', 'a/b/{}', '{}/read'])
def test_names_that_importing_or_folding_changed(written, graph_of, arrays, assert_same, rename):
    graph = graph_of({rename.format(name): array for name, array in arrays.items()})
    assert_same(frozen_graph.read_weights(written(graph)).arrays, arrays)


def test_other_constants_do_not_count(written, graph_of, arrays, assert_same):
    others = {'vgg_19/mean': np.ones(3, np.float32), 'decoder/paddings': np.ones((4, 2), np.int32),
              'kernel': np.ones((3, 3), np.float32), 'other/weights': np.ones(2, np.float32),
              'vgg_19/conv4/conv4_2/weights': np.ones((3, 3, 512, 512), np.float32),
              'decoder/inv_conv4_1/conv2d/kernel/Regularizer/scale': np.ones((), np.float32)}
    assert_same(frozen_graph.read_weights(written(graph_of({**arrays, **others}))).arrays, arrays)


def test_half_precision(written, graph_of, arrays, assert_same):
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    assert_same(frozen_graph.read_weights(written(graph_of(halves))).arrays,
                {name: array.astype(np.float32) for name, array in halves.items()})


def test_nothing_is_run_or_imported(frozen, written, arrays, assert_same, tmp_path):
    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(frozen)
    victim = tmp_path / 'written_by_the_graph'
    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file(str(victim), 'x')
    definition.node.extend(graph.as_graph_def().node)
    # TensorFlow refuses a graph with an operation that it does not know.
    definition.node.add(name='strange', op='NoSuchOperation')
    with pytest.raises(tf.errors.NotFoundError, match='NoSuchOperation'):
        with tf.Graph().as_default():
            tf.graph_util.import_graph_def(definition)
    assert_same(frozen_graph.read_weights(written(definition)).arrays, arrays)
    assert not victim.exists()


def test_other_layouts(fault, written, graph_of):
    arrays, message = fault
    with pytest.raises(NotOfficialLayout,
                       match=rf'^not the official layout: .*tf_graph\.pb: variable {message}$'):
        frozen_graph.read_weights(written(graph_of(arrays)))


def test_graph_without_weights(written, graph_of):
    with pytest.raises(NotOfficialLayout, match=r'conv1_1/weights: .* found none'):
        frozen_graph.read_weights(written(graph_of({'x': np.ones(3, np.float32)})))


def test_variable_that_is_there_twice(written, graph_of, arrays, assert_same):
    name = 'decoder/inv_conv1_1/conv2d/bias'
    same = graph_of({**arrays, f'copy/{name}': arrays[name]})
    assert_same(frozen_graph.read_weights(written(same)).arrays, arrays)
    other = graph_of({**arrays, f'copy/{name}': arrays[name] + 1})
    with pytest.raises(NotOfficialLayout, match=f'{name} is there twice'):
        frozen_graph.read_weights(written(other))


def test_value_that_is_not_finite(written, graph_of, arrays):
    bad = graph_of({**arrays, 'decoder/inv_conv1_1/conv2d/bias': np.full(3, np.nan, np.float32)})
    with pytest.raises(CheckpointError, match=r'tf_graph\.pb: .*inv_conv1_1/conv2d/bias.* finite'):
        frozen_graph.read_weights(written(bad))


def test_other_types_are_refused(written, graph_of, arrays):
    graph = graph_of({**arrays, 'decoder/inv_conv1_1/conv2d/bias': np.ones(3, np.int32)})
    with pytest.raises(CheckpointError, match=r'tf_graph\.pb: .*conv2d/bias .* DT_FLOAT or'):
        frozen_graph.read_weights(written(graph))


def test_values_that_do_not_fill_the_shape(frozen, written):
    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(frozen)
    node = next(node for node in definition.node if node.name.endswith('inv_conv2_1/conv2d/bias'))
    node.attr['value'].tensor.tensor_content = b'1234567'
    with pytest.raises(CheckpointError, match='inv_conv2_1/conv2d/bias do not fill its shape'):
        frozen_graph.read_weights(written(definition))


def test_declared_size_costs_no_memory(frozen, written):
    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(frozen)
    node = next(node for node in definition.node if node.name.endswith('inv_conv2_1/conv2d/bias'))
    node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(1.0, shape=(1 << 20, 1 << 20)))
    with pytest.raises(NotOfficialLayout, match=r'found \(1048576, 1048576\)'):
        frozen_graph.read_weights(written(definition))


@pytest.mark.parametrize('content', [
    b'', b'junk', b'\x0a\x05', b'\x78\x01', np.random.default_rng(3).bytes(5000)],
    ids=['empty', 'text', 'cut', 'unknown field', 'noise'])
def test_no_graph(tmp_path, content):
    path = tmp_path / 'tf_graph.pb'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r'tf_graph\.pb is not a .*TensorFlow graph') as error:
        frozen_graph.read_weights(path)
    assert not isinstance(error.value, NotOfficialLayout)


def test_truncated_graph(frozen, written):
    path = written(frozen)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r'tf_graph\.pb is not a whole TensorFlow graph'):
        frozen_graph.read_weights(path)
