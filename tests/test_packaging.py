"""The wheel: what is in it, and that it works where nothing of this tree is."""
import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest

from modelscope_aams.extras import NEEDED

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = ('setup.py', 'README.md', 'modelscope_aams')

SNIPPET = """
import sys
import modelscope_aams
print('tensorflow' in sys.modules, 'keras' in sys.modules, modelscope_aams.__file__)

import cv2
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

style_transfer = pipeline(
    Tasks.image_style_transfer, model_id='damo/cv_aams_style-transfer_damo')
result = style_transfer(dict(content='content.png', style='style.png'))
cv2.imwrite('result.png', result[OutputKeys.OUTPUT_IMG])
"""


def run(*command, cwd, **variables):
    process = subprocess.run(list(map(str, command)), cwd=cwd, env={**os.environ, **variables},
                             capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def pip(*arguments, cwd):
    return run(sys.executable, '-m', 'pip', '--disable-pip-version-check', *arguments, cwd=cwd)


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that nothing is left in the tree."""
    tree, out = tmp_path_factory.mktemp('tree'), tmp_path_factory.mktemp('wheel')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            # Other processes may be writing there what they compiled.
            shutil.copytree(ROOT / name, tree / name,
                            ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(ROOT / name, tree / name)
    pip('wheel', '--no-deps', '--no-build-isolation', '--no-index', '--wheel-dir', out, tree,
        cwd=tree)
    path, = out.glob('modelscope_aams-*-py3-none-any.whl')
    return path


def pins():
    """The lines of constraints.txt that are no comment."""
    lines = (ROOT / 'constraints.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if not line.startswith('#')]


def read(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        found, = (entry for entry in archive.namelist() if re.fullmatch(name, entry))
        return archive.read(found).decode()


def test_holds_every_module_and_all_data(wheel):
    package = ROOT / 'modelscope_aams'
    expected = {path.relative_to(ROOT).as_posix() for path in package.rglob('*')
                if path.suffix in ('.py', '.json', '.jpg', '.md', '.safetensors')}
    assert 'modelscope_aams/bundled/aams.safetensors' in expected
    assert 'modelscope_aams/bundled/configuration.json' in expected
    assert any(name.startswith('modelscope_aams/training/recipes/') for name in expected)
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if '.dist-info/' not in name}
    assert names == expected
    assert wheel.stat().st_size < 25e6


def test_declares_its_command_and_needs(wheel):
    scripts = configparser.ConfigParser()
    scripts.read_string(read(wheel, r'.*\.dist-info/entry_points\.txt'))
    assert dict(scripts['console_scripts']) == {'aams': 'modelscope_aams.cli.main:main'}
    metadata = read(wheel, r'.*\.dist-info/METADATA')
    assert (ROOT / 'README.md').read_text(encoding='utf-8').strip() in metadata
    needed = set(re.findall(r'^Requires-Dist: ([\w-]+)', metadata, re.M))
    pinned = {line.split('==')[0].replace('_', '-') for line in pins()}
    # On the pinned platform tensorflow-cpu takes the place of tensorflow.
    assert needed - pinned == {'tensorflow'}


def test_extras_bring_what_is_asked_for(wheel):
    metadata = read(wheel, r'.*\.dist-info/METADATA')
    for extra, packages in NEEDED.items():
        brought = set(re.findall(rf'^Requires-Dist: ([\w-]+).*extra == "{extra}"', metadata, re.M))
        assert brought >= set(packages.values())
    # Nor does anything of the server or the page come without its extra.
    always = set(re.findall(r'^Requires-Dist: ([\w-]+)(?!.*extra ==)', metadata, re.M))
    assert not always & {'fastapi', 'uvicorn', 'gradio', 'playwright', 'onnx', 'tf2onnx'}


def test_constraints_are_exact_and_of_no_machine():
    assert all(re.fullmatch(r'[\w.-]+==[\w.]+', line) for line in pins())
    assert {'modelscope==1.40.2', 'tensorflow_cpu==2.21.0', 'torch==2.13.0',
            'numpy==2.4.6'} <= set(pins())


def test_works_from_an_installed_wheel(wheel, tmp_path):
    target, elsewhere = tmp_path / 'target', tmp_path / 'elsewhere'
    elsewhere.mkdir()
    pip('install', '--no-deps', '--no-index', '--target', target, wheel, cwd=elsewhere)
    noise = np.random.default_rng(0)
    for name, shape in (('content', (40, 56, 3)), ('style', (64, 64, 3))):
        cv2.imwrite(str(elsewhere / f'{name}.png'), noise.integers(0, 256, shape, np.uint8))
    printed = run(sys.executable, '-c', SNIPPET, cwd=elsewhere, PYTHONPATH=str(target))
    package = target / 'modelscope_aams' / '__init__.py'
    assert printed.splitlines()[0] == f'False False {package}'
    assert cv2.imread(str(elsewhere / 'result.png')).shape == (40, 56, 3)
    # The script that pip writes has no notion of --target either; it finds PYTHONPATH.
    assert 'stylize' in run(target / 'bin' / 'aams', '--help', cwd=elsewhere,
                            PYTHONPATH=str(target))
