import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from modelscope_aams.checkpoints import native
from modelscope_aams.checkpoints.layout import (CheckpointError, Weights, complete, encoder_part,
                                                 has_identity)


@pytest.fixture(scope='module')
def file(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp('native') / 'aams.safetensors'
    native.save_weights(path, weights)
    return path


@pytest.fixture
def altered(file, tmp_path):
    """Writes a copy of the file with some of its tensors, or its metadata, changed."""
    def alter(tensors=None, metadata=None):
        with safe_open(file, 'numpy') as opened:
            kept = {name: opened.get_tensor(name) for name in opened.keys()}
            entries = opened.metadata() if metadata is None else metadata
        path = tmp_path / 'altered.safetensors'
        save_file({**kept, **(tensors or {})}, path, entries)
        return path
    return alter


def test_round_trip(file, weights, assert_same):
    found = native.read_weights(file)
    assert found.configuration == weights.configuration
    assert_same(found.arrays, {name: array.astype(np.float16).astype(np.float32)
                               for name, array in weights.arrays.items()})
    for name, array in weights.arrays.items():
        # Ten bits of mantissa, and an absolute step below the smallest normal number.
        np.testing.assert_allclose(found.arrays[name], array, rtol=2 ** -11, atol=2 ** -25)


def test_encoder_alone(file, assert_same):
    assert_same(native.read_encoder(file), encoder_part(native.read_weights(file).arrays))


def test_whole_layout_fits_twenty_megabytes(file):
    assert file.stat().st_size <= 20e6


def test_identity_survives(weights, tmp_path):
    arrays = complete({name: array for name, array in weights.arrays.items()
                       if not name.startswith('vgg_19/conv3/conv3_4/')})
    native.save_weights(tmp_path / 'vgg16.safetensors', Weights(arrays))
    assert has_identity(native.read_weights(tmp_path / 'vgg16.safetensors').arrays)


def test_same_weights_give_the_same_bytes(file, weights, tmp_path):
    native.save_weights(tmp_path / 'again.safetensors', weights)
    assert (tmp_path / 'again.safetensors').read_bytes() == file.read_bytes()


def test_writing_goes_over_the_file_in_one_move(file, weights, tmp_path):
    path = tmp_path / 'kept.safetensors'
    path.write_bytes(b'old')
    with open(path, 'rb') as old:
        native.save_weights(path, weights)
        # Who has the old file open still reads it whole.
        assert old.read() == b'old'
    assert path.read_bytes() == file.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ['kept.safetensors']


def test_value_beyond_float16_is_refused(arrays, tmp_path):
    bias = np.full(3, -7e4, np.float32)
    with pytest.raises(CheckpointError,
                       match=r'big\.safetensors: .*inv_conv1_1/conv2d/bias .*70000.*65504'):
        native.save_weights(tmp_path / 'big.safetensors',
                            Weights({**arrays, 'decoder/inv_conv1_1/conv2d/bias': bias}))
    assert not list(tmp_path.iterdir())


def test_wrong_arrays_are_not_written(fault, tmp_path):
    arrays, message = fault
    with pytest.raises(CheckpointError, match=message):
        native.save_weights(tmp_path / 'wrong.safetensors', Weights(arrays))
    assert not list(tmp_path.iterdir())


def test_wrong_arrays_are_not_read(fault, file, tmp_path):
    arrays, message = fault
    with safe_open(file, 'numpy') as opened:
        entries = opened.metadata()
    path = tmp_path / 'wrong.safetensors'
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path, entries)
    with pytest.raises(CheckpointError, match=rf'wrong\.safetensors: variable {message}'):
        native.read_weights(path)


def test_float32_is_read_too(file, arrays, altered):
    name = 'decoder/inv_conv1_1/conv2d/bias'
    path = altered({name: arrays[name].copy()})
    np.testing.assert_array_equal(native.read_weights(path).arrays[name], arrays[name])


@pytest.mark.parametrize('dtype, name', [(np.int8, 'I8'), (np.float64, 'F64')])
def test_other_types_are_refused(altered, dtype, name):
    path = altered({'decoder/inv_conv1_1/conv2d/bias': np.ones(3, dtype)})
    with pytest.raises(CheckpointError, match=rf'altered\.safetensors: .*conv2d/bias .* {name};'):
        native.read_weights(path)


def test_nan_in_the_file_is_refused(altered):
    path = altered({'decoder/inv_conv1_1/conv2d/bias': np.full(3, np.nan, np.float16)})
    with pytest.raises(CheckpointError, match=r'altered\.safetensors: .*conv2d/bias .*finite'):
        native.read_weights(path)


@pytest.mark.parametrize('metadata', [{}, {'format': 'pt'}])
def test_safetensors_of_something_else(altered, metadata):
    path = altered(metadata=metadata)
    assert not native.is_native(path)
    with pytest.raises(CheckpointError, match=r'altered\.safetensors is .* of something else'):
        native.read_weights(path)


@pytest.mark.parametrize('entry, message', [
    ('{', 'entry modelscope-aams is wrong'),
    ('[]', 'entry modelscope-aams is wrong'),
    ('{"configuration": {}}', "entry modelscope-aams is wrong: 'version'"),
    ('{"version": 1}', "entry modelscope-aams is wrong: 'configuration'"),
    ('{"version": 1, "configuration": 3}', 'entry modelscope-aams is wrong'),
    ('{"version": 1, "configuration": {"peak": 3}}', 'configuration: unknown setting peak'),
    ('{"version": 1, "configuration": {"attention_peak": "much"}}', 'is wrong'),
    ('{"version": 1, "configuration": {"encoder_layers": [[]]}}', 'is wrong'),
    ('{"version": 2, "configuration": {"new": 3}}', 'version 2; expected 1'),
])
def test_wrong_metadata(altered, entry, message):
    path = altered(metadata={native.FORMAT: entry})
    with pytest.raises(CheckpointError, match=message) as error:
        native.read_weights(path)
    assert str(path) in str(error.value) and '\n' not in str(error.value)


def test_configuration_of_another_encoder_is_refused(altered, weights):
    layers = weights.configuration.without('conv3_4').encoder_layers
    entry = json.dumps({'version': 1, 'configuration': {'encoder_layers': layers}})
    with pytest.raises(CheckpointError, match=r'altered\.safetensors: encoder_layers'):
        native.read_weights(altered(metadata={native.FORMAT: entry}))


@pytest.mark.parametrize('keep', [0, 5, 8, 200, 100_000, -1])
def test_damaged_file(file, tmp_path, keep):
    path = tmp_path / 'cut.safetensors'
    path.write_bytes(file.read_bytes()[:keep])
    for read in (native.read_weights, native.read_encoder, native.is_native):
        with pytest.raises(CheckpointError, match=r'cut\.safetensors is not a whole safetensors'):
            read(path)


def test_garbage(tmp_path):
    path = tmp_path / 'noise.safetensors'
    path.write_bytes(np.random.default_rng(2).bytes(4096))
    with pytest.raises(CheckpointError, match=r'noise\.safetensors is not a whole safetensors'):
        native.read_weights(path)
