import subprocess
import sys

import numpy as np
import pytest

from modelscope_aams.checkpoints.layout import (
    ENCODER_SHAPES, SHAPES, CheckpointError, Weights, build_network, check_arrays, complete,
    encoder_part, has_identity, network_weights)
from modelscope_aams.network.autoencoder import AttentionAutoencoder
from modelscope_aams.network.configuration import VGG19_LAYERS, NetworkConfiguration

CONV3_4 = ('vgg_19/conv3/conv3_4/weights', 'vgg_19/conv3/conv3_4/biases')


@pytest.fixture(scope='module')
def vgg16(weights):
    arrays = {name: array for name, array in weights.arrays.items() if name not in CONV3_4}
    return Weights(complete(arrays), weights.configuration)


def test_layout_is_that_of_the_network():
    network = AttentionAutoencoder()
    assert {name: tuple(variable.shape)
            for name, variable in network.named_variables().items()} == SHAPES


def test_layout_has_the_published_names():
    assert SHAPES['vgg_19/conv1/conv1_1/weights'] == (3, 3, 3, 64)
    assert SHAPES['vgg_19/conv4/conv4_1/biases'] == (512,)
    assert SHAPES['self_attention/f_conv/conv2d/kernel'] == (1, 1, 512, 256)
    assert SHAPES['self_attention/h_conv/conv2d/kernel'] == (1, 1, 512, 512)
    assert SHAPES['decoder/inv_conv4_1/conv2d/kernel'] == (3, 3, 512, 256)
    assert SHAPES['decoder/inv_conv1_1/conv2d/bias'] == (3,)
    assert len(SHAPES) == 2 * (10 - 1 + 3 + 9)


def test_right_arrays_pass(arrays):
    check_arrays(arrays, 'file')
    check_arrays(encoder_part(arrays), 'file', ENCODER_SHAPES)


def test_wrong_arrays_are_named(fault):
    arrays, message = fault
    with pytest.raises(CheckpointError, match=f'^some.file: variable {message}$'):
        check_arrays(arrays, 'some.file')


def test_further_faults_are_counted(arrays):
    with pytest.raises(CheckpointError, match=r'f_conv/conv2d/kernel: .* \(and 23 more'):
        check_arrays(encoder_part(arrays), 'some.file')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_value_that_is_not_finite_is_named(arrays, value):
    bias = np.full(256, value, np.float32)
    with pytest.raises(CheckpointError, match='^some.file: .*/f_conv/conv2d/bias .*finite'):
        check_arrays({**arrays, 'self_attention/f_conv/conv2d/bias': bias}, 'some.file')


def test_full_vgg19_is_built_whole(weights, assert_same):
    network = build_network(weights)
    assert network.configuration == weights.configuration
    assert_same(network.arrays(), weights.arrays)


def test_identity_is_not_built(vgg16, assert_same):
    network = build_network(vgg16)
    assert network.configuration == vgg16.configuration.without('conv3_4')
    assert 'conv3_4' not in network.encoder.convolutions
    assert_same(network.arrays(),
                {name: vgg16.arrays[name] for name in SHAPES if name not in CONV3_4})


def test_features_without_identity_are_those_with_it(vgg16):
    whole = AttentionAutoencoder(vgg16.configuration)
    whole.assign(vgg16.arrays)
    picture = np.random.default_rng(1).uniform(-120, 130, (1, 40, 56, 3)).astype(np.float32)
    found, expected = build_network(vgg16).encoder(picture), whole.encoder(picture)
    for layer, features in expected.items():
        features = np.asarray(features)
        assert features.max() > 0
        np.testing.assert_allclose(np.asarray(found[layer]), features,
                                   rtol=0, atol=1e-6 * features.max(), err_msg=layer)


@pytest.mark.parametrize('name', CONV3_4)
def test_near_identity_is_kept(vgg16, name):
    changed = vgg16.arrays[name].copy()
    changed.flat[-1] += 1e-6
    assert has_identity(vgg16.arrays)
    assert not has_identity({**vgg16.arrays, name: changed})


def test_complete_adds_no_half_layer(arrays):
    lacking = {name: array for name, array in arrays.items() if name != CONV3_4[1]}
    with pytest.raises(CheckpointError, match='conv3_4/biases: .* found none'):
        check_arrays(complete(lacking), 'file')


@pytest.mark.parametrize('kind', ['weights', 'vgg16'])
def test_network_gives_its_weights_back(request, kind, assert_same):
    given = request.getfixturevalue(kind)
    found = network_weights(build_network(given))
    assert found.configuration == given.configuration
    assert found.configuration.encoder_layers == VGG19_LAYERS
    assert_same(found.arrays, given.arrays)


def test_options_reach_the_network(vgg16):
    assert build_network(vgg16, dtype='mixed_bfloat16').encoder.compute_dtype == 'bfloat16'


def test_network_is_built_of_whole_weights_only(fault):
    arrays, message = fault
    with pytest.raises(CheckpointError, match=message):
        build_network(Weights(arrays))


def test_configuration_of_another_encoder_is_refused(arrays):
    with pytest.raises(CheckpointError, match='encoder_layers'):
        build_network(Weights(arrays, NetworkConfiguration().without('conv3_4')))


def test_readers_are_light():
    code = ('import sys, modelscope_aams.checkpoints.reading\n'
            'sys.exit(bool({"tensorflow", "keras"} & set(sys.modules)))')
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
