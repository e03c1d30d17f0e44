import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.checkpoints import training_checkpoint
from modelscope_aams.checkpoints.layout import CheckpointError, encoder_part
from modelscope_aams.network.configuration import NetworkConfiguration

#: The rest of slim's vgg_19.ckpt; the widths of these layers do not matter here.
SLIM_REST = {f'vgg_19/{layer}/{kind}': np.ones(shape, np.float32)
             for layer in ('conv4/conv4_2', 'conv4/conv4_4', 'conv5/conv5_1', 'conv5/conv5_4',
                           'fc6', 'fc7', 'fc8')
             for kind, shape in (('weights', (3, 3, 2, 2)), ('biases', (2,)))}
SLIM_REST['vgg_19/mean_rgb'] = np.ones(3, np.float32)
SLIM_REST['global_step'] = np.array(7, np.int64)


def save_variables(prefix, arrays, version, trained=()):
    """Has TensorFlow 1's Saver write variables, with Adam's slots of the trained ones."""
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        # Not random: once a training in this process made TensorFlow deterministic, that raises.
        variables = {name: v1.get_variable(name, array.shape, array.dtype, use_resource=False,
                                           initializer=v1.zeros_initializer(),
                                           trainable=name in trained)
                     for name, array in arrays.items()}
        if trained:
            step = v1.train.get_or_create_global_step()
            loss = tf.add_n([tf.reduce_sum(variable) for variable in v1.trainable_variables()])
            v1.train.AdamOptimizer(1e-4, 0.9, 0.99, 1.0).minimize(loss, step)
        session.run(v1.global_variables_initializer())
        for name, variable in variables.items():
            variable.load(arrays[name], session)
        v1.train.Saver(write_version=version).save(session, str(prefix), write_meta_graph=False)


@pytest.fixture(scope='module')
def published(arrays, tmp_path_factory):
    """Prefix of a checkpoint as the published training leaves it."""
    prefix = tmp_path_factory.mktemp('published') / 'model.ckpt-80000'
    save_variables(prefix, arrays, tf.compat.v1.train.SaverDef.V2,
                   trained=[name for name in arrays if not name.startswith('vgg_19/')])
    names = {name for name, _ in tf.train.list_variables(str(prefix))}
    assert {'beta1_power', 'beta2_power', 'global_step', 'decoder/inv_conv1_1/conv2d/bias/Adam',
            'self_attention/f_conv/conv2d/kernel/Adam_1'} <= names
    return prefix


@pytest.fixture(scope='module', params=['V1', 'V2'])
def slim(request, arrays, tmp_path_factory):
    """Path of a vgg_19.ckpt in one of the two formats."""
    path = tmp_path_factory.mktemp('slim') / 'vgg_19.ckpt'
    save_variables(path, {**encoder_part(arrays), **SLIM_REST},
                   getattr(tf.compat.v1.train.SaverDef, request.param))
    assert path.is_file() == (request.param == 'V1')
    return path


@pytest.mark.parametrize('ending', ['', '.index', '.data-00000-of-00001'])
def test_published_checkpoint(published, arrays, assert_same, ending):
    found = training_checkpoint.read_weights(f'{published}{ending}')
    assert found.configuration == NetworkConfiguration()
    assert_same(found.arrays, arrays)


def test_encoder_of_the_published_checkpoint(published, arrays, assert_same):
    assert_same(training_checkpoint.read_encoder(published), encoder_part(arrays))


def test_slim_encoder(slim, arrays, assert_same):
    assert_same(training_checkpoint.read_encoder(slim), encoder_part(arrays))


def test_slim_encoder_is_no_network(slim):
    with pytest.raises(CheckpointError,
                       match=r'vgg_19\.ckpt: variable self_attention/f_conv/conv2d/kernel: '
                             r'expected shape \(1, 1, 512, 256\), found none'):
        training_checkpoint.read_weights(slim)


def test_newest_checkpoint_of_a_directory(published):
    assert training_checkpoint.newest_in(published.parent) == str(published)


def test_directory_moved_from_the_machine_that_trained(tmp_path, save_checkpoint):
    save_checkpoint(tmp_path / 'model.ckpt-5', {'x': np.ones(1, np.float32)})
    (tmp_path / 'checkpoint').write_text('model_checkpoint_path: "/elsewhere/run/model.ckpt-5"\n'
                                         'all_model_checkpoint_paths: "/elsewhere/model.ckpt-4"\n')
    assert training_checkpoint.newest_in(tmp_path) == str(tmp_path / 'model.ckpt-5')


