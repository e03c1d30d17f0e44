"""What defines each method, on features of its own transform."""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network.adain import channel_moments
from modelscope_aams.network.autoencoder import AttentionAutoencoder
from modelscope_aams.network.configuration import FEATURE_LAYERS
from modelscope_aams.network.feature_transforms import TRANSFORMS, ContentFeatures, StyleFeatures
from modelscope_aams.network.options import METHODS
from modelscope_aams.network.style_swap import style_patches
from modelscope_aams.network.whitening import whiten

CHANNELS, DEEP = 512, FEATURE_LAYERS[-1]


@pytest.fixture(scope='module')
def network():
    return AttentionAutoencoder()


def features(seed, rows, columns):
    """ReLU-like features [1, rows, columns, 512] whose channels are correlated."""
    rng = np.random.default_rng(seed)
    # Near enough to the identity for every direction to have a variance worth keeping.
    mixing = np.eye(CHANNELS) + 0.4 * rng.standard_normal((CHANNELS, CHANNELS)) / np.sqrt(CHANNELS)
    plane = rng.standard_normal((rows * columns, CHANNELS)) * rng.uniform(0.5, 3, CHANNELS)
    mixed = plane @ mixing + rng.uniform(-1, 2, CHANNELS)
    return tf.constant(mixed.reshape(1, rows, columns, CHANNELS), tf.float32)


def styled(deep, scales):
    flat, colouring = whiten(tf.reshape(deep, [-1, CHANNELS]))
    whitened = tf.reshape(flat, deep.shape[1:])
    return StyleFeatures(colouring, {DEEP: channel_moments(deep)},
                         tuple(style_patches(whitened, scale) for scale in scales))


def transferred(network, method, content, style, inter_weight=1.0, region=None):
    transform = TRANSFORMS[method](network)
    return transform.apply(transform.prepare(content, region), style,
                           tf.constant(inter_weight), tf.constant(50.0))


# More positions than channels, even of a part of the content.
CONTENT, STYLE = features(1, 30, 40), features(2, 32, 32)


def test_there_is_a_transform_for_each_method():
    assert set(TRANSFORMS) == set(METHODS)


def test_adain_gives_each_channel_the_styles_mean_and_deviation(network):
    found = transferred(network, 'adain', CONTENT, styled(STYLE, ())).features
    for moment, expected in zip(channel_moments(found[None]), channel_moments(STYLE)):
        np.testing.assert_allclose(moment, expected, rtol=1e-3, atol=1e-3)


def test_adain_keeps_what_correlates_within_a_channel(network):
    found = transferred(network, 'adain', CONTENT, styled(STYLE, ())).features.numpy()
    for channel in (0, 100, 511):
        own = CONTENT[0, :, :, channel].numpy().ravel()
        assert np.corrcoef(found[:, :, channel].ravel(), own)[0, 1] == pytest.approx(1, abs=1e-4)


def test_wct_gives_the_styles_covariance(network):
    found = transferred(network, 'wct', CONTENT, styled(STYLE, ())).features
    covariance, expected = (np.cov(np.reshape(each, (-1, CHANNELS)).astype(np.float64).T,
                                   bias=True) for each in (found, STYLE))
    assert np.linalg.norm(covariance - expected) < 1e-2 * np.linalg.norm(expected)
    np.testing.assert_allclose(np.reshape(found, (-1, CHANNELS)).mean(0),
                               np.reshape(STYLE, (-1, CHANNELS)).mean(0), atol=1e-3)


def test_avatar_net_is_aams_with_one_stroke_and_no_attention(network):
    style = styled(STYLE, (1.0,))
    aams = TRANSFORMS['aams'](network)
    whitened = TRANSFORMS['avatar-net'](network).prepare(CONTENT).features
    # A map of zeros with the first centre at 0 and the second far off: one stroke.
    unattended = ContentFeatures(whitened, tf.zeros(whitened.shape[:2]))
    for weight in (1.0, 0.4):
        expected = aams.apply(unattended, style, tf.constant(weight), tf.constant(50.0),
                              centroids=tf.constant([0.0, 1e6]))
        found = transferred(network, 'avatar-net', CONTENT, style, weight)
        np.testing.assert_allclose(found.features, expected.features, rtol=1e-4, atol=1e-4)


def test_a_swap_without_weight_is_wct(network):
    style = styled(STYLE, (1.0,))
    np.testing.assert_allclose(
        transferred(network, 'avatar-net', CONTENT, style, 0.0).features,
        transferred(network, 'wct', CONTENT, style).features, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('method', ['adain', 'wct'])
def test_a_region_is_given_the_style_by_its_own_statistics(network, method):
    region = np.zeros((30, 40), np.float32)
    region[:, :25] = 1
    found = transferred(network, method, CONTENT, styled(STYLE, ()),
                        region=tf.constant(region)).features
    inside = transferred(network, method, CONTENT[:, :, :25], styled(STYLE, ())).features
    np.testing.assert_allclose(found[:, :25], inside, rtol=1e-2, atol=2e-2)
    for moment, expected in zip(channel_moments(found[None, :, :25]), channel_moments(STYLE)):
        np.testing.assert_allclose(moment, expected, rtol=2e-2, atol=2e-2)


def test_only_aams_says_which_stroke_went_where(network):
    for method, scales in (('adain', ()), ('wct', ()), ('avatar-net', (1.0,))):
        result = transferred(network, method, CONTENT, styled(STYLE, scales))
        assert result.stroke_weights is None and result.centroids is None
    result = transferred(network, 'aams', CONTENT, styled(STYLE, (0.5, 1.0)))
    assert result.stroke_weights.shape == (30, 40, 3) and result.centroids.shape == (3,)
