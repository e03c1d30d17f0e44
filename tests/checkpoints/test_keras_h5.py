import h5py
import keras
import numpy as np
import pytest

from modelscope_aams.checkpoints import keras_h5
from modelscope_aams.checkpoints.layout import (ENCODER_SHAPES, CheckpointError, Weights,
                                                 build_network, complete, has_identity)

#: The encoder's layers as Keras and as the official checkpoints call them.
LAYERS = {f'block{name[4]}_conv{name[6]}': name
          for name in (key.split('/')[2] for key in ENCODER_SHAPES if key.endswith('weights'))}


def official_arrays(model):
    """What a reader has to make of a Keras VGG."""
    arrays = {}
    for theirs, ours in LAYERS.items():
        if any(layer.name == theirs for layer in model.layers):
            kernel, bias = model.get_layer(theirs).get_weights()
            prefix = f'vgg_19/{ours[:5]}/{ours}'
            arrays[f'{prefix}/weights'] = kernel[:, :, ::-1] if ours == 'conv1_1' else kernel
            arrays[f'{prefix}/biases'] = bias
    return complete(arrays)


def write_applications_style(path, model, names=('{0}_W_1:0', '{0}_b_1:0')):
    """The layout of the files that keras.applications downloads."""
    with h5py.File(path, 'w') as file:
        file.attrs['layer_names'] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            values = layer.get_weights()
            group.attrs['weight_names'] = [name.format(layer.name).encode()
                                           for name in names[:len(values)]]
            for name, value in zip(names, values):
                group[name.format(layer.name)] = value


@pytest.fixture(scope='module', params=['VGG16', 'VGG19'])
def model(request):
    keras.utils.set_random_seed(4)
    made = getattr(keras.applications, request.param)(weights=None, include_top=False)
    random = np.random.default_rng(4)
    for layer in made.layers:
        if layer.weights:
            layer.bias.assign(random.normal(0, 0.1, layer.bias.shape))
    return made


@pytest.fixture(scope='module')
def plain(model, tmp_path_factory):
    """A file of the layout of keras.applications; not to be changed."""
    path = tmp_path_factory.mktemp('keras') / 'vgg_notop.h5'
    write_applications_style(path, model)
    return path


@pytest.fixture
def copy(plain, tmp_path):
    path = tmp_path / 'copy.h5'
    path.write_bytes(plain.read_bytes())
    return path


def test_file_of_keras_applications(model, plain, assert_same):
    assert_same(keras_h5.read_encoder(plain), official_arrays(model))


def test_file_of_newer_keras_applications(model, tmp_path, assert_same):
    write_applications_style(tmp_path / 'vgg.h5', model, ('{0}/kernel:0', '{0}/bias:0'))
    assert_same(keras_h5.read_encoder(tmp_path / 'vgg.h5'), official_arrays(model))


def test_weights_that_keras_saves(model, tmp_path, assert_same):
    model.save_weights(tmp_path / 'vgg.weights.h5')
    assert_same(keras_h5.read_encoder(tmp_path / 'vgg.weights.h5'), official_arrays(model))


def test_weights_that_keras_saved_without_layer_names(model, tmp_path, assert_same):
    model.save_weights(tmp_path / 'vgg.weights.h5')
    with h5py.File(tmp_path / 'vgg.weights.h5', 'r+') as file:
        for group in file['layers'].values():
            del group['vars'].attrs['name']
    assert_same(keras_h5.read_encoder(tmp_path / 'vgg.weights.h5'), official_arrays(model))


def test_whole_model_that_keras_saves(model, tmp_path, assert_same):
    path = tmp_path / 'vgg.h5'
    model.save(path)
    with h5py.File(path, 'r+') as file:
        # The description of the model is not looked at.
        file.attrs['model_config'] = '{"class_name": "Lambda", "config": "os.abort()"'
    assert_same(keras_h5.read_encoder(path), official_arrays(model))


def test_half_precision(model, copy, assert_same):
    with h5py.File(copy, 'r+') as file:
        name = 'block2_conv1/block2_conv1_b_1:0'
        half = file[name][()].astype(np.float16)
        del file[name]
        file[name] = half
    expected = official_arrays(model)
    expected['vgg_19/conv2/conv2_1/biases'] = half.astype(np.float32)
    assert_same(keras_h5.read_encoder(copy), expected)


def test_vgg16_gets_an_identity(model, plain):
    assert has_identity(keras_h5.read_encoder(plain)) == (model.name == 'vgg16')


