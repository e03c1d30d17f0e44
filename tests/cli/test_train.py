"""aams train and aams validate as a user runs them."""
import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.cli.main import main
from modelscope_aams.network.configuration import NetworkConfiguration
from modelscope_aams.training.recipe import load_recipe

SETTINGS = ['--set=steps=2', '--set=batch_size=2', '--set=crop=32', '--set=precision=float32',
            '--set=optimiser.rate=1e-4', '--set=network.attention_peak=98']


@pytest.fixture(scope='module')
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('photographs')
    rng = np.random.default_rng(0)
    (folder / 'train2017').mkdir()
    for number in range(3):
        picture = cv2.resize(rng.integers(0, 256, (5, 5, 3), np.uint8), (80, 60))
        assert cv2.imwrite(str(folder / 'train2017' / f'{number}.jpg'), picture)
    assert cv2.imwrite(str(folder / 'grey.png'), picture[..., 0])
    return folder


@pytest.fixture(scope='module')
def trained(photographs, tmp_path_factory):
    """A finished run's folder, what it printed, and what it said meanwhile."""
    work_dir = tmp_path_factory.mktemp('work')
    done = subprocess.run(
        [sys.executable, '-m', 'modelscope_aams.cli.main', 'train', '--dataset', photographs,
         '--validation', photographs, '--work-dir', work_dir, *SETTINGS],
        capture_output=True, text=True, check=True)
    return work_dir, done.stdout, done.stderr


def test_training_says_what_it_does(trained):
    work_dir, printed, said = trained
    assert '3 pictures' in said and 'grey.png' in said and 'mode L' not in printed
    assert re.search(r'2/2.*attention_l1: \d.*loss: \d.*perceptual: \d.*reconstruction: \d',
                     printed)
    assert f'weights: {work_dir}/aams.safetensors' in printed
    assert re.fullmatch(r'psnr_db: \d+\.\d{3}', printed.splitlines()[-1])
    assert 'Traceback' not in said and 'Warning' not in said
    assert 'grey.png: not of three colour channels: mode L' in (
        work_dir / 'left_out.txt').read_text()


def test_training_leaves_a_model_directory(trained):
    work_dir = trained[0]
    weights = read_weights(work_dir)
    assert weights.configuration == NetworkConfiguration(
        attention_features=load_recipe('reconstruction').network.attention_features,
        attention_peak=98, border='mirrored')
    bundled = read_weights(work_dir.__class__(sys.modules['modelscope_aams'].__file__).parent
                           / 'bundled').arrays
    for name, array in bundled.items():
        if name.startswith('vgg_19/'):
            np.testing.assert_array_equal(weights.arrays[name], array)
    configuration = json.loads((work_dir / 'configuration.json').read_text())
    assert configuration['train']['steps'] == 2
    assert configuration['pipeline']['type'] == 'AAMS-style-transfer'

    from modelscope.pipelines import pipeline
    style_transfer = pipeline('image-style-transfer', model=str(work_dir))
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    output = style_transfer(dict(content=picture, style=picture))['output_img']
    assert output.shape == picture.shape


def test_validate_prints_the_psnr_last(trained, photographs, capsys):
    assert main(['validate', '--dataset', str(photographs), '--model', str(trained[0])]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r'psnr_db: \d+\.\d{3}', line)
    # Float16 in the file, float32 in training.
    assert float(line.split()[1]) == pytest.approx(float(trained[1].split()[-1]), abs=0.05)
    assert main(['validate', '--dataset', str(photographs)]) == 0
    bundled = float(capsys.readouterr().out.split()[-1])
    assert bundled > float(line.split()[1]) + 3


def test_whole_weights_to_start_from(trained, photographs, tmp_path, capsys):
    assert main(['train', '--dataset', str(photographs), '--work-dir', str(tmp_path),
                 '--initial', str(trained[0] / 'aams.safetensors'), *SETTINGS,
                 '--set=optimiser.rate=0', '--set=steps=1']) == 0
    before, after = (read_weights(folder).arrays for folder in (trained[0], tmp_path))
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


@pytest.mark.parametrize('arguments, said', [
    ([], 'required: COMMAND'),
    (['train'], '--dataset'),
    (['validate'], '--dataset'),
    (['train', '--dataset', '.', '--set', 'steps'], "'steps' is not of the form NAME=VALUE"),
    (['train', '--dataset', '.', '--set', 'stpes=1'], 'unknown setting stpes'),
    (['train', '--dataset', '.', '--set', 'steps=many'], "steps is 'many'"),
    (['train', '--dataset', '.', '--recipe', 'mine'], 'no recipe mine'),
    (['train', '--dataset', '.', '--recipe', 'stylization', '--initial', 'a'],
     'a recipe with stylization needs --styles and --initial'),
    (['train', '--dataset', '.', '--initial', 'a', '--encoder', 'b'], 'exclude each other')])
def test_wrong_usage(arguments, said, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    message = capsys.readouterr().err
    assert exit_.value.code == 2
    assert said in message and message.count('\n') == 1


def test_failures(photographs, tmp_path, capsys):
    (tmp_path / 'bad.safetensors').write_bytes(b'nothing')
    (tmp_path / 'empty').mkdir()
    work = ['--work-dir', str(tmp_path / 'work')]
    for arguments, said in (
            (['train', '--dataset', str(tmp_path / 'no'), *work], 'is not a folder'),
            (['train', '--dataset', str(tmp_path / 'empty'), *work], 'no readable'),
            (['train', '--dataset', str(photographs), '--encoder',
              str(tmp_path / 'bad.safetensors'), *work], 'bad.safetensors'),
            (['train', '--dataset', str(photographs), '--initial', str(tmp_path / 'no'), *work],
             'no such file'),
            (['validate', '--dataset', str(tmp_path / 'empty')], 'no readable'),
            (['validate', '--dataset', str(photographs), '--model', str(tmp_path / 'empty')],
             'holds no weights')):
        assert main(arguments) == 1
        message = capsys.readouterr().err.splitlines()[-1]
        assert message.startswith('aams: ') and said in message
    assert not (tmp_path / 'work').exists()
