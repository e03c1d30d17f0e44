"""The second stage: what is drawn, its losses, and runs of it."""
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.layout import Weights, build_network
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network import losses
from modelscope_aams.network.adain import channel_moments
from modelscope_aams.network.configuration import FEATURE_LAYERS
from modelscope_aams.network.options import METHODS, TransferOptions
from modelscope_aams.network.transfer import StyleTransfer
from modelscope_aams.training.loop import Trainer
from modelscope_aams.training.pictures import Crops
from modelscope_aams.training.recipe import Stylization, load_recipe
from modelscope_aams.training.stylization import (
    CONTENT, DRAW, STYLE, StylePairs, StylizationObjective)
from modelscope_aams.training.weights import network_builder
from tests.training.conftest import draw_picture, write_pictures

SIDE = 64


@pytest.fixture(scope='module')
def network():
    # Crops have nothing beyond their border.
    weights = read_weights(BUNDLED)
    return build_network(Weights(weights.arrays, dataclasses.replace(
        weights.configuration, border='zeros')))


@pytest.fixture(scope='module')
def paintings(tmp_path_factory):
    folder = tmp_path_factory.mktemp('paintings')
    write_pictures(folder, 3, first_seed=50, size=(80, 70))
    return folder


@pytest.fixture(scope='module')
def tiny_stage():
    """The second stage's recipe in a few small steps."""
    def build(**settings):
        return load_recipe('stylization', {
            'steps': 4, 'batch_size': 2, 'crop': 48, 'precision': 'float32',
            'checkpoint_interval': 2, 'summary_interval': 1, **settings})
    return build


def sample(method='aams', style_weight=1.0, inter_weight=1.0, seed=0):
    pictures = [draw_picture(seed + n, SIDE, SIDE).astype(np.float32)[None] for n in range(2)]
    draw = np.array([[METHODS.index(method), style_weight, inter_weight]], np.float32)
    return dict(zip((CONTENT, STYLE, DRAW), map(tf.constant, (*pictures, draw))))


def test_draws_follow_the_settings_and_the_number():
    settings = Stylization(aams=2, adain=1, wct=1, avatar_net=0, reconstructed=0.25, partial=0.5,
                           weakest=0.4)
    pairs = StylePairs(*([Crops([], load_recipe('stylization'))] * 2), settings, seed=3)
    draws = np.stack([pairs.draw(number) for number in range(4000)])
    shares = np.bincount(draws[:, 0].astype(int), minlength=len(METHODS)) / len(draws)
    by_method = dict(zip(METHODS, shares))
    assert by_method['aams'] == pytest.approx(0.5, abs=0.03)
    assert by_method['adain'] == pytest.approx(0.25, abs=0.03)
    assert by_method['avatar-net'] == 0
    weights = draws[:, 1]
    assert (weights == 0).mean() == pytest.approx(0.25, abs=0.03)
    assert (weights == 1).mean() == pytest.approx(0.375, abs=0.03)
    assert weights[(weights > 0) & (weights < 1)].min() >= 0.4
    np.testing.assert_array_equal(pairs.draw(17), draws[17])


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('style_weight', [1.0, 0.4])
def test_what_is_trained_is_what_a_call_computes(network, monkeypatch, method, style_weight):
    drawn = sample(method, style_weight)
    objective = StylizationObjective(network, Stylization())
    found = objective(drawn)['picture'][0].numpy()
    transfer = StyleTransfer(network)
    options = TransferOptions(method=method, style_weight=style_weight)
    # The style goes in as it is, without the crop of 448.
    monkeypatch.setattr('modelscope_aams.network.transfer.prepare_style', lambda rgb: rgb)
    style = transfer.prepare_style(drawn[STYLE][0], options.style_scales)
    expected = transfer.stylize(drawn[CONTENT][0], style, options).picture
    assert np.abs(found - expected).mean() < 0.5
    assert expected.std() > 10


def test_terms_of_a_picture_that_is_the_style_itself(network):
    drawn = sample()
    objective = StylizationObjective(network, Stylization(correlations=1.0))
    result = objective(drawn)
    far = {name: float(value) for name, value in objective.terms(drawn, result).items()}
    near = {name: float(value) for name, value in objective.terms(
        drawn, {**result, 'picture': drawn[STYLE]}).items()}
    assert near['style'] < 1e-6 < far['style']
    assert near['correlations'] < 1e-6 < far['correlations']
    assert far['reconstruction'] == far['perceptual'] == 0