def test_features_are_those_of_keras(model, plain, arrays):
    picture = np.random.default_rng(6).integers(0, 256, (1, 24, 32, 3)).astype(np.float32)
    first = keras.Model(model.input, model.get_layer('block1_conv1').output)
    # Keras's own preprocessing: BGR, mean subtracted.
    expected = first(keras.applications.vgg16.preprocess_input(picture.copy()))
    network = build_network(Weights({**arrays, **keras_h5.read_encoder(plain)}))
    found = network(picture)['features']['conv1_1']
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('change, message', [
    (lambda file: file.pop('block2_conv2'),
     r'conv2_2/weights: expected shape \(3, 3, 128, 128\), found none \(and 1 more'),
    (lambda file: file.create_dataset('block1_conv3/block1_conv3_W_1:0', data=np.ones((1, 2))),
     r'vgg_19/conv1/conv1_3/weights: expected shape none, found \(1, 2\)'),
    (lambda file: file.move('block1_conv1/block1_conv1_b_1:0', 'block1_conv2/extra_b:0'),
     r'/block1_conv2/block1_conv2_b_1:0 and /block1_conv2/extra_b:0 are of one layer'),
    (lambda file: file['block1_conv1/block1_conv1_b_1:0'].write_direct(
        np.full(64, np.nan, np.float32)), r'conv1_1/biases .* not finite'),
])
def test_wrong_variables(copy, change, message):
    with h5py.File(copy, 'r+') as file:
        change(file)
    with pytest.raises(CheckpointError, match=rf'copy\.h5: .*{message}'):
        keras_h5.read_encoder(copy)


@pytest.mark.parametrize('value, message', [
    (np.ones(65, np.float32), r'expected shape \(64,\), found \(65,\)'),
    (h5py.Empty('f'), r'expected shape \(64,\), found \(\)'),
    (np.ones(64, np.int32), 'is of type int32; expected floats')])
def test_wrong_dataset(copy, value, message):
    with h5py.File(copy, 'r+') as file:
        del file['block1_conv1/block1_conv1_b_1:0']
        file['block1_conv1/block1_conv1_b_1:0'] = value
    with pytest.raises(CheckpointError, match=rf'copy\.h5: variable .*conv1_1/biases.* {message}'):
        keras_h5.read_encoder(copy)


@pytest.mark.parametrize('kind', ['link', 'soft link', 'raw file', 'virtual'])
def test_other_files_are_not_read(copy, plain, tmp_path, kind):
    name = 'block1_conv1/block1_conv1_b_1:0'
    with h5py.File(copy, 'r+') as file:
        del file[name]
        if kind == 'link':
            file[name] = h5py.ExternalLink(str(plain), f'/{name}')
        elif kind == 'soft link':
            file['outside'] = h5py.ExternalLink(str(plain), f'/{name}')
            file[name] = h5py.SoftLink('/outside')
        elif kind == 'raw file':
            (tmp_path / 'raw').write_bytes(bytes(256))
            file.create_dataset(name, (64,), 'f4', external=[(str(tmp_path / 'raw'), 0, 256)])
        else:
            layout = h5py.VirtualLayout((64,), 'f4')
            layout[:] = h5py.VirtualSource(str(plain), f'/{name}', (64,))
            file.create_virtual_dataset(name, layout)
        assert file[name].shape == (64,)
    with pytest.raises(CheckpointError, match=r'conv1_1/biases: expected .* found none'):
        keras_h5.read_encoder(copy)


@pytest.mark.parametrize('keep', [8, 2000, -1000])
def test_truncated_file(copy, keep):
    copy.write_bytes(copy.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r'copy\.h5 is not a whole HDF5 file') as error:
        keras_h5.read_encoder(copy)
    assert '\n' not in str(error.value)


def test_damaged_type(copy):
    # The description of IEEE's float32 within the file: its bit positions and bias.
    ieee = bytes((0, 23, 8, 0, 23, 127, 0, 0, 0))
    content = copy.read_bytes()
    assert ieee in content
    copy.write_bytes(content.replace(ieee, bytes((0, 23, 8, 0, 23, 127, 255, 0, 0))))
    with pytest.raises(CheckpointError, match=r'copy\.h5 is not a whole HDF5 file'):
        keras_h5.read_encoder(copy)


def test_other_hdf5_file(tmp_path):
    with h5py.File(tmp_path / 'other.h5', 'w') as file:
        file['x'] = np.ones(3)
    with pytest.raises(CheckpointError, match=r'other\.h5: .*conv1_1/weights: .* found none'):
        keras_h5.read_encoder(tmp_path / 'other.h5')
