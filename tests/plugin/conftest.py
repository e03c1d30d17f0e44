"""Models, pictures, processes and a hub for the tests of the ModelScope layer."""
import functools
import http.server
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest

import modelscope_aams
from tests.local_hub import LocalHub

BUNDLED = pathlib.Path(modelscope_aams.__file__).parent / 'bundled'
ROOT = pathlib.Path(__file__).parents[2]
#: The published model.
HUB_ID = 'damo/cv_aams_style-transfer_damo'
#: What the published model directories say of themselves: there is no model section.
OFFICIAL_CONFIGURATION = {'framework': 'tensorflow', 'task': 'image-style-transfer',
                          'pipeline': {'type': 'AAMS-style-transfer'}}


def noise(seed, rows, columns):
    """A smooth random BGR picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope='session')
def content():
    return noise(1, 48, 64)


@pytest.fixture(scope='session')
def style():
    return noise(2, 64, 48)


@pytest.fixture(scope='session')
def bundled():
    """A pipeline on the bundled weights."""
    from modelscope.pipelines import pipeline
    return pipeline('image-style-transfer')


@pytest.fixture(scope='session')
def expected(bundled, content, style):
    """What the bundled weights make of content and style."""
    return bundled({'content': content, 'style': style})['output_img']


@pytest.fixture
def model_directory(tmp_path):
    """Makes a model directory with the bundled weights and some configuration."""
    def make(configuration, weights='aams.safetensors'):
        directory = tmp_path / 'model'
        directory.mkdir()
        (directory / 'configuration.json').write_text(json.dumps(configuration))
        if weights:
            (directory / weights).parent.mkdir(exist_ok=True)
            (directory / weights).symlink_to(BUNDLED / 'aams.safetensors')
        return directory
    return make


@pytest.fixture(scope='session')
def official(tmp_path_factory):
    """A directory like the published ones: a frozen graph, and no section on the model.

    Its weights are the bundled ones but for a bias of the decoder, so that its pictures are
    darker than the bundled model's.
    """
    import tensorflow as tf

    from modelscope_aams.checkpoints.reading import read_weights
    directory = tmp_path_factory.mktemp('official')
    arrays = read_weights(BUNDLED).arrays
    last = 'decoder/inv_conv1_1/conv2d/bias'
    arrays[last] = arrays[last] - 40
    graph = tf.Graph()
    with graph.as_default():
        for name, array in arrays.items():
            tf.constant(array, name=name)
    (directory / 'tf_graph.pb').write_bytes(graph.as_graph_def().SerializeToString())
    (directory / 'configuration.json').write_text(json.dumps(OFFICIAL_CONFIGURATION))
    return directory


@pytest.fixture(scope='session')
def official_picture(official, content, style):
    """What the weights of :func:`official` make of content and style."""
    from modelscope.pipelines import pipeline
    return pipeline('image-style-transfer', model=str(official))(content, style)['output_img']


@pytest.fixture(scope='session')
def foreign(tmp_path_factory):
    """A directory whose graph has the published inputs and outputs, but computes otherwise:
    it adds inter_weight times the style's mean to half the content."""
    import tensorflow as tf
    directory = tmp_path_factory.mktemp('foreign')
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default():
        content, style = (v1.placeholder(tf.float32, (None, None, 3), name=name)
                          for name in ('content', 'style'))
        weight = v1.placeholder(tf.float32, (), name='inter_weight')
        half = tf.constant(0.5, name='decoder/other/weights')
        tf.identity((half * content + weight * tf.reduce_mean(style))[None],
                    name='stylized_output')
        tf.zeros((1, 2, 2, 512), name='attention_map')
        tf.zeros((4,), name='centroids')
    (directory / 'tf_graph.pb').write_bytes(graph.as_graph_def().SerializeToString())
    (directory / 'configuration.json').write_text(json.dumps(OFFICIAL_CONFIGURATION))
    return directory


@pytest.fixture
def logged():
    """The warnings that ModelScope's logger gave in this test."""
    from modelscope.utils.logger import get_logger
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    get_logger().addHandler(handler)
    yield messages
    get_logger().removeHandler(handler)


@pytest.fixture
def hub_client(monkeypatch):
    """Sets environment variables that the hub's client reads; it does so once a process."""
    from modelscope_hub.config import set_default_config

    def setenv(name, value):
        monkeypatch.setenv(name, value)
        set_default_config(None)
    yield setenv
    monkeypatch.undo()
    set_default_config(None)


@pytest.fixture
def hub_cache(tmp_path, hub_client, monkeypatch):
    """An empty cache of the hub's client, with what this process knows of hubs forgotten."""
    from modelscope_aams.plugin import hub
    cache = tmp_path / 'cache'
    cache.mkdir()
    hub_client('MODELSCOPE_CACHE', str(cache))
    monkeypatch.setattr(hub, '_resolved', {})
    return cache


@pytest.fixture
def cached(hub_cache):
    """Puts files of a directory into the cache, where the client keeps a hub's model."""
    def put(directory, model_id, revision='master', only=None):
        snapshot = hub_cache / 'models' / model_id.replace('/', '--') / 'snapshots' / revision
        snapshot.mkdir(parents=True)
        for file in directory.iterdir():
            if only is None or file.name in only:
                shutil.copy(file, snapshot)
        return snapshot
    return put


@pytest.fixture
def local_hub(official, hub_client, monkeypatch):
    """A hub on this machine that the client is pointed to; its published model is ``official``."""
    from modelscope_aams.plugin import hub
    # It answers, however busy this machine is; once closed it refuses at once.
    monkeypatch.setattr(hub, 'PATIENCE', 240)
    server = LocalHub()
    server.publish(official, HUB_ID)
    hub_client('MODELSCOPE_ENDPOINT', server.url)
    yield server
    server.close()


@pytest.fixture
def picture_server():
    """Serves the files of a directory; gives the server's URL."""
    servers = []

    def serve(directory):
        handler = functools.partial(QuietFiles, directory=str(directory))
        servers.append(http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f'http://127.0.0.1:{servers[-1].server_port}'
    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope='session')
def run_python():
    """Runs a script in a fresh Python; returns what it printed, (output, errors)."""
    return _run_python


def _run_python(script, **environment):
    process = subprocess.run([sys.executable, '-c', script], text=True, capture_output=True,
                             env={**os.environ, **environment}, cwd=ROOT)
    assert process.returncode == 0, process.stderr
    return process.stdout, process.stderr
