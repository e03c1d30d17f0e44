"""The exported SavedModel, in a process that has TensorFlow alone."""
import subprocess
import sys

import numpy as np
import pytest

# A folder is the argument.
ALONE = '''
import pathlib, sys
import numpy as np
import tensorflow as tf
folder = pathlib.Path(sys.argv[1])
stylize = tf.saved_model.load(str(folder / 'model')).signatures['serving_default']
for number in range(2):
    with np.load(folder / f'inputs{number}.npz') as inputs:
        outputs = stylize(**{name: tf.constant(inputs[name]) for name in inputs.files})
    np.savez(folder / f'outputs{number}.npz',
             **{name: tensor.numpy() for name, tensor in outputs.items()})
assert not any(name.split('.')[0] in ('modelscope_aams', 'modelscope') for name in sys.modules)
'''


@pytest.fixture(scope='module')
def directory(export_by_command, tmp_path_factory):
    return export_by_command(tmp_path_factory.mktemp('exported') / 'model',
                             '--format', 'saved-model')


def test_runs_without_this_package(directory, inputs, assert_official_outputs, tmp_path):
    (tmp_path / 'model').symlink_to(directory)
    for number, arrays in enumerate(inputs):
        np.savez(tmp_path / f'inputs{number}.npz', **arrays)
    process = subprocess.run([sys.executable, '-c', ALONE, tmp_path], capture_output=True,
                             text=True, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert_official_outputs([dict(np.load(tmp_path / f'outputs{number}.npz'))
                             for number in range(len(inputs))])
