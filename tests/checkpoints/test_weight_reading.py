import io
import pathlib
import pickle
import shutil

import h5py
import numpy as np
import pytest

from modelscope_aams.checkpoints import native
from modelscope_aams.checkpoints.layout import (CheckpointError, NotOfficialLayout, Weights,
                                                 complete, encoder_part)
from modelscope_aams.checkpoints.reading import WeightsNotFound, read_encoder, read_weights


@pytest.fixture(scope='module')
def files(arrays, tmp_path_factory, save_checkpoint, graph_of):
    """A file of each kind; each kind has its own value in one bias, to tell them apart."""
    folder = tmp_path_factory.mktemp('kinds')

    def marked(value):
        return {**arrays, 'decoder/inv_conv1_1/conv2d/bias': np.full(3, value, np.float32)}

    native.save_weights(folder / 'aams.safetensors', Weights(marked(1)))
    (folder / 'tf_graph.pb').write_bytes(graph_of(marked(2)).SerializeToString())
    save_checkpoint(folder / 'model.ckpt-9', marked(3))
    (folder / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-9"\n')
    return folder


def mark(weights):
    return weights.arrays['decoder/inv_conv1_1/conv2d/bias'][0]


@pytest.mark.parametrize('name, expected', [
    ('aams.safetensors', 1), ('tf_graph.pb', 2), ('model.ckpt-9', 3), ('model.ckpt-9.index', 3),
    ('model.ckpt-9.data-00000-of-00001', 3)])
def test_kind_of_file_is_found_out(files, arrays, assert_same, name, expected):
    assert mark(read_weights(files / name)) == expected
    assert mark(read_weights(str(files / name))) == expected
    encoder = encoder_part(arrays)
    if expected == 1:
        encoder = {name: array.astype(np.float16).astype(np.float32)
                   for name, array in encoder.items()}
    assert_same(read_encoder(files / name), encoder)


def test_native_file_of_another_name(files, tmp_path):
    shutil.copy(files / 'aams.safetensors', tmp_path / 'weights.bin')
    assert mark(read_weights(tmp_path / 'weights.bin')) == 1


def test_directory_is_looked_through_in_order(files, tmp_path):
    directory = tmp_path / 'model'
    shutil.copytree(files, directory)
    (directory / 'configuration.json').write_text('{}')
    for first, files_of_kind in enumerate(('*.safetensors', '*.pb', 'model.ckpt*'), 1):
        assert mark(read_weights(directory)) == first
        assert read_encoder(directory)
        for file in directory.glob(files_of_kind):
            file.unlink()
    (directory / 'checkpoint').unlink()
    for read in (read_weights, read_encoder):
        with pytest.raises(WeightsNotFound, match=r'model holds no weights; looked for '
                           r'\*\.safetensors .* tf_graph\.pb, .* TensorFlow checkpoint'):
            read(directory)


def test_foreign_safetensors_in_a_directory_are_passed_over(files, tmp_path):
    from safetensors.numpy import save_file
    save_file({'x': np.ones(2)}, tmp_path / 'training_state.safetensors')
    shutil.copy(files / 'aams.safetensors', tmp_path)
    assert mark(read_weights(tmp_path)) == 1
    shutil.copy(files / 'aams.safetensors', tmp_path / 'second.safetensors')
    with pytest.raises(CheckpointError, match=r'name one of aams\.safetensors, second\.safeten'):
        read_weights(tmp_path)


def test_damaged_file_in_a_directory_is_an_error(files, tmp_path):
    shutil.copy(files / 'tf_graph.pb', tmp_path)
    (tmp_path / 'aams.safetensors').write_bytes(
        (files / 'aams.safetensors').read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r'aams\.safetensors is not a whole'):
        read_weights(tmp_path)


def test_graph_of_another_network(tmp_path, graph_of):
    graph = graph_of({'net/kernel': np.ones(3, np.float32)})
    (tmp_path / 'tf_graph.pb').write_bytes(graph.SerializeToString())
    for read in (read_weights, read_encoder):
        for path in (tmp_path, tmp_path / 'tf_graph.pb'):
            with pytest.raises(NotOfficialLayout, match=r'tf_graph\.pb'):
                read(path)


def test_older_checkpoint_format(arrays, tmp_path, assert_same):
    import tensorflow as tf
    encoder = encoder_part(arrays)
    path = tmp_path / 'vgg_19.ckpt'
    tf.raw_ops.SaveSlices(filename=str(path), tensor_names=list(encoder),
                          shapes_and_slices=[''] * len(encoder), data=list(encoder.values()))
    assert_same(read_encoder(path), encoder)
    with pytest.raises(CheckpointError, match=r'vgg_19\.ckpt: .*self_attention/f_conv'):
        read_weights(path)


def test_keras_file_is_an_encoder_alone(arrays, tmp_path, assert_same):
    expected = complete({name: array for name, array in encoder_part(arrays).items()
                         if '/conv3_4/' not in name})
    path = tmp_path / 'vgg16.hdf5'
    with h5py.File(path, 'w') as file:
        for name, array in expected.items():
            _, block, layer, kind = name.split('/')
            if layer != 'conv3_4':
                place = f'block{block[4:]}_conv{layer[-1]}'
                array = array[:, :, ::-1] if name.endswith('conv1_1/weights') else array
                file[f'{place}/{place}/{"kernel" if kind == "weights" else "bias"}'] = array
    assert_same(read_encoder(path), expected)
    with pytest.raises(CheckpointError, match=r'vgg16\.hdf5 is a Keras file, which holds an enc'):
        read_weights(path)


@pytest.mark.parametrize('name', ['gone', 'gone.safetensors', 'gone/tf_graph.pb', 'gone.index'])
def test_path_of_nothing(tmp_path, name):
    for read in (read_weights, read_encoder):
        with pytest.raises(WeightsNotFound, match=f'{name}: no such file') as error:
            read(tmp_path / name)
        assert isinstance(error.value, (FileNotFoundError, CheckpointError))


class Harmful:
    """Makes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def _pickled(protocol):
    return lambda victim: pickle.dumps(Harmful(victim), protocol)


def _zipped(victim):
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([Harmful(victim)], object))
    return buffer.getvalue()


CONTENTS = {
    'pickle 2': (_pickled(2), 'a Python pickle'), 'pickle 4': (_pickled(4), 'a Python pickle'),
    'pickle 5': (_pickled(5), 'a Python pickle'), 'zip': (_zipped, 'a zip archive'),
    'empty': (lambda victim: b'', 'empty'),
}


@pytest.mark.parametrize('name', ['weights', 'w.safetensors', 'tf_graph.pb', 'vgg.h5', 'v.ckpt'])
@pytest.mark.parametrize('content', CONTENTS)
def test_files_that_are_refused(tmp_path, content, name):
    make, message = CONTENTS[content]
    victim = tmp_path / 'made'
    (tmp_path / name).write_bytes(make(victim))
    for read in (read_weights, read_encoder):
        with pytest.raises(CheckpointError, match=f'{name} is {message}') as error:
            read(tmp_path / name)
        assert '\n' not in str(error.value)
    assert not victim.exists()


@pytest.mark.parametrize('content', [b'x', b'hello, world', b'\x0a' * 50, _pickled(0)('made'),
                                     np.random.default_rng(8).bytes(3000)])
def test_unknown_files(tmp_path, content):
    (tmp_path / 'weights.dat').write_bytes(content)
    for read in (read_weights, read_encoder):
        with pytest.raises(CheckpointError, match=r'weights\.dat is of an unknown kind; expected'):
            read(tmp_path / 'weights.dat')