@pytest.mark.parametrize('text, message', [
    ('model_checkpoint_path: "gone.ckpt"', r'checkpoint names gone\.ckpt, which is not in'),
    ('model_checkpoint_path: "../../etc/passwd"', 'checkpoint names passwd, which is not in'),
    ('model_checkpoint_path: ""', 'checkpoint .*which is not in'),
    ('', 'checkpoint has no line model_checkpoint_path')])
def test_wrong_checkpoint_file(tmp_path, text, message):
    (tmp_path / 'checkpoint').write_text(text)
    with pytest.raises(CheckpointError, match=message):
        training_checkpoint.newest_in(tmp_path)


def test_wrong_variables(fault, tmp_path, save_checkpoint):
    arrays, message = fault
    prefix = save_checkpoint(tmp_path / 'wrong.ckpt', arrays)
    with pytest.raises(CheckpointError, match=rf'wrong\.ckpt: variable {message}$'):
        training_checkpoint.read_weights(prefix)


def test_unknown_variable_outside_the_scopes(arrays, tmp_path, save_checkpoint):
    prefix = save_checkpoint(tmp_path / 'wrong.ckpt',
                             {**arrays, 'generator/kernel': np.ones((2, 3), np.float32)})
    with pytest.raises(CheckpointError, match=r'generator/kernel: .* none, found \(2, 3\)'):
        training_checkpoint.read_weights(prefix)
    assert training_checkpoint.read_encoder(prefix)


@pytest.mark.parametrize('name', ['vgg_19/conv1/conv1_9/weights', 'vgg_19/fc9/weights'])
def test_unknown_layer_in_the_encoder(arrays, tmp_path, save_checkpoint, name):
    prefix = save_checkpoint(tmp_path / 'wrong.ckpt', {**encoder_part(arrays), name: np.ones(2)})
    with pytest.raises(CheckpointError, match=rf'{name}: expected shape none, found \(2,\)'):
        training_checkpoint.read_encoder(prefix)


def test_half_precision(arrays, tmp_path, save_checkpoint, assert_same):
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    prefix = save_checkpoint(tmp_path / 'half.ckpt', halves)
    assert_same(training_checkpoint.read_weights(prefix).arrays,
                {name: array.astype(np.float32) for name, array in halves.items()})


@pytest.mark.parametrize('value, message', [
    (np.full(64, np.inf, np.float32), 'not finite'), (np.ones(64), 'is of type float64'),
    (np.full(64, 'x'), 'is of type string')])
def test_wrong_values(arrays, tmp_path, save_checkpoint, value, message):
    name = 'vgg_19/conv1/conv1_1/biases'
    prefix = save_checkpoint(tmp_path / 'wrong.ckpt', {**arrays, name: value})
    with pytest.raises(CheckpointError, match=rf'wrong\.ckpt: variable {name} .*{message}'):
        training_checkpoint.read_weights(prefix)


@pytest.mark.parametrize('part, keep', [
    ('index', 0), ('index', 100), ('index', -1), ('data-00000-of-00001', 0),
    ('data-00000-of-00001', 1000), ('data-00000-of-00001', -1)])
def test_damaged_checkpoint(arrays, tmp_path, save_checkpoint, part, keep):
    prefix = save_checkpoint(tmp_path / 'cut.ckpt', arrays)
    file = tmp_path / f'cut.ckpt.{part}'
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r'cut\.ckpt is not a whole TensorFlow') as error:
        training_checkpoint.read_weights(prefix)
    assert '\n' not in str(error.value)


def test_changed_value_is_noticed(arrays, tmp_path, save_checkpoint):
    prefix = save_checkpoint(tmp_path / 'changed.ckpt', arrays)
    with open(tmp_path / 'changed.ckpt.data-00000-of-00001', 'r+b') as file:
        file.seek(5000)
        file.write(b'\x12\x34\x56\x78')
    with pytest.raises(CheckpointError, match=r'changed\.ckpt is not a whole TensorFlow'):
        training_checkpoint.read_weights(prefix)


def test_data_file_that_is_gone(arrays, tmp_path, save_checkpoint):
    prefix = save_checkpoint(tmp_path / 'half.ckpt', arrays)
    (tmp_path / 'half.ckpt.data-00000-of-00001').unlink()
    with pytest.raises(CheckpointError, match=r'half\.ckpt is not a whole TensorFlow'):
        training_checkpoint.read_weights(prefix)
