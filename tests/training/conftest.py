"""Small photographs, recipes of a few steps, and processes that train on them."""
import contextlib
import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from modelscope_aams.training.recipe import load_recipe

ROOT = pathlib.Path(__file__).parents[2]

TINY = {'steps': 8, 'batch_size': 2, 'crop': 32, 'precision': 'float32',
        'checkpoint_interval': 2, 'summary_interval': 1}


def draw_picture(seed, rows, columns):
    """Soft blobs of colour, uint8 RGB [rows, columns, 3]."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (columns, rows),
                      interpolation=cv2.INTER_CUBIC)


def write_pictures(folder, count, first_seed=0, size=(72, 96)):
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        picture = draw_picture(seed, size[0] + number, size[1] - number)
        assert cv2.imwrite(str(folder / f'{seed:012d}.jpg'), picture)


@pytest.fixture(scope='session')
def photographs(tmp_path_factory):
    """A folder that looks as MS-COCO does unpacked."""
    folder = tmp_path_factory.mktemp('coco')
    write_pictures(folder / 'train2017', 7)
    return folder


@pytest.fixture(scope='session')
def held_out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('val2017')
    write_pictures(folder, 2, first_seed=100)
    return folder


@pytest.fixture(scope='session')
def tiny():
    """Our recipe in a few small steps, as a function of what else is to be different."""
    return lambda **settings: load_recipe('reconstruction', {
        **TINY, **{name.replace('__', '.'): value for name, value in settings.items()}})


@pytest.fixture(scope='session')
def options():
    """The command line's options for the tiny recipe, with other settings put in place."""
    def build(**settings):
        values = {**TINY, **{name.replace('__', '.'): value for name, value in settings.items()}}
        return [f'--set={name}={value}' for name, value in values.items()]
    return build


@pytest.fixture(scope='session')
def start_python():
    """Starts Python on arguments, from the project's root; gives a subprocess.Popen.

    What is left of them in the end is killed.
    """
    with contextlib.ExitStack() as started:
        def start(*arguments, log=subprocess.DEVNULL, **environment):
            process = started.enter_context(subprocess.Popen(
                [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=log,
                stderr=subprocess.STDOUT, env={**os.environ, **environment}))
            started.callback(process.kill)
            return process
        yield start
