"""Features between a style's and the content's: everywhere alike, and place by place."""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network.adain import channel_moments
from modelscope_aams.network.regions import among_styles
from modelscope_aams.network.style_weight import weaken

ROWS, COLUMNS, CHANNELS = 6, 9, 5


@pytest.fixture
def features():
    """Transferred and content features; one channel of each is dead."""
    random = np.random.default_rng(5)
    transferred, content = random.normal(3, 2, (2, 1, ROWS, COLUMNS, CHANNELS)).astype(np.float32)
    transferred[..., 1], content[..., 2] = 0, 0
    return transferred, content


def even(level):
    return np.full((1, ROWS, COLUMNS, 1), level, np.float32)


def test_statistics_are_between(features):
    mean, variance = channel_moments(weaken(*features, 0.3))
    style, content = map(channel_moments, features)
    np.testing.assert_allclose(mean, 0.3 * style[0] + 0.7 * content[0], rtol=1e-5)
    np.testing.assert_allclose(
        np.sqrt(variance), 0.3 * np.sqrt(style[1]) + 0.7 * np.sqrt(content[1]), atol=1e-4)


@pytest.mark.parametrize('level', [0.0, 0.2, 0.5, 1.0])
def test_an_even_map_is_a_number(features, level):
    np.testing.assert_allclose(weaken(*features, even(level), even(level or 0.5)),
                               weaken(*features, level), atol=1e-4)


def test_ends_of_a_map_are_style_and_content(features):
    transferred, content = features
    strength = even(0)
    strength[:, :, COLUMNS // 2:] = 1
    found = weaken(transferred, content, strength, strength)
    np.testing.assert_allclose(found, np.where(strength == 1, transferred, content), atol=1e-3)


def test_channels_without_deviation_within_a_mask_stay_bounded():
    """Outside the mask, and along its soft border, nothing blows up."""
    random = np.random.default_rng(6)
    content = random.normal(0, 100, (1, ROWS, 40, 1)).astype(np.float32)
    transferred = random.normal(0, 100, (1, ROWS, 40, 1)).astype(np.float32)
    strength = np.tile(np.clip(np.linspace(-1, 2, 40, dtype=np.float32), 0, 1), (ROWS, 1))
    strength = strength[None, :, :, None]
    inside = strength > 0.9
    content[inside], transferred[inside] = 0, 0
    found = weaken(transferred, content, strength, strength).numpy()
    assert np.abs(found).max() < 2 * max(np.abs(content).max(), np.abs(transferred).max())


def test_parts_among_styles():
    first, second = (tf.constant(values, shape=[1, 1, 4, 1])
                     for values in ([0.2, 0.0, 0.0, 0.75], [0.2, 0.4, 0.0, 0.25]))
    parts = [part.numpy().ravel() for part in among_styles([first, second])]
    np.testing.assert_allclose(parts, [[0.5, 0, 0.5, 0.75], [0.5, 1, 0.5, 0.25]], rtol=1e-6)
