"""``aams serve`` as a command: what it says, and how it ends."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from running_server import HANGS, ROOT, base64_of, file_of, noise, picture_of, serving

from modelscope_aams.cli.main import main

COMMAND = [sys.executable, '-m', 'modelscope_aams', 'serve']


def serve(*arguments, **environment):
    """(status, output, errors) of a server that does not come to serve."""
    process = subprocess.run([*COMMAND, *map(str, arguments)], text=True, capture_output=True,
                             timeout=HANGS, cwd=ROOT, env={**os.environ, **environment})
    return process.returncode, process.stdout, process.stderr


def seconds_worked(process):
    """Seconds that all cores together worked for a process."""
    fields = pathlib.Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf('SC_CLK_TCK')


def test_says_what_it_serves_and_where(server):
    assert server.first_line == f'aams: serving the bundled model at {server.url}\n'
    assert server.url.startswith('http://127.0.0.1:')


def test_serves_a_model_directory(tmp_path, local, content, style):
    """Its options are the defaults, as far as the server's limits allow."""
    (tmp_path / 'aams.safetensors').symlink_to(
        ROOT / 'modelscope_aams' / 'bundled' / 'aams.safetensors')
    (tmp_path / 'configuration.json').write_text(json.dumps({
        'framework': 'tensorflow', 'task': 'image-style-transfer', 'model': {'type': 'aams'},
        'pipeline': {'type': 'AAMS-style-transfer', 'style_weight': 0.5, 'max_length': None}}))
    with serving('--model', str(tmp_path), '--max-length', '56', '--max-pixels', '4000',
                 '--host', 'localhost') as server:
        assert server.first_line.startswith(f'aams: serving {tmp_path} at http://localhost:')
        answer = server.call(base64_of(content), base64_of(style)).json()
        expected = local(content, style, style_weight=0.5, max_length=56)['output_img']
        assert (picture_of(answer['output_img']) == expected).all()
        assert 'at most 56' in server.call(
            base64_of(content), base64_of(style), max_length=57).json()['detail']
        assert 'at most 4000' in server.call(
            base64_of(file_of(noise(1, 40, 101))), base64_of(style)).json()['detail']
        described = server.client.get('/describe').json()['schema']['schema']['parameters']
        assert described['properties']['style_weight']['default'] == 0.5
        assert described['properties']['max_length']['default'] == 56
        assert described['properties']['max_length']['maximum'] == 56


@pytest.mark.parametrize('arguments, reason', [
    (['--model', 'nobody/nothing'], 'nobody/nothing'), (['--model', '/nowhere'], '/nowhere'),
    (['--model', 'setup.py'], 'is a file'), (['--model', 'tests'], 'configuration'),
    (['--revision', 'v1'], 'expected a model'),
    (['--model', 'tests', '--revision', 'v1'], 'expected a model')])
def test_no_such_model(capfd, arguments, reason):
    """No port is bound for it: that given here is taken, of which nothing is said."""
    with socket.create_server(('127.0.0.1', 0)) as taken:
        assert main(['serve', *arguments, '--port', str(taken.getsockname()[1])]) == 1
    output, errors = capfd.readouterr()
    assert output == '' and errors.splitlines()[-1].startswith('aams: ')
    assert reason in errors and 'listened' not in errors and 'Traceback' not in errors


def test_no_such_model_is_said_in_one_line():
    status, output, errors = serve('--model', '/nowhere')
    assert (status, output, len(errors.splitlines())) == (1, '', 1)
    assert errors.startswith('aams: ') and '/nowhere' in errors


def test_graph_of_another_network(tmp_path, capfd):
    import tensorflow as tf
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default():
        content, style, weight = (v1.placeholder(tf.float32, name=name)
                                  for name in ('content', 'style', 'inter_weight'))
        other = tf.constant(0.5, name='decoder/other/weights')
        tf.identity(other * content + weight * tf.reduce_mean(style), name='stylized_output')
        for name in ('attention_map', 'centroids'):
            tf.zeros((4,), name=name)
    (tmp_path / 'tf_graph.pb').write_bytes(graph.as_graph_def().SerializeToString())
    (tmp_path / 'configuration.json').write_text(json.dumps({
        'framework': 'tensorflow', 'task': 'image-style-transfer',
        'pipeline': {'type': 'AAMS-style-transfer'}}))
    assert main(['serve', '--model', str(tmp_path)]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith('aams: ') and 'expected an AAMS model' in last


@pytest.mark.parametrize('host', ['192.0.2.1', 'nowhere.invalid'])
def test_nowhere_to_listen(host, capfd):
    assert main(['serve', '--host', host, '--port', '8000']) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith(f'aams: {host}:8000 cannot be listened at')


def test_port_that_is_taken():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        status, output, errors = serve('--port', port)
    assert (status, output, len(errors.splitlines())) == (1, '', 1)
    assert errors.startswith(f'aams: 127.0.0.1:{port} cannot be listened at')


@pytest.mark.parametrize('arguments', [
    ['--port', '65536'], ['--port', '-1'], ['--queue', '-1'], ['--queue', 'many'],
    ['--max-pixels', '0'], ['--max-megabytes', '0'], ['--max-length', '0'], ['--device', 'tpu'],
    ['model']])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(['serve', *arguments])
    assert exit.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_its_packages(monkeypatch, capsys):
    for package in ('fastapi', 'uvicorn'):
        monkeypatch.setitem(sys.modules, package, None)
    assert main(['serve']) == 1
    errors = capsys.readouterr().err
    assert errors == ("aams: aams serve needs fastapi and uvicorn; pip install "
                      "'modelscope-aams[server]'\n")


def test_other_commands_need_none_of_its_packages():
    process = subprocess.run([sys.executable, '-c', '''
import sys
for package in ('fastapi', 'starlette', 'uvicorn'):
    sys.modules[package] = None
from modelscope_aams.cli.main import main
main(['--help'])'''], text=True, capture_output=True, cwd=ROOT)
    assert process.returncode == 0 and 'serve' in process.stdout, process.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_ends_at_a_signal(number):
    with serving() as server:
        server.process.send_signal(number)
        assert server.process.wait(HANGS) == 0
        # Nothing follows the line that it began with.
        assert server.process.stdout.read() == ''


def test_what_is_worked_on_is_finished(local, content, style):
    """Who waits is sent away."""
    large = file_of(noise(7, 900, 900))
    with serving() as server:
        responses = {}

        def ask(name, picture):
            responses[name] = server.call(base64_of(picture), base64_of(style), max_length=900)
        idle = seconds_worked(server.process)
        threads = [threading.Thread(target=ask, args=('large', large))]
        threads[0].start()
        end = time.monotonic() + HANGS
        # More than it takes to read the request, and less than the transfer.
        while seconds_worked(server.process) < idle + 0.5:
            assert time.monotonic() < end
            time.sleep(0.01)
        waiting = http.client.HTTPConnection(server.url.removeprefix('http://'), timeout=HANGS)
        waiting.request('POST', '/call', json.dumps({'input': {
            'content': base64_of(content), 'style': base64_of(style)}}),
            {'Content-Type': 'application/json'})
        # Answered after it, on another connection: the request before has arrived.
        assert server.client.get('/health').status_code == 200
        server.process.send_signal(signal.SIGTERM)
        threads[0].join()
        assert waiting.getresponse().status == 503
        waiting.close()
        assert server.process.wait(HANGS) == 0
    expected = local(large, style, max_length=900)['output_img']
    assert (picture_of(responses['large'].json()['output_img']) == expected).all()
