"""Where a model finds its weights, and the device it computes on."""
import pathlib

import pytest
from modelscope.pipelines import pipeline

from modelscope_aams.checkpoints.layout import CheckpointError
from modelscope_aams.plugin.model import AAMSModel, tensorflow_device, weights_path

TASK = 'image-style-transfer'
CONFIGURATION = {'framework': 'tensorflow', 'task': TASK, 'model': {'type': 'aams'},
                 'pipeline': {'type': 'AAMS-style-transfer'}}


@pytest.mark.parametrize('device, gpus, expected', [
    ('cpu', 0, '/CPU:0'), ('cpu', 2, '/CPU:0'), ('gpu', 0, '/CPU:0'), ('gpu:1', 0, '/CPU:0'),
    ('xpu', 1, '/CPU:0'),
    ('gpu', 1, '/GPU:0'), ('cuda', 2, '/GPU:0'), ('gpu:1', 2, '/GPU:1'), ('cuda:1', 2, '/GPU:1')])
def test_devices(device, gpus, expected):
    assert tensorflow_device(device, gpus) == expected


def test_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="'gpu:2'; TensorFlow sees 2 GPUs, numbered from 0"):
        tensorflow_device('gpu:2', 2)


def test_all_is_on_the_device(run_python):
    """Two logical CPUs stand for a GPU; ModelScope's device_placement goes around it all."""
    output, _ = run_python('''
import numpy as np
import tensorflow as tf
cpu, = tf.config.list_physical_devices('CPU')
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from modelscope.utils.device import device_placement
from modelscope_aams.plugin import hub, model
model.tensorflow_device = lambda device, gpus: {'gpu': '/CPU:1', 'cpu': '/CPU:0'}[device]
picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)

for device in ('cpu', 'gpu'):
    with device_placement('tensorflow', 'gpu'):
        built = model.AAMSModel(hub.BUNDLED_DIRECTORY, device=device)
        used = {variable.value.device for variable in built.transfer.network.variables}
        prepare_style = built.transfer.prepare_style

        def watched(*arguments):
            style = prepare_style(*arguments)
            used.update(tensor.device for tensor in tf.nest.flatten(style))
            return style

        built.transfer.prepare_style = watched
        from modelscope_aams.plugin.preprocessor import AAMSPreprocessor
        built(AAMSPreprocessor()(picture, picture))
    print(device, *(name.rpartition(':')[2] for name in used))
''')
    assert output.splitlines()[-2:] == ['cpu 0', 'gpu 1']


def test_modelscopes_device_placement_is_not_used(bundled):
    # It would pin TensorFlow to the CPU.
    assert bundled.framework is None


def test_weights_lie_inside_the_directory():
    assert weights_path('/a/model') == pathlib.Path('/a/model')
    assert weights_path('/a/model', 'b/w.safetensors') == pathlib.Path('/a/model/b/w.safetensors')


@pytest.mark.parametrize('weights', ['/etc/passwd', '../w.safetensors', 'a/../../w.safetensors'])
def test_weights_outside_the_directory(model_directory, weights):
    directory = model_directory({**CONFIGURATION, 'model': {'type': 'aams', 'weights': weights}})
    with pytest.raises(ValueError, match='expected a path inside the model directory') as caught:
        pipeline(TASK, model=str(directory))
    assert weights in str(caught.value) and '\n' not in str(caught.value)


def test_directory_without_weights(model_directory):
    directory = model_directory(CONFIGURATION, weights=None)
    for cause in (lambda: pipeline(TASK, model=str(directory)), lambda: AAMSModel(str(directory))):
        with pytest.raises(FileNotFoundError, match=f'{directory} holds no weights; looked for '
                           r'\*.safetensors .*, tf_graph.pb') as caught:
            cause()
        assert '\n' not in str(caught.value)


def test_configured_weights_that_are_missing(model_directory):
    directory = model_directory({**CONFIGURATION, 'model': {
        'type': 'aams', 'weights': 'lost.safetensors'}})
    with pytest.raises(FileNotFoundError, match='lost.safetensors: no such file') as caught:
        pipeline(TASK, model=str(directory))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', ['aams.safetensors', 'tf_graph.pb'])
def test_damaged_weights(model_directory, bundled, name):
    directory = model_directory(CONFIGURATION, weights=None)
    whole = pathlib.Path(bundled.model.model_dir, 'aams.safetensors').read_bytes()
    (directory / name).write_bytes(whole[:10000])
    with pytest.raises(CheckpointError, match=f'{name} ') as caught:
        pipeline(TASK, model=str(directory))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('files', [(), ('tf_graph.pb',)])
def test_directory_without_configuration(tmp_path, files):
    for name in files:
        (tmp_path / name).write_bytes(b'')
    with pytest.raises(ValueError, match='no configuration.json that names a pipeline') as caught:
        pipeline(TASK, model=str(tmp_path))
    assert '\n' not in str(caught.value)
