"""``aams export``, called in this process; tests/export runs it as one of its own."""
import json
import re
import sys

import pytest

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.cli.main import main


def export(*arguments):
    """The exit status of ``aams export``."""
    try:
        return main(['export', *map(str, arguments)])
    except SystemExit as exit:
        return exit.code


@pytest.fixture
def model(tmp_path):
    """A model directory that names its weights and options."""
    directory = tmp_path / 'source'
    directory.mkdir()
    (directory / 'w').mkdir()
    (directory / 'w' / 'aams.safetensors').symlink_to(BUNDLED / 'aams.safetensors')
    (directory / 'configuration.json').write_text(json.dumps({
        'framework': 'tensorflow', 'task': 'image-style-transfer',
        'model': {'type': 'aams', 'weights': 'w/aams.safetensors'},
        'pipeline': {'type': 'AAMS-style-transfer', 'scales': [0.5, 1.0], 'theta': 20}}))
    return directory


def test_options_are_those_of_the_model_or_the_command(model, tmp_path, capsys):
    out = tmp_path / 'out'
    assert export(out, '--format', 'tf-graph', '--model', model, '--theta', 7) == 0
    assert capsys.readouterr().out == f'{out}\n'
    section = json.loads((out / 'configuration.json').read_text())['pipeline']
    assert (section['scales'], section['theta']) == ([0.5, 1.0], 7)


def test_graph_alone_from_a_file_of_weights(tmp_path, capsys):
    out = tmp_path / 'graph.pb'
    weights = BUNDLED / 'aams.safetensors'
    assert export(out, '--format', 'tf-graph', '--model', weights, '--scales', 1) == 0
    assert out.is_file() and [path.name for path in tmp_path.iterdir()] == ['graph.pb']
    assert read_weights(out).configuration == read_weights(weights).configuration
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize('name, format, message', [
    ('model', 'onnx', r'model is no name for the format onnx, which makes a file that ends '
                      r'in \.onnx'),
    ('model.onnx', 'tf-graph', r'which makes a directory, or a file that ends in \.pb'),
    ('model.pb', 'saved-model', 'saved-model, which makes a directory'),
    ('none/model', 'saved-model', 'none is no directory'),
    ('full', 'tf-graph', 'full is there already'),
    ('full/file', 'saved-model', 'file is there already'),
    ('old.onnx', 'onnx', 'old.onnx is there already'),
    ('model', 'torch', "invalid choice: 'torch'"),
])
def test_wrong_output(tmp_path, capsys, name, format, message):
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'file').write_text('kept')
    (tmp_path / 'old.onnx').write_text('kept')
    before = sorted(tmp_path.rglob('*'))
    assert export(tmp_path / name, '--format', format) == 2
    error = capsys.readouterr().err
    assert error.startswith('aams export: ') and error.count('\n') == 1
    assert re.search(message, error)
    assert sorted(tmp_path.rglob('*')) == before
    assert (tmp_path / 'full' / 'file').read_text() == 'kept'


@pytest.mark.parametrize('format, model_id, message', [
    ('hub', 'aams', "'aams' is no id; expected OWNER/NAME"),
    ('hub', 'me/a b', "'me/a b' is no id"),
    ('onnx', 'me/aams', '--model-id has no meaning for the format onnx'),
])
def test_wrong_model_id(tmp_path, capsys, format, model_id, message):
    out = tmp_path / ('model.onnx' if format == 'onnx' else 'model')
    assert export(out, '--format', format, '--model-id', model_id) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def assert_fails(capsys, message, *arguments):
    assert export(*arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith('aams: ') and error.count('\n') == 1
    assert message in error


def test_without_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2onnx', None)
    assert_fails(capsys, "ONNX export needs tf2onnx; pip install 'modelscope-aams[export]'",
                 tmp_path / 'model.onnx', '--format', 'onnx')
    assert list(tmp_path.iterdir()) == []


def test_no_such_model(tmp_path, capsys):
    assert_fails(capsys, 'nowhere: no such file', tmp_path / 'out', '--format', 'saved-model',
                 '--model', tmp_path / 'nowhere')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('text, message', [
    ('{', 'configuration.json: '), ('[]', 'configuration.json: '),
    ('{"pipeline": {"theta": "much"}}', "theta is 'much'; expected a number"),
    ('{"pipeline": {"scales": [2]}}', 'scales are (2.0,)'),
    ('{"model": {"weights": "../x"}}', "weights is '../x'"),
])
def test_wrong_configuration(model, tmp_path, capsys, text, message):
    (model / 'configuration.json').write_text(text)
    assert_fails(capsys, message, tmp_path / 'out', '--format', 'tf-graph', '--model', model)
    assert not (tmp_path / 'out').exists()
