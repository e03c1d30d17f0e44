"""Weights of the official layout, and the files that TensorFlow writes of them."""
import numpy as np
import pytest

from modelscope_aams.checkpoints.layout import SHAPES, Weights
from modelscope_aams.network.configuration import NetworkConfiguration

#: What is wrong with a file -> how to get it from the right arrays, and the error it gives.
FAULTS = {
    'missing': (lambda arrays: arrays.pop('decoder/inv_conv2_2/conv2d/kernel'),
                r'decoder/inv_conv2_2/conv2d/kernel: '
                r'expected shape \(3, 3, 128, 128\), found none'),
    'extra': (lambda arrays: arrays.update({'decoder/extra/conv2d/kernel': np.ones((1, 1, 2, 3),
                                                                                   np.float32)}),
              r'decoder/extra/conv2d/kernel: expected shape none, found \(1, 1, 2, 3\)'),
    'misshapen': (lambda arrays: arrays.update({'vgg_19/conv1/conv1_1/biases':
                                                np.ones(65, np.float32)}),
                  r'vgg_19/conv1/conv1_1/biases: expected shape \(64,\), found \(65,\)'),
}


@pytest.fixture(scope='session')
def arrays():
    """Random arrays of the whole layout, conv3_4 not the identity; not to be changed."""
    random = np.random.default_rng(5)
    made = {name: random.normal(0, 0.03, shape).astype(np.float32)
            for name, shape in SHAPES.items()}
    for array in made.values():
        array.setflags(write=False)
    return made


@pytest.fixture(scope='session')
def weights(arrays):
    return Weights(arrays, NetworkConfiguration(attention_features='normalised',
                                                attention_peak=99.5))


@pytest.fixture(params=FAULTS)
def fault(request, arrays):
    """Faulty arrays and the pattern of the error that they have to give."""
    change, message = FAULTS[request.param]
    changed = dict(arrays)
    change(changed)
    return changed, message


@pytest.fixture(scope='session')
def save_checkpoint():
    """Writes arrays as a TensorFlow checkpoint of the newer format."""
    import tensorflow as tf

    def save(prefix, arrays):
        names = list(arrays)
        tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names,
                          shape_and_slices=[''] * len(names),
                          tensors=[tf.constant(arrays[name]) for name in names])
        return prefix
    return save


@pytest.fixture(scope='session')
def graph_of():
    """Makes a GraphDef of constants by name."""
    import tensorflow as tf

    def make(arrays):
        graph = tf.Graph()
        with graph.as_default():
            for name, array in arrays.items():
                tf.constant(array, name=name)
        return graph.as_graph_def()
    return make


def assert_same(found, expected):
    """The same names, float32 values that are equal."""
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.fixture(scope='session', name='assert_same')
def assert_same_fixture():
    return assert_same
