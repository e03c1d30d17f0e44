"""``aams studio`` as a process, its way to end, and build_page as a Studio's app.py uses it."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from studio_process import PATIENCE, Visitor, running

from modelscope_aams.cli.main import main
from modelscope_aams.cli.studio import free_port, prepare_environment

# What a Studio runs, but for the end: it paints once, by the way that the page in a browser
# takes, and closes.
APP = '''
import json, pathlib
from studio_process import Visitor
from modelscope_aams.studio.page import build_page

page = build_page()
_, address, _ = page.launch(prevent_thread_lock=True, quiet=True)
visitor = Visitor(address)
config = json.loads(visitor.ask('config'))
assert 'grid-template-areas' in config['css']
assert config['i18n_translations']['zh-CN']['run'] == '开始绘制'
assert visitor.join('one', max_length=128) == 200
done = next(event for event in visitor.events('one') if event['msg'] == 'process_completed')
assert done['success'], done
picture = pathlib.Path(done['output']['data'][0]['value']['path'])
assert picture.name == 'content_chelsea-in-style_oil.png' and picture.is_file()
page.close(verbose=False)
assert not picture.exists()
'''


def studio(*arguments):
    """The exit status of ``aams studio``."""
    try:
        return main(['studio', *arguments])
    except SystemExit as exit:
        return exit.code


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(tmp_path, number):
    with running(TMPDIR=str(tmp_path)) as (process, address, errors):
        with urllib.request.urlopen(f'{address}config', timeout=PATIENCE) as answer:
            assert answer.status == 200
        assert any(folder.name.startswith('aams-studio-') for folder in tmp_path.iterdir())
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == ''
    assert errors == []
    assert [folder for folder in tmp_path.iterdir()
            if folder.name.startswith(('aams-studio-', 'gradio'))] == []


def test_files_that_nobody_uploaded_are_not_read(address, pictures):
    """Whatever a request says of them, and wherever; no URL is fetched either."""
    path, is_file = str(pictures['style']), {'meta': {'_type': 'gradio.FileData'}}
    visitor = Visitor(address)
    uploaded = visitor.values[visitor.parts['content']]
    folder = pathlib.PurePath(uploaded['path']).parent
    tried = [
        {'path': path}, {'path': path, **is_file}, {'path': path, 'meta': {'_type': 'other'}},
        {'path': path, 'is_stream': True, **is_file}, {'path': os.path.relpath(path)},
        {'path': f'{folder}/{os.path.relpath(path, folder)}'}, {'path': f'{folder}/../../x.png'},
        {'path': 'http://127.0.0.1:9/a.png', **is_file}, {'path': '/etc/passwd'},
        {'path': '/dev/zero'}, {**uploaded, 'also': [{'path': path, **is_file}]}]
    for number, file in enumerate(tried):
        session = f'visitor{number}'
        assert visitor.join(session, method='adain', max_length=128, content=file) == 200
        told = next(event for event in visitor.events(session)
                    if event['msg'] == 'process_completed')
        assert not told['success'], file
        assert 'was not uploaded' in told['output']['error'], file
    assert visitor.join('other', method='adain', theta={'path': path, **is_file}) == 200
    told = next(event for event in visitor.events('other') if event['msg'] == 'process_completed')
    assert 'was not uploaded' in told['output']['error']


def test_it_ends_with_transfers_at_work_and_waiting(tmp_path):
    with running(TMPDIR=str(tmp_path)) as (process, address, errors):
        visitor = Visitor(address)
        assert [visitor.join(f'visitor{number}', max_length=1600) for number in range(4)] \
            == [200] * 4
        assert any(event['msg'] == 'progress' for event in visitor.events('visitor0'))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert errors == []
    assert not any(folder.name.startswith('aams-studio-') for folder in tmp_path.iterdir())


def test_a_proxy_is_not_asked_for_this_machine():
    dead = 'http://127.0.0.1:9'
    with running(http_proxy=dead, HTTP_PROXY=dead, no_proxy='', NO_PROXY='') as (_, address, _):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=PATIENCE) as answer:
            assert answer.status == 200


def test_as_a_studios_app(tmp_path):
    done = subprocess.run([sys.executable, '-c', APP], capture_output=True, text=True,
                          timeout=PATIENCE, env={
                              **os.environ, 'GRADIO_TEMP_DIR': str(tmp_path),
                              'PYTHONPATH': os.path.dirname(__file__),
                              'GRADIO_SERVER_PORT': str(free_port('127.0.0.1', 0))})
    assert done.returncode == 0, done.stderr


def test_a_taken_port_is_one_line(capsys):
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        assert studio('--port', str(port)) == 1
    assert capsys.readouterr().err == (
        f'aams: 127.0.0.1 port {port} cannot be listened at (Address already in use); choose '
        'another --host or --port\n')


def test_a_wrong_address_is_one_line(capsys):
    assert studio('--host', 'nowhere.invalid') == 1
    error = capsys.readouterr().err
    assert error.startswith('aams: nowhere.invalid port 7860 cannot be listened at (')
    assert error.count('\n') == 1


def test_no_model_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'modelscope_aams', 'studio', '--port', '0', '--model',
         str(tmp_path)], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith('aams: ') and done.stderr.count('\n') == 1
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize('arguments, message', [
    (['--port', '70000'], "'70000' is no whole number from 0 to 65535"),
    (['--max-pixels', '0'], "'0' is no whole number from 1"),
    (['--device', 'tpu'], "'tpu' is no device; expected 'gpu', 'gpu:1' or 'cpu'")])
def test_wrong_usage(capsys, arguments, message):
    assert studio(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith('aams studio: ') and error.count('\n') == 1 and message in error


def test_without_the_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    assert studio() == 1
    assert capsys.readouterr().err == (
        "aams: aams studio needs gradio; pip install 'modelscope-aams[studio]'\n")


def test_what_gradio_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'environ', {'no_proxy': 'a.example'})
    prepare_environment(str(tmp_path), '127.0.0.1')
    assert os.environ == {
        'no_proxy': 'a.example,127.0.0.1,localhost', 'NO_PROXY': '127.0.0.1,localhost',
        'GRADIO_TEMP_DIR': str(tmp_path), 'GRADIO_ANALYTICS_ENABLED': 'False'}
