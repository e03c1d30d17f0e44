"""Fresh processes that use a hub: as users start them, at once, killed, and without the plugin."""
import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from modelscope_aams.plugin import hub
from tests.local_hub import Fault

ROOT = pathlib.Path(__file__).parents[2]
ID = 'damo/cv_aams_style-transfer_damo'

#: The first program in README.md.
SNIPPET = re.search('```python\n(.+?)```', (ROOT / 'README.md').read_text(), re.DOTALL)[1]
RESOLVE = f'''
from modelscope_aams.plugin import hub
print(*hub.resolve({ID!r}))
'''
PLAIN = f'''
from modelscope.pipelines import pipeline
pipeline('image-style-transfer', model={ID!r})
'''


@pytest.fixture
def start(local_hub, hub_cache, tmp_path):
    """Starts a script in a fresh Python, in an empty folder, with the hub and its cache."""
    processes = []

    def _start(script, **environment):
        processes.append(subprocess.Popen(
            [sys.executable, '-c', script], text=True, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, 'MODELSCOPE_ENDPOINT': local_hub.url,
                 'MODELSCOPE_CACHE': str(hub_cache), **environment}))
        return processes[-1]
    yield _start
    for process in processes:
        process.kill()
        process.communicate()


def finished(process):
    """What a process printed, (output, errors), once it came to a good end."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output, errors


def failed(process):
    """The last line of a process that ended in an error."""
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    return errors.strip().splitlines()[-1]


def warnings(errors):
    return [line for line in errors.splitlines() if 'modelscope - WARNING' in line]


def test_readme(start, local_hub, tmp_path, content, style, official):
    """Its program runs from the hub, and from the cache with the hub gone.

    The client without the plugin fails there.
    """
    from modelscope.pipelines import pipeline
    for name, picture in (('content', content), ('style', style)):
        assert cv2.imwrite(str(tmp_path / f'{name}.jpg'), picture)
    expected = pipeline('image-style-transfer', model=str(official))(
        str(tmp_path / 'content.jpg'), str(tmp_path / 'style.jpg'))['output_img']
    _, errors = finished(start(SNIPPET))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'result.png')), expected)
    assert not warnings(errors)
    assert len(local_hub.downloads('tf_graph.pb')) == 1
    (tmp_path / 'result.png').unlink()

    local_hub.close()
    _, errors = finished(start(SNIPPET))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'result.png')), expected)
    warning, = warnings(errors)
    assert 'cannot be reached' in warning and 'the copy in the cache is used' in warning

    error = failed(start(PLAIN, MODELSCOPE_API_MAX_RETRIES='1'))
    assert 'invalid model repo path' in error and 'onnection' in error


def test_several_processes_at_once(start, local_hub, official, hub_cache):
    processes = [start(RESOLVE) for _ in range(3)]
    found = {finished(process)[0].splitlines()[-1] for process in processes}
    directory = hub_cache / 'models' / ID.replace('/', '--') / 'snapshots' / 'master'
    assert found == {f'{directory} {hub.HUB}'}
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        path.name: path.read_bytes() for path in official.iterdir()}


def test_killed_process(start, local_hub, hub_cache, official, logged):
    local_hub.fail('tf_graph.pb', Fault.SILENT)
    process = start(RESOLVE)
    part = (hub_cache / 'models' / ID.replace('/', '--') / 'snapshots' / 'master'
            / 'tf_graph.pb.incomplete')
    # But for what Python's buffer of the file may hold back.
    half = (official / 'tf_graph.pb').stat().st_size // 2 - io.DEFAULT_BUFFER_SIZE
    while not part.exists() or part.stat().st_size < half:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    local_hub.repair()
    local_hub.withdraw(ID)
    assert hub.resolve(ID).source == hub.BUNDLED
    local_hub.publish(official, ID)
    assert finished(start(RESOLVE))[0].split()[-1] == hub.HUB
    # The second process went on from what the first one had.
    assert local_hub.resumed == ['tf_graph.pb']
    assert not part.exists()
    assert (part.parent / 'tf_graph.pb').read_bytes() == (official / 'tf_graph.pb').read_bytes()


def test_hub_that_falls_silent(start, local_hub):
    local_hub.fail('tf_graph.pb', Fault.SILENT)
    error = failed(start(RESOLVE, MODELSCOPE_DOWNLOAD_TIMEOUT='1',
                         MODELSCOPE_DOWNLOAD_MAX_RETRIES='0'))
    assert ID in error and local_hub.url in error
    assert 'tf_graph.pb: the connection broke off or timed out' in error


def test_damaged_delivery_is_told_in_the_last_line(start, local_hub):
    local_hub.fail('tf_graph.pb', Fault.MISSING)
    assert '404' in failed(start(SNIPPET))
