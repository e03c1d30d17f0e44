"""``aams stylize``, called in this process and, where that matters, as a process."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks
from PIL import Image

from modelscope_aams.cli.main import main
from modelscope_aams.network.options import METHODS
from modelscope_aams.pictures.heat_map import heat_map
from modelscope_aams.pictures.reading import read_rgb


def waves(rows, columns, turn):
    """A colourful picture, RGB uint8 [rows, columns, 3]."""
    y, x = np.mgrid[:rows, :columns] / 9.0
    planes = [np.sin(x + turn * y), np.sin(turn * x - y + 1), np.cos(y * x / 5 + turn)]
    return np.rint(127.5 + 127 * np.stack(planes, axis=-1)).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """A folder with ``content.png`` (56 rows, 72 columns) and ``style.png``."""
    Image.fromarray(waves(56, 72, 0.4)).save(tmp_path / 'content.png')
    Image.fromarray(waves(80, 64, 1.7)).save(tmp_path / 'style.png')
    return tmp_path


@pytest.fixture
def folder(pictures):
    """A folder with two pictures, a broken one between them, and a text."""
    inside = pictures / 'in'
    inside.mkdir()
    Image.fromarray(waves(48, 64, 0.2)).save(inside / 'a.png')
    (inside / 'b.jpg').write_bytes(b'no picture at all')
    Image.fromarray(waves(40, 48, 0.9)).save(inside / 'c.gif')
    (inside / 'notes.txt').write_text('about them')
    return inside


@pytest.fixture(scope='module')
def style_transfer():
    return pipeline(Tasks.image_style_transfer)


def stylize(*arguments):
    """The exit status of ``aams stylize``."""
    try:
        return main(['stylize', *map(str, arguments)])
    except SystemExit as exit:
        return exit.code


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_writes_what_the_pipeline_gives_and_prints_its_path(pictures, style_transfer, capsys):
    content, style = str(pictures / 'content.png'), str(pictures / 'style.png')
    output = pictures / 'new' / 'result.png'
    assert stylize(content, style, '-o', output) == 0
    assert capsys.readouterr().out == f'{output}\n'
    expected = style_transfer(dict(content=content, style=style))[OutputKeys.OUTPUT_IMG]
    assert (read_rgb(output) == expected[..., ::-1]).all()
    assert files_in(pictures / 'new') == ['result.png']


def test_options_reach_the_pipeline(pictures, style_transfer):
    content, style = str(pictures / 'content.png'), str(pictures / 'style.png')
    output = pictures / 'result.png'
    assert stylize(content, style, '-o', output, '--style-weight', '0.5', '--inter-weight', '0.6',
                   '--max-length', '64', '--scales', '0.7', '1', '--patch-size', '3', '--theta',
                   '20', '--keep-colours', '--device', 'cpu') == 0
    options = dict(style_weight=0.5, inter_weight=0.6, max_length=64, scales=(0.7, 1),
                   patch_size=3, theta=20, keep_colours=True)
    expected = style_transfer(dict(content=content, style=style), **options)
    assert (read_rgb(output) == expected[OutputKeys.OUTPUT_IMG][..., ::-1]).all()
    for name in options:
        others = {other: value for other, value in options.items() if other != name}
        result = style_transfer(dict(content=content, style=style), **others)
        assert (result[OutputKeys.OUTPUT_IMG] != expected[OutputKeys.OUTPUT_IMG]).any(), name


@pytest.mark.parametrize('method', METHODS)
def test_methods(pictures, style_transfer, method):
    content, style = str(pictures / 'content.png'), str(pictures / 'style.png')
    output = pictures / 'result.png'
    assert stylize(content, style, '-o', output, '--method', method) == 0
    expected = style_transfer(content, style, method=method)[OutputKeys.OUTPUT_IMG]
    assert (read_rgb(output) == expected[..., ::-1]).all()


@pytest.fixture
def several(pictures):
    """The same folder with a second style, and a mask that is white on the right."""
    Image.fromarray(waves(64, 64, 3.1)).save(pictures / 'other.png')
    mask = np.zeros((56, 72), np.uint8)
    mask[:, 36:] = 255
    Image.fromarray(mask).save(pictures / 'mask.png')
    return pictures


@pytest.mark.parametrize('arguments, options', [
    ([], {}), (['--style-weights', '0.7', '0.3'], {'style_weights': [0.7, 0.3]}),
    (['--mask', 'mask.png'], {'mask': 'mask.png'}),
    (['--own-attention', 'mask.png', '--method', 'aams'], {'attention': 'mask.png'})])
def test_several_styles(several, style_transfer, monkeypatch, arguments, options):
    monkeypatch.chdir(several)
    assert stylize('content.png', 'style.png', 'other.png', '-o', 'result.png', *arguments) == 0
    expected = style_transfer('content.png', ['style.png', 'other.png'], **options)
    assert (read_rgb('result.png') == expected[OutputKeys.OUTPUT_IMG][..., ::-1]).all()


def test_styles_behind_the_options(several, monkeypatch, capsys):
    """The order of arguments is free, but for the styles, which stand together."""
    monkeypatch.chdir(several)
    for number, arguments in enumerate((
            ['content.png', '--mask', 'mask.png', 'style.png', 'other.png', '-o', '0.png'],
            ['-o', '1.png', '--mask', 'mask.png', 'content.png', 'style.png', 'other.png'],
            ['content.png', '-o', '2.png', 'style.png', 'other.png', '--mask', 'mask.png'])):
        assert stylize(*arguments) == 0
        assert (read_rgb(f'{number}.png') == read_rgb('0.png')).all()
    assert stylize('content.png', 'style.png', '-o', '3.png', 'other.png') == 2
    assert 'unrecognized arguments: other.png' in capsys.readouterr().err


def test_contact_sheet_shows_every_style(several, monkeypatch):
    monkeypatch.chdir(several)
    for styles in (['style.png'], ['style.png', 'other.png']):
        assert stylize('content.png', *styles, '-o', 'result.png', '--contact-sheet',
                       'sheet.png') == 0
        cells = 2 + len(styles)
        assert cells * 320 < read_rgb('sheet.png').shape[1] < (cells + 1) * 320


def test_a_mask_that_does_not_fit_is_named(several, monkeypatch, capfd):
    monkeypatch.chdir(several)
    assert stylize('content.png', 'style.png', '-o', 'r.png', '--mask', 'style.png') == 1
    complaint, = capfd.readouterr().err.splitlines()
    assert complaint == ("aams: content.png: mask: 64x80 pixels are of another aspect ratio than "
                         "the content's 72x56; expected the same")
    assert not (several / 'r.png').exists()


def test_max_length_none_keeps_the_size(pictures, style_transfer):
    content, style = pictures / 'long.png', str(pictures / 'style.png')
    Image.fromarray(waves(32, 840, 0.4)).save(content)
    assert stylize(content, style, '-o', pictures / 'result.png', '--max-length', 'none') == 0
    pair = dict(content=str(content), style=style)
    whole = style_transfer(pair, max_length=None)[OutputKeys.OUTPUT_IMG][..., ::-1]
    assert (read_rgb(pictures / 'result.png') == whole).all()
    assert (style_transfer(pair)[OutputKeys.OUTPUT_IMG][..., ::-1] != whole).any()


def test_a_folder_is_done_to_its_end_and_its_failures_named(folder, pictures, capfd):
    output, style = pictures / 'out', pictures / 'style.png'
    assert stylize(folder, style, '-o', output, '--json') == 1
    printed = capfd.readouterr()
    first, second, third = map(json.loads, printed.out.splitlines())
    assert first.pop('seconds') > 0 and third.pop('seconds') > 0
    assert first == {'content': str(folder / 'a.png'), 'output': str(output / 'a.png'),
                     'width': 64, 'height': 48, 'attention_map': None}
    assert second.keys() == {'content', 'error'}
    assert second['content'] == str(folder / 'b.jpg')
    assert 'is not a picture of a known kind' in second['error']
    assert third['output'] == str(output / 'c.gif.png')
    assert files_in(output) == ['a.png', 'c.gif.png']
    complaints = [line for line in printed.err.splitlines() if line.startswith('aams: ')]
    assert complaints == [f'aams: {second["error"]}']
    assert '3/3' in printed.err  # the progress bar


def test_attention_maps_and_contact_sheet(folder, pictures, style_transfer, capsys):
    output, style, sheet = pictures / 'out', pictures / 'style.png', pictures / 'sheet.jpg'
    (folder / 'b.jpg').unlink()
    assert stylize(folder, style, '-o', output, '--attention-map', '--contact-sheet', sheet,
                   '--json') == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [pathlib.Path(report['attention_map']).name for report in reports] == [
        'a.attention.png', 'c.gif.attention.png']
    content = read_rgb(folder / 'a.png')
    attention = style_transfer(dict(content=str(folder / 'a.png'), style=str(style)),
                               return_attention_map=True)['attention_map']
    assert (read_rgb(output / 'a.attention.png') == heat_map(content, attention)).all()
    rows, columns, _ = read_rgb(sheet).shape
    assert columns > 3 * 320 and rows > 2 * 320


@pytest.mark.parametrize('arguments, named', [
    (['content.png', 'style.png'], 'required: -o'),
    (['content.png', 'style.png', '-o', 'result.gif'], 'has the ending .gif'),
    (['content.png', 'style.png', '-o', 'content.png'], 'content.png is an input'),
    (['content.png', 'style.png', '-o', 'style.png'], 'style.png is an input'),
    (['content.png', 'style.png', '-o', 'r.png', '--contact-sheet', 's.txt'], 'ending .txt'),
    (['content.png', 'style.png', '-o', 'r.png', '--contact-sheet', 'style.png'], 'is an input'),
    (['content.png', 'style.png', '-o', 'r.png', '--contact-sheet', 'r.png'], 'written twice'),
    (['content.png', 'style.png', '-o', 'r.png', '--style-weight', '1.5'], "'1.5' is no number"),
    (['content.png', 'style.png', '-o', 'r.png', '--inter-weight', 'nan'], "'nan' is no number"),
    (['content.png', 'style.png', '-o', 'r.png', '--scales', '0'], 'above 0 to 1'),
    (['content.png', 'style.png', '-o', 'r.png', '--theta', 'inf'], 'from 0'),
    (['content.png', 'style.png', '-o', 'r.png', '--max-length', '-3'], '-3'),
    (['content.png', 'style.png', '-o', 'r.png', '--max-length', '0'], 'number of pixels'),
    (['.', 'style.png', '-o', '.'], 'is an input'),
    (['content.png', 'style.png', '-o', 'r.png', '--method', 'gatys'], "invalid choice: 'gatys'"),
    (['content.png', 'style.png', '-o', 'r.png', '--patch-size', '4'], 'invalid choice: 4'),
    (['content.png', 'style.png', '-o', 'r.png', '--method', 'adain', '--theta', '3'],
     "theta has no meaning for method 'adain'"),
    (['content.png', 'style.png', '-o', 'r.png', '--method', 'wct', '--attention-map'],
     "--attention-map has no meaning for method 'wct'"),
    (['content.png', 'style.png', '-o', 'r.png', '--method', 'wct', '--own-attention', 'm.png'],
     "--own-attention has no meaning for method 'wct'"),
    (['content.png', 'style.png', '-o', 'r.png', '--style-weights', '1', '2'],
     'expected 1 number'),
    (['content.png', 'style.png', '-o', 'r.png', '--style-weights', '-1'], "'-1' is no number"),
    (['content.png', 'style.png', '-o', 'r.png', '--style-weights', '0'], 'above 0'),
    (['content.png', 'style.png', '-o', 'r.png', '--style-weights', '1', '--mask', 'm.png'],
     'exclude each other'),
    (['content.png', 'style.png', '-o', 'm.png', '--mask', 'm.png'], 'm.png is an input'),
    (['content.png', 'style.png', 'r.png', '-o', 'r.png'], 'r.png is an input'),
    (['empty', 'style.png', '-o', 'out'], 'holds no pictures'),
])
def test_wrong_usage_is_one_line_before_any_work(pictures, monkeypatch, capfd, arguments, named):
    monkeypatch.chdir(pictures)
    (pictures / 'empty').mkdir()
    before = files_in(pictures)
    assert stylize(*arguments) == 2
    printed = capfd.readouterr()
    assert printed.out == '' and named in printed.err
    assert len(printed.err.splitlines()) == 1 and printed.err.startswith('aams stylize: ')
    assert files_in(pictures) == before


@pytest.mark.parametrize('arguments, named', [
    (['missing.png', 'style.png', '-o', 'r.png'], 'missing.png: no such file'),
    (['content.png', 'missing.png', '-o', 'r.png'], 'missing.png: no such file'),
    (['content.png', 'style.png', 'missing.png', '-o', 'r.png'], 'missing.png: no such file'),
    (['content.png', 'style.png', '-o', 'r.png', '--mask', 'missing.png'], 'missing.png: no such'),
    (['content.png', 'style.png', '-o', 'style.png/r.png'], 'style.png'),
    (['content.png', 'style.png', '-o', 'r.png', '--model', 'empty'], 'empty'),
    (['content.png', 'style.png', '-o', 'r.png', '--model', 'style.png'], 'style.png is a file'),
    (['content.png', 'style.png', '-o', 'r.png', '--device', 'abacus'], 'device should be'),
])
def test_a_failure_is_one_line_and_leaves_nothing(pictures, monkeypatch, capfd, arguments, named):
    monkeypatch.chdir(pictures)
    (pictures / 'empty').mkdir()
    before = files_in(pictures)
    assert stylize(*arguments, '--json') == 1
    printed = capfd.readouterr()
    complaint, = printed.err.splitlines()
    assert complaint.startswith('aams: ') and named in complaint
    report = json.loads(printed.out)
    assert report['content'] == arguments[0] and named in report['error']
    assert files_in(pictures) == before


def run(*command, **variables):
    environment = {**os.environ, **variables}
    environment.pop('TF_CPP_MIN_LOG_LEVEL')
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True,
                          text=True)


def test_as_a_module_prints_json_and_nothing_else(pictures, style_transfer):
    output = pictures / 'result.png'
    process = run(sys.executable, '-m', 'modelscope_aams', 'stylize', pictures / 'content.png',
                  pictures / 'style.png', '-o', output, '--json')
    assert (process.returncode, process.stderr) == (0, '')
    report = json.loads(process.stdout)
    assert (report['output'], report['width'], report['height']) == (str(output), 72, 56)
    # One process gives the same bytes as another.
    here = style_transfer(dict(content=str(pictures / 'content.png'),
                               style=str(pictures / 'style.png')))[OutputKeys.OUTPUT_IMG]
    np.testing.assert_array_equal(read_rgb(output), here[..., ::-1])


def test_every_control_in_a_process(several, style_transfer, monkeypatch):
    monkeypatch.chdir(several)
    process = run(sys.executable, '-m', 'modelscope_aams', 'stylize', 'content.png', 'style.png',
                  'other.png', '-o', 'result.png', '--mask', 'mask.png', '--own-attention',
                  'mask.png', '--keep-colours', '--style-weight', '0.9', '--patch-size', '3',
                  '--scales', '0.5', '1')
    assert (process.returncode, process.stdout, process.stderr) == (0, 'result.png\n', '')
    expected = style_transfer('content.png', ['style.png', 'other.png'], mask='mask.png',
                              attention='mask.png', keep_colours=True, style_weight=0.9,
                              patch_size=3, scales=[0.5, 1])[OutputKeys.OUTPUT_IMG]
    np.testing.assert_array_equal(read_rgb('result.png'), expected[..., ::-1])
    process = run(sys.executable, '-m', 'modelscope_aams', 'stylize', 'content.png', 'style.png',
                  '-o', 'no.png', '--method', 'adain', '--scales', '0.5')
    assert (process.returncode, process.stdout) == (2, '')
    assert process.stderr == ("aams stylize: scales has no meaning for method 'adain'; "
                              "expected only with 'aams'\n")


def test_the_script_shows_a_traceback_when_asked(pictures):
    script = pathlib.Path(sys.executable).with_name('aams')
    arguments = [script, 'stylize', pictures / 'none.png', pictures / 'style.png', '-o',
                 pictures / 'result.png']
    process = run(*arguments)
    assert process.returncode == 1 and process.stdout == ''
    assert process.stderr == (
        f'aams: {pictures / "none.png"}: no such file; expected a picture: a path, the bytes '
        'of a file, a PIL image or a NumPy array (BGR or grey)\n')
    assert 'Traceback' in run(*arguments, AAMS_DEBUG='1').stderr
