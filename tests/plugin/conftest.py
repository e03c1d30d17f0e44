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

BUNDLED = pathlib.Path(modelscope_aams.__file__).parent / 'bundled'
ROOT = pathlib.Path(__file__).parents[2]
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


class LocalHub(http.server.ThreadingHTTPServer):
    """A hub that has the files of ``directory`` as every model but those of 'nobody'."""

    def __init__(self, directory):
        super().__init__(('127.0.0.1', 0), HubRequest)
        self.directory, self.requested = directory, []

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server_port}'


class HubRequest(http.server.BaseHTTPRequestHandler):
    """What the client asks of a hub in downloading a model."""

    def do_HEAD(self):
        self._answer(b'', 200)

    def do_GET(self):
        from urllib.parse import parse_qs, urlparse
        url = urlparse(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.requested.append(self.path)
        if '/nobody/' in url.path or query.get('Revision', 'master') != 'master':
            self._answer(b'{"Code": 404, "Success": false, "Message": "none"}', 404)
        elif url.path.endswith('/repo/files'):
            files = [{'Path': file.name, 'Name': file.name, 'Type': 'blob',
                      'Size': file.stat().st_size} for file in self.server.directory.iterdir()]
            self._answer(json.dumps({'Code': 200, 'Success': True,
                                     'Data': {'Files': files}}).encode())
        elif 'FilePath' in query:
            self._answer((self.server.directory / query['FilePath']).read_bytes())
        else:
            self._answer(b'{"Code": 404, "Success": false, "Message": "none"}', 404)

    def _answer(self, content, status=200):
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def local_hub(official, hub_client):
    """A hub on this machine that the client is pointed to; it has ``official``."""
    server = LocalHub(official)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub_client('MODELSCOPE_ENDPOINT', server.url)
    yield server
    server.shutdown()
    server.server_close()


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
