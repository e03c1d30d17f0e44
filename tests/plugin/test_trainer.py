"""The trainer out of ModelScope's registry."""
import json
import logging

import cv2
import numpy as np
import pytest
from modelscope.trainers import build_trainer

import modelscope_aams
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.training.recipe import load_recipe
from tests.plugin.conftest import BUNDLED

NAME = 'aams-style-transfer-trainer'
TINY = {'steps': 2, 'batch_size': 2, 'crop': 32, 'precision': 'float32',
        'optimiser': {'rate': 1e-4}}


@pytest.fixture(scope='module')
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('photographs')
    for number in range(3):
        rng = np.random.default_rng(number)
        picture = cv2.resize(rng.integers(0, 256, (5, 5, 3), np.uint8), (80, 60))
        assert cv2.imwrite(str(folder / f'{number}.jpg'), picture)
    return str(folder)


def set_train(values):
    def modify(configuration):
        configuration.train = values
        return configuration
    return modify


def test_trains_from_the_bundled_encoder(photographs, tmp_path):
    trainer = build_trainer(NAME, dict(
        train_dataset=photographs, eval_dataset=photographs, work_dir=str(tmp_path),
        cfg_modify_fn=set_train(TINY), device='cpu', trust_remote_code=True))
    assert type(trainer).__module__ == 'modelscope_aams.plugin.trainer'
    bundled = trainer.evaluate()['psnr_db']
    result = trainer.train()
    assert set(result) == {'psnr_db'} and result['psnr_db'] < bundled
    assert trainer.evaluate()['psnr_db'] == pytest.approx(result['psnr_db'], abs=0.05)
    assert trainer.evaluate(str(BUNDLED))['psnr_db'] == bundled
    assert json.loads((tmp_path / 'configuration.json').read_text())['train']['crop'] == 32


def test_trains_a_model_further(photographs, tmp_path):
    configuration = json.loads((BUNDLED / 'configuration.json').read_text())
    configuration['train'] = {**TINY, 'recipe': 'published', 'work_dir': str(tmp_path / 'work'),
                              'steps': 1, 'optimiser': {'rate': 0}}
    (tmp_path / 'mine.json').write_text(json.dumps(configuration))
    trainer = build_trainer(NAME, dict(
        model='damo/cv_aams_style-transfer_damo', cfg_file=str(tmp_path / 'mine.json'),
        train_dataset=photographs))
    assert trainer.recipe.loss == load_recipe('published').loss
    assert trainer.train() == {}
    before, after = (read_weights(folder).arrays for folder in (BUNDLED, tmp_path / 'work'))
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_what_is_of_no_use_is_told(photographs, caplog):
    logging.getLogger('modelscope').addHandler(caplog.handler)
    build_trainer(NAME, dict(train_dataset=photographs, max_epochs=3, launcher=None))
    logging.getLogger('modelscope').removeHandler(caplog.handler)
    assert any('no use of max_epochs' in message for message in caplog.messages)


def test_second_stage(photographs, tmp_path):
    settings = {**TINY, 'recipe': 'stylization', 'crop': 48, 'steps': 1, 'batch_size': 1}
    arguments = dict(train_dataset=photographs, style_dataset=photographs, device='cpu',
                     work_dir=str(tmp_path), cfg_modify_fn=set_train(settings))
    build_trainer(NAME, dict(model=str(BUNDLED), **arguments)).train()
    before, after = (read_weights(folder).arrays for folder in (BUNDLED, tmp_path))
    assert {name.split('/')[0] for name in before
            if not np.array_equal(before[name], after[name])} == {'decoder'}
    with pytest.raises(ValueError, match='trains whole weights further'):
        build_trainer(NAME, {**arguments, 'work_dir': str(tmp_path / 'fresh')}).train()


def test_mistakes(photographs, tmp_path):
    for arguments, error, said in (
            (dict(train_dataset=str(tmp_path / 'no')), ValueError, 'not a folder'),
            (dict(train_dataset=[photographs]), ValueError, 'is a list'),
            (dict(cfg_modify_fn=set_train({'stpes': 1})), ValueError, 'stpes'),
            (dict(cfg_file=str(tmp_path / 'no.json')), FileNotFoundError, 'no.json')):
        with pytest.raises(error, match=said):
            build_trainer(NAME, arguments)
    trainer = build_trainer(NAME, {})
    with pytest.raises(ValueError, match='train_dataset is missing'):
        trainer.train()
    with pytest.raises(ValueError, match='eval_dataset is missing'):
        trainer.evaluate()


def test_import_of_the_package_registers_it():
    from modelscope.trainers.builder import TRAINERS
    assert TRAINERS.get(NAME) is modelscope_aams.plugin.trainer.AAMSTrainer
