"""Recipes: the two that come with the package, files, settings put in place, and mistakes."""
import json
import math

import pytest

from modelscope_aams.network.configuration import VGG19_LAYERS, NetworkConfiguration
from modelscope_aams.training.recipe import Recipe, load_recipe, recipe_names


def test_names():
    assert {'published', 'reconstruction'} <= set(recipe_names())


def test_published_recipe_is_the_default():
    assert load_recipe('published') == Recipe()


def test_recipes_survive_json():
    for name in recipe_names():
        recipe = load_recipe(name)
        assert Recipe.from_mapping(json.loads(json.dumps(recipe.as_mapping()))) == recipe


def test_file_and_settings(tmp_path):
    path = tmp_path / 'mine.json'
    path.write_text('{"steps": 3, "optimiser": {"rate": 0.5}, "resize": null,'
                    ' "network": {"attention_peak": 98}}')
    recipe = load_recipe(path, {'optimiser.decay': 'cosine', 'seed': 4, 'loss.attention': 0})
    assert (recipe.steps, recipe.resize, recipe.seed) == (3, None, 4)
    assert (recipe.optimiser.rate, recipe.optimiser.decay) == (0.5, 'cosine')
    assert recipe.loss.attention == 0 and recipe.loss.reconstruction == 10
    assert recipe.network == NetworkConfiguration(attention_peak=98)


@pytest.mark.parametrize('name, value', [
    ('steps', 0), ('steps', 2.5), ('steps', True), ('batch_size', -1), ('crop', 100),
    ('crop', '256'), ('resize', 128), ('resize', 'large'), ('flip', 1), ('seed', -1),
    ('precision', 'float16'), ('checkpoint_interval', None), ('summary_interval', 0),
    ('loss.attention', -1), ('loss.attention_reduction', 'median'), ('loss.reconstruction', '1'),
    ('loss.perceptual', math.nan), ('loss.perceptual_relative', 0), ('optimiser.rate', -1e-4),
    ('optimiser.rate', math.inf), ('optimiser.beta_1', 1), ('optimiser.beta_2', None),
    ('optimiser.decay', 'linear'), ('optimiser.clip_norm', 0), ('network.attention_peak', 20),
    ('network.attention_peak', 'high'), ('network.attention_features', 'raw'),
    ('network.encoder_layers', 3),
    ('network.encoder_layers', VGG19_LAYERS[:-1] + (('conv4_1', 256),)),
    ('optimizer.rate', 1), ('optimiser.momentum', 1),
    ('rate', 1), ('loss', 3), ('steps.more', 1)])
def test_wrong_settings_are_named(name, value):
    with pytest.raises(ValueError) as error:
        load_recipe('published', {name: value})
    assert name.split('.')[-1 if name != 'optimizer.rate' and name != 'steps.more' else 0] in (
        str(error.value))
    assert '\n' not in str(error.value)


def test_files_that_are_no_recipes(tmp_path):
    with pytest.raises(ValueError, match='publsihed.*published.*reconstruction'):
        load_recipe('publsihed')
    path = tmp_path / 'broken.json'
    for text in ('{"steps": ', '[1, 2]', ''):
        path.write_text(text)
        with pytest.raises(ValueError, match='broken.json'):
            load_recipe(path)
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ValueError, match='broken.json'):
        load_recipe(path)
