"""Two devices, and two machines on loopback, against one device with the whole batch.

What float32 rounds off is enlarged by every step that moves the weights, many thousandfold
in a few. So the gradients of several steps are compared with weights that stay where they
are (rate 0), through the optimiser's moments, which are sums of them; and the way that the
weights move over two steps only, with an optimiser whose steps grow with the gradient
(large epsilon), as otherwise Adam would hide gradients that are halved or doubled.
"""
import contextlib
import json
import signal
import socket
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.training import workers

STATE = 'training_state.safetensors'

COMMON = {'steps': 4, 'batch_size': 4, 'crop': 64, 'resize': None, 'checkpoint_interval': 2,
          'summary_interval': 1, 'flip': True}
RECIPES = {
    'still': {**COMMON,
              'loss': {'reconstruction': 0.002, 'perceptual_relative': True,
                       'total_variation': 0.0, 'attention': 100.0,
                       'attention_reduction': 'mean'},
              'optimiser': {'rate': 0.0, 'decay': 'cosine', 'epsilon': 1e-7, 'clip_norm': 0.5}},
    'moving': {**COMMON, 'steps': 2, 'optimiser': {'rate': 1e-2, 'epsilon': 1e5}},
}
#: Bounds on differences, relative to the norm of what is compared.
BOUNDS = {'still': 1e-5, 'moving': 2e-3}


@pytest.fixture(scope='module')
def run(photographs, start_python, tmp_path_factory):
    """Trains the recipe of a name in some way; gives the work folder."""
    def arguments(kind, name, work_dir):
        recipe = work_dir / 'recipe.json'
        recipe.write_text(json.dumps(RECIPES[name]))
        return '-m', 'tests.training.workers', kind, recipe, photographs, work_dir

    def start(kind, name, work_dir=None, **more):
        work_dir = work_dir or tmp_path_factory.mktemp(f'{name}_{kind}')
        processes = []
        for environment in two_machines(taken) if kind == 'machines' else [{}]:
            log = open(work_dir / f'{len(processes)}.log', 'wb')
            processes.append(start_python(*arguments(kind, name, work_dir), log=log,
                                          **environment, **more))
            log.close()
        return work_dir, processes

    def finish(*args):
        work_dir, processes = start(*args)
        for number, process in enumerate(processes):
            assert process.wait() == 0, (work_dir / f'{number}.log').read_text()[-3000:]
        return work_dir

    finish.start = start
    with contextlib.ExitStack() as taken:
        yield finish


def two_machines(taken):
    """The environment of two workers on ports of this machine, kept for them in ``taken``."""
    addresses = []
    for _ in range(2):
        port = taken.enter_context(socket.socket())
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        port.bind(('127.0.0.1', 0))
        addresses.append(f'127.0.0.1:{port.getsockname()[1]}')
    return [{'TF_GRPC_REUSE_PORT': '1',
             'TF_CONFIG': json.dumps({'cluster': {'worker': addresses},
                                      'task': {'type': 'worker', 'index': index}})}
            for index in (0, 1)]


@pytest.fixture(scope='module')
def alone(photographs, tmp_path_factory):
    """The work folder of each recipe's run on one device."""
    folders = {}
    for name, recipe in RECIPES.items():
        folders[name] = tmp_path_factory.mktemp(f'{name}_alone')
        path = folders[name] / 'recipe.json'
        path.write_text(json.dumps(recipe))
        workers.main('alone', path, photographs, folders[name])
    return folders


def assert_same_training(work_dir, alone, name):
    """Every kernel's moments, and how far it moved, are those of one device."""
    mine, other = (load_file(folder / STATE) for folder in (work_dir, alone[name]))
    start = load_file(alone['still'] / STATE)
    assert set(mine) == set(other) and mine['step'] == other['step']
    compared = 0
    for key, array in other.items():
        if key.startswith('vgg_19/'):
            np.testing.assert_array_equal(mine[key], array)
        if key.startswith('vgg_19/') or array.ndim != 4:
            continue
        error = np.linalg.norm(np.float64(mine[key]) - array)
        if key.startswith('optimiser/'):
            size = np.linalg.norm(array)
        else:
            size = np.linalg.norm(np.float64(array) - start[key])
            assert (size > 0) == (name == 'moving')
        assert error <= BOUNDS[name] * size, (key, error / size)
        compared += 1
    # Kernels of attention and decoder, each with two moments.
    assert compared == 12 * 3
    losses = [json.loads((folder / 'losses.json').read_text())[-1]
              for folder in (work_dir, alone[name])]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize('name', RECIPES)
def test_two_devices(run, alone, name):
    assert_same_training(run('mirrored', name), alone, name)


def test_two_machines(run, alone):
    assert_same_training(run('machines', 'moving'), alone, 'moving')


def test_two_machines_killed_and_taken_up_again(run, alone):
    # Held where they are once the state is written, as killing them takes its time.
    work_dir, processes = run.start('machines', 'still', HOLD_AFTER='1')
    while not (work_dir / STATE).exists() and all(each.poll() is None for each in processes):
        time.sleep(0.02)
    for process in processes:
        process.kill()
    assert [process.wait() for process in processes] == [-signal.SIGKILL] * 2
    assert load_file(work_dir / STATE)['step'] == 2
    run('machines', 'still', work_dir)
    assert_same_training(work_dir, alone, 'still')
