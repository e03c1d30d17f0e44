"""VGG-16's layers beyond the shipped encoder, out of every kind of file."""
import h5py
import numpy as np
import pytest

from modelscope_aams.checkpoints.layout import CheckpointError
from modelscope_aams.evaluation.vgg_weights import DEEPER, read_vgg, shipped_vgg


@pytest.fixture(scope='module')
def deeper():
    rng = np.random.default_rng(0)
    arrays = {}
    for layer in DEEPER:
        arrays[f'{layer}/kernel'] = rng.standard_normal((3, 3, 512, 512), np.float32)
        arrays[f'{layer}/bias'] = rng.standard_normal(512, np.float32)
    return arrays


@pytest.fixture(scope='module')
def shipped():
    return shipped_vgg()


def write_archive(path, arrays):
    np.savez(path / 'w.npz', **arrays)
    return path / 'w.npz'


def write_archives(path, arrays):
    for layer in DEEPER:
        np.savez(path / f'{layer}.npz', **{
            name: array for name, array in arrays.items() if name.startswith(layer)})
    return path


def write_folder(path, arrays):
    for name, array in arrays.items():
        (path / name).parent.mkdir(exist_ok=True)
        np.save(path / f'{name}.npy', array)
    return path


def write_keras(path, arrays):
    with h5py.File(path / 'vgg.h5', 'w') as file:
        for name, array in arrays.items():
            layer, kind = name.split('/')
            theirs = f'block{layer[4]}_conv{layer[6]}'
            file[f'{theirs}/{theirs}/{kind}:0'] = array
    return path / 'vgg.h5'


@pytest.mark.parametrize('write', [write_archive, write_archives, write_folder, write_keras])
def test_every_kind_of_file(deeper, shipped, tmp_path, write):
    (tmp_path / 'notes.txt').write_text('of another kind')
    source = write(tmp_path, {**deeper, 'conv4_1/kernel': shipped['conv4_1/kernel'] * 1.0002})
    found = read_vgg(source)
    expected = {**shipped, **deeper}
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(found[name], array), name


def assert_refused(path, message):
    with pytest.raises(CheckpointError, match=message) as error:
        read_vgg(path)
    assert '\n' not in str(error.value)


def test_what_is_missing_is_named(deeper, tmp_path):
    del (arrays := dict(deeper))['conv4_3/bias']
    assert_refused(write_folder(tmp_path, arrays), 'lacks conv4_3/bias; expected a VGG-16 of Keras')
    assert_refused(tmp_path / 'none', 'none is not there; expected')
    (tmp_path / 'w.pth').write_bytes(b'weights')
    assert_refused(tmp_path / 'w.pth', 'w.pth is of another kind; expected')


@pytest.mark.parametrize('name, array, message', [
    ('conv5_1/kernel', np.zeros((512, 512, 3, 3), np.float32), r'of shape \(512, 512, 3, 3\); '
     r'expected finite floats of shape \(3, 3, 512, 512\)'),
    ('conv4_2/bias', np.full(512, np.nan), 'conv4_2/bias is float64'),
    ('conv4_2/bias', np.zeros(512, int), 'conv4_2/bias is int64'),
    ('conv4_1/kernel', np.zeros((3, 3, 256, 512), np.float32), 'is not that of the shipped'),
])
def test_arrays_of_another_network(deeper, tmp_path, name, array, message):
    assert_refused(write_folder(tmp_path, {**deeper, name: array}), message)


def test_a_vgg19_is_another_network(deeper, tmp_path):
    path = write_keras(tmp_path, {**deeper, 'conv4_4/bias': np.zeros(512, np.float32)})
    assert_refused(path, 'holds a VGG-19; expected a VGG-16')


@pytest.mark.parametrize('length', [0, 100, 10_000_000])
def test_a_damaged_archive(deeper, tmp_path, length):
    path = write_archive(tmp_path, deeper)
    path.write_bytes(path.read_bytes()[:length])
    assert_refused(path, 'w.npz cannot be read as NumPy arrays')


def test_nothing_in_a_file_is_run(deeper, tmp_path):
    path = tmp_path / 'w.npz'
    np.savez(path, **{**deeper, 'conv4_2/kernel': np.array([print], object)})
    assert_refused(path, 'cannot be read as NumPy arrays')
