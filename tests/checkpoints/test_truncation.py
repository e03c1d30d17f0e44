"""Files of weights that end too early."""
import shutil

import pytest

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.truncation import is_cut_off


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Small weights of each kind, by the names of their files."""
    import tensorflow as tf
    directory = tmp_path_factory.mktemp('whole')
    with tf.Graph().as_default() as graph:
        # Not random: once a training in this process made TensorFlow deterministic, that raises.
        variables = [tf.compat.v1.get_variable(f'decoder/{name}/kernel', (3, 40),
                                               initializer=tf.compat.v1.ones_initializer())
                     for name in 'abc']
        tf.constant([[1.] * 50] * 3, name='constant')
        with tf.compat.v1.Session() as session:
            session.run([variable.initializer for variable in variables])
            tf.compat.v1.train.Saver(variables).save(session, str(directory / 'model.ckpt'))
    (directory / 'tf_graph.pb').write_bytes(graph.as_graph_def().SerializeToString())
    shutil.copy(BUNDLED / 'aams.safetensors', directory)
    return {path.name: path for path in directory.iterdir()}


@pytest.mark.parametrize('name', ['tf_graph.pb', 'aams.safetensors', 'model.ckpt.index'])
def test_whole_files(whole, name):
    assert not is_cut_off(whole[name])


@pytest.mark.parametrize('name', ['tf_graph.pb', 'aams.safetensors'])
@pytest.mark.parametrize('left', [0, 1, 7, -1, -2, -20])
def test_cut_files(whole, tmp_path, name, left):
    content = whole[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(content[:left])
    assert is_cut_off(path)


def test_graph_with_a_hole(whole, tmp_path):
    """Lengths that no longer fit what follows lead beyond the end, or to what is no field."""
    content = whole['tf_graph.pb'].read_bytes()
    path = tmp_path / 'tf_graph.pb'
    path.write_bytes(content[:10] + content[30:])
    assert is_cut_off(path)
    path.write_bytes(b'<html>Please log in</html>')
    assert is_cut_off(path)
    path.write_bytes(b'\xff' * 40)
    assert is_cut_off(path)


def test_checkpoint_without_its_values(whole, tmp_path):
    path = shutil.copy(whole['model.ckpt.index'], tmp_path)
    assert is_cut_off(path)
    shutil.copy(whole['model.ckpt.data-00000-of-00001'], tmp_path)
    assert not is_cut_off(path)
