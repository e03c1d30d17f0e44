"""Servers, pictures, and what the pipeline makes of them."""
import functools
import http.server
import threading

import pytest
from running_server import Pictures, file_of, noise, serving


@pytest.fixture(scope='module')
def server():
    """A server with the settings that it has by itself."""
    with serving() as running:
        yield running


@pytest.fixture(scope='session')
def content():
    return file_of(noise(1, 48, 64))


@pytest.fixture(scope='session')
def style():
    return file_of(noise(2, 64, 48))


@pytest.fixture(scope='session')
def local():
    """What the pipeline in this process makes of bytes: its result."""
    import modelscope_aams  # noqa: F401  (registers the pipeline)
    from modelscope.pipelines import pipeline
    return pipeline('image-style-transfer')


@pytest.fixture(scope='session')
def picture_server(tmp_path_factory, content, style):
    """Serves ``content.png``, ``style.png`` and the routes of Pictures; gives its URL."""
    folder = tmp_path_factory.mktemp('pictures')
    (folder / 'content.png').write_bytes(content)
    (folder / 'style.png').write_bytes(style)
    (folder / 'text.png').write_text('no picture')
    listener = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Pictures, directory=str(folder)))
    listener.daemon_threads = True
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{listener.server_port}'
    listener.shutdown()
    listener.server_close()
