"""Runs that are killed and taken up again, and what a work folder may hold."""
import json
import logging
import os
import signal

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.training import state
from modelscope_aams.training.loop import Trainer
from modelscope_aams.training.weights import network_builder

STATE, WEIGHTS = 'training_state.safetensors', 'aams.safetensors'

TRAIN = '''
import sys
from modelscope_aams.cli.main import main
sys.exit(main(['train', *sys.argv[1:]]))
'''

# Dies after step 5, which is trained but not written.
KILLED_BETWEEN = '''
import os, signal
from modelscope_aams.training.summaries import LossSummaries
summarise = LossSummaries.on_train_batch_end
def last(self, batch, logs=None):
    summarise(self, batch, logs)
    if self.start + batch + 1 == 5:
        os.kill(os.getpid(), signal.SIGKILL)
LossSummaries.on_train_batch_end = last
''' + TRAIN

# Leaves half of the file of step 4 behind, under whatever name it is written.
KILLED_IN_WRITING = '''
import os, signal
from modelscope_aams.training import state
whole = state.save_file
def half(arrays, path, metadata):
    whole(arrays, path, metadata)
    if arrays['step'] == 4:
        os.truncate(path, os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)
state.save_file = half
''' + TRAIN


def train(recipe, dataset, work_dir, **kwargs):
    trainer = Trainer(network_builder(recipe), recipe, dataset, work_dir, verbose=0, **kwargs)
    trainer.train()
    return trainer


def step_in(work_dir):
    return int(load_file(work_dir / STATE)['step'])


@pytest.fixture(scope='module')
def uninterrupted(tiny, photographs, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('whole')
    train(tiny(), photographs, work_dir)
    return work_dir


def assert_same_run(work_dir, expected):
    mine, other = (load_file(folder / STATE) for folder in (work_dir, expected))
    assert set(mine) == set(other)
    for name, array in other.items():
        np.testing.assert_array_equal(mine[name], array, name)
    assert (work_dir / WEIGHTS).read_bytes() == (expected / WEIGHTS).read_bytes()


def test_killed_between_checkpoints(uninterrupted, tiny, options, photographs, start_python,
                                    tmp_path):
    process = start_python('-c', KILLED_BETWEEN, '--dataset', photographs,
                           '--work-dir', tmp_path, *options())
    assert process.wait() == -signal.SIGKILL
    assert step_in(tmp_path) == 4
    train(tiny(), photographs, tmp_path)
    assert_same_run(tmp_path, uninterrupted)


def test_killed_while_the_state_is_written(uninterrupted, tiny, options, photographs,
                                           start_python, tmp_path):
    process = start_python('-c', KILLED_IN_WRITING, '--dataset', photographs,
                           '--work-dir', tmp_path, *options())
    assert process.wait() == -signal.SIGKILL
    assert len(list(tmp_path.glob(f'.{STATE}.*'))) == 1
    assert step_in(tmp_path) == 2
    train(tiny(), photographs, tmp_path)
    assert not list(tmp_path.glob('.*'))
    assert_same_run(tmp_path, uninterrupted)


def test_interval_of_checkpoints_changes_nothing(uninterrupted, tiny, photographs, tmp_path):
    train(tiny(checkpoint_interval=5), photographs, tmp_path)
    assert_same_run(tmp_path, uninterrupted)


def test_seed_changes_the_weights(uninterrupted, tiny, photographs, tmp_path):
    train(tiny(seed=1, steps=1), photographs, tmp_path)
    mine, other = (read_weights(folder).arrays for folder in (tmp_path, uninterrupted))
    for name, array in other.items():
        if name.endswith('kernel'):
            assert np.abs(mine[name] - array).max() > 0.01, name
        elif name.startswith('vgg_19/'):
            np.testing.assert_array_equal(mine[name], array)


def test_a_finished_run_stays_as_it_is(uninterrupted, tiny, photographs):
    before = {path.name: path.read_bytes() for path in (uninterrupted / STATE,
                                                        uninterrupted / WEIGHTS)}
    train(tiny(), photographs, uninterrupted)
    assert before == {name: (uninterrupted / name).read_bytes() for name in before}


def test_another_recipe_is_told(uninterrupted, tiny, photographs, tmp_path, caplog):
    os.link(uninterrupted / STATE, tmp_path / STATE)
    (photographs / 'train2017' / 'another.txt').write_text('not a picture')
    with caplog.at_level(logging.WARNING, logger='modelscope_aams'):
        train(tiny(optimiser__rate=0.5, crop=64), photographs, tmp_path)
    (photographs / 'train2017' / 'another.txt').unlink()
    told = [message for message in caplog.messages if 'begun with another' in message]
    assert [message.rsplit(' ', 1)[1] for message in told] == ['recipe.crop',
                                                               'recipe.optimiser.rate']


def test_states_that_cannot_be_gone_on_from(uninterrupted, tiny, photographs, tmp_path):
    arrays = load_file(uninterrupted / STATE)
    path = tmp_path / STATE

    def message():
        with pytest.raises(ValueError) as error:
            train(tiny(), photographs, tmp_path)
        assert str(path.parent) in str(error.value) and '\n' not in str(error.value)
        return str(error.value)

    save_file({**arrays, 'step': np.array(9)}, path)
    assert 'step 9' in message() and 'ends at 8' in message()
    save_file({**arrays, 'self_attention/f_conv/conv2d/bias': np.zeros(3, np.float32)}, path)
    assert '(3,)' in message() and '(256,)' in message()
    save_file({'step': np.array(1), 'weight': np.zeros(3)}, path)
    assert 'another configuration' in message()
    path.write_bytes((uninterrupted / STATE).read_bytes()[:1000])
    assert 'no whole state' in message()
    path.write_bytes(b'')
    assert 'no whole state' in message()


def test_loss_that_is_no_number_leaves_the_checkpoint(tiny, photographs, tmp_path):
    train(tiny(steps=1), photographs, tmp_path)
    before = (tmp_path / STATE).read_bytes(), (tmp_path / WEIGHTS).read_bytes()
    with pytest.raises(ValueError, match='no longer a number between steps 2 and 3.*keeps step 1'):
        train(tiny(steps=3, loss__reconstruction=1e38), photographs, tmp_path)
    assert before == ((tmp_path / STATE).read_bytes(), (tmp_path / WEIGHTS).read_bytes())


def test_state_names_its_origin(uninterrupted, tiny):
    with state.safe_open(str(uninterrupted / STATE), framework='numpy') as file:
        origin = json.loads(file.metadata()['origin'])
    assert origin['recipe'] == tiny().as_mapping()