def test_terms_of_a_crop_that_comes_back(network):
    drawn = sample(style_weight=0.0)
    objective = StylizationObjective(network, Stylization(correlations=1.0))
    result = {**objective(drawn), 'picture': drawn[CONTENT]}
    terms = {name: float(value) for name, value in objective.terms(drawn, result).items()}
    assert terms.pop('total_variation') > 0
    np.testing.assert_allclose(list(terms.values()), 0, atol=1e-6)
    brighter = {**result, 'picture': drawn[CONTENT] + 3}
    assert float(objective.terms(drawn, brighter)['reconstruction']) == pytest.approx(
        Stylization().reconstruction * 9, rel=1e-4)


def test_style_loss_by_hand():
    rng = np.random.default_rng(1)
    mine, other = ({layer: (rng.standard_normal((1, 5, 7, 4)) * (n + 1) + n).astype(np.float32)
                    for n, layer in enumerate(FEATURE_LAYERS)} for _ in range(2))
    expected = 0
    for layer in FEATURE_LAYERS:
        a, b = mine[layer], other[layer]
        expected += (np.square(a.mean((1, 2)) - b.mean((1, 2))).mean()
                     + np.square(a.std((1, 2)) - b.std((1, 2))).mean()) / b.var()
    found = losses.channel_statistics(*({layer: channel_moments(each[layer])
                                         for layer in FEATURE_LAYERS} for each in (mine, other)))
    assert float(found) == pytest.approx(expected, rel=1e-4)
    doubled = {layer: 2 * value for layer, value in mine.items()}
    # Twice the features are four times the Gram matrix, so 9 of its squares away.
    np.testing.assert_allclose(losses.correlations(doubled, mine), [9 * 4], rtol=1e-4)


def test_a_run_changes_the_decoder_alone_and_goes_on_from_its_state(
        tiny_stage, photographs, paintings, tmp_path):
    def train(work_dir, **settings):
        recipe = tiny_stage(**settings)
        trainer = Trainer(network_builder(recipe, initial=BUNDLED), recipe, photographs,
                          tmp_path / work_dir, styles=paintings, verbose=0)
        trainer.train()
        return trainer

    cosine_end = {'optimiser.decay_steps': 4}
    train('whole', **cosine_end)
    train('parts', steps=2, **cosine_end)
    trained = train('parts', **cosine_end)
    for name in ('aams.safetensors', 'training_state.safetensors'):
        whole, parts = (load_file(tmp_path / folder / name) for folder in ('whole', 'parts'))
        for key, array in whole.items():
            np.testing.assert_array_equal(parts[key], array, key)
    before, after = (read_weights(path).arrays for path in (BUNDLED, trained.weights_path))
    changed = {name.split('/')[0] for name in before
               if not np.array_equal(before[name], after[name])}
    assert changed == {'decoder'}


def test_half_precision_trains(tiny_stage, photographs, paintings, tmp_path):
    recipe = tiny_stage(precision='mixed_bfloat16', steps=2)
    trainer = Trainer(network_builder(recipe, initial=BUNDLED), recipe, photographs,
                      tmp_path, styles=paintings, verbose=0)
    trainer.train()
    assert all(np.isfinite(array).all()
               for array in read_weights(trainer.weights_path).arrays.values())


def test_styles_and_recipe_have_to_fit(tiny_stage, tiny, photographs, paintings, tmp_path):
    with pytest.raises(ValueError, match='a recipe with stylization needs a folder of styles'):
        Trainer(None, tiny_stage(), photographs, tmp_path)
    with pytest.raises(ValueError, match='styles are of use only to a recipe with stylization'):
        Trainer(None, tiny(), photographs, tmp_path, styles=paintings)
    with pytest.raises(ValueError, match='fresh_attention with stylization'):
        tiny_stage(fresh_attention=True)
    with pytest.raises(ValueError, match='partial is 2; expected 0 to 1'):
        Stylization(partial=2)
    with pytest.raises(ValueError, match='are all 0'):
        Stylization(aams=0, adain=0, wct=0, avatar_net=0)
