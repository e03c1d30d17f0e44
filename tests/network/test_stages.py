"""Defining properties of the small stages."""
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from modelscope_aams.network.adain import adain, channel_moments
from modelscope_aams.network.attention import attend
from modelscope_aams.network.attention_map import GAUSSIAN, attention_map
from modelscope_aams.network.decoder import enlarging_kernel
from modelscope_aams.network.fusion import cluster_centres, fuse, stroke_weights
from modelscope_aams.network.losses import attention_sparsity, perceptual, total_variation
from modelscope_aams.network.whitening import colour, whiten


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def correlated(rng, positions, channels):
    return (rng.standard_normal((positions, channels)) @ rng.standard_normal(
        (channels, channels)) + rng.standard_normal(channels)).astype(np.float32)


def test_whitened_features_are_uncorrelated(rng):
    whitened = whiten(correlated(rng, 400, 12))[0].numpy()
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(whitened.T @ whitened / 400, np.eye(12), atol=1e-3)


def test_colouring_undoes_whitening(rng):
    features = correlated(rng, 300, 8)
    np.testing.assert_allclose(colour(*whiten(features)), features, atol=1e-3)


def test_whitening_is_the_symmetric_one(rng):
    features = correlated(rng, 300, 8)
    kernel = whiten(features)[1].kernel.numpy()
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-5)
    assert (np.linalg.eigvalsh(kernel) > 0).all()


def test_directions_without_variance_are_dropped(rng):
    features = correlated(rng, 6, 20)
    features[:, 3] = 7
    whitened, colouring = whiten(features)
    assert np.isfinite(whitened).all()
    np.testing.assert_allclose(whitened.numpy()[:, 3], 0, atol=1e-5)
    np.testing.assert_allclose(colour(whitened, colouring), features, atol=1e-2)


def test_adain_gives_the_style_statistics(rng):
    content = rng.standard_normal((2, 6, 5, 3)).astype(np.float32)
    style = (3 + 5 * rng.standard_normal((2, 7, 7, 3))).astype(np.float32)
    for found, expected in zip(channel_moments(adain(content, *channel_moments(style))),
                               channel_moments(style)):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_adain_of_a_flat_channel_is_the_style_mean():
    found = adain(ops.ones((1, 4, 4, 2)), ops.full((1, 1, 1, 2), 3.0), ops.ones((1, 1, 1, 2)))
    np.testing.assert_allclose(found, 3.0, atol=1e-6)


def test_attention_is_a_weighted_mean_of_values(rng):
    queries, keys, values = (rng.standard_normal((1, 50, width)).astype(np.float32)
                             for width in (4, 4, 6))
    found = attend(ops.convert_to_tensor(queries), keys, values)
    np.testing.assert_allclose(found[0, 0], np.average(
        values[0], axis=0, weights=np.exp(keys[0] @ queries[0, 0])), rtol=1e-4)


def test_attention_map_marks_where_attention_is_strong(rng):
    attention = rng.uniform(-0.1, 0.1, (20, 30, 16)).astype(np.float32)
    attention[5:12, 8:20] *= 40
    found = attention_map(attention).numpy()
    assert found.min() == 0 and found.max() == 1
    assert found[7:10, 10:18].min() > 0.5 and found[14:, 24:].max() < 0.1


def test_flat_attention_gives_an_empty_map():
    np.testing.assert_array_equal(attention_map(tf.ones([8, 8, 4])), np.zeros((8, 8)))


def test_a_lower_peak_brightens_all_but_a_lone_spot(rng):
    attention = np.full((20, 20, 64), 0.01, np.float32)
    attention[4:10, 4:10, :8] = 1
    attention[15:17, 15:17] = 1
    full, percentile = (attention_map(attention, peak).numpy() for peak in (100.0, 99.0))
    assert percentile[6, 6] > full[6, 6]
    assert percentile.max() == 1


def test_smoothing_kernel_keeps_the_sum():
    assert GAUSSIAN.sum() == 1


def test_clusters_of_separate_groups():
    values = np.concatenate([np.full(50, 0.1), np.full(5, 0.4), np.full(9, 0.9)])
    centres = cluster_centres(np.random.default_rng(0).permutation(values), 3)
    np.testing.assert_allclose(centres, [0.1, 0.4, 0.9], atol=1e-6)


def test_clusters_of_one_value_are_that_value():
    np.testing.assert_allclose(cluster_centres(np.full(10, 0.25, np.float32), 4), 0.25)


def test_strokes_follow_the_attention(rng):
    plane = np.array([[0.0, 0.3, 1.0]], np.float32)
    weights = stroke_weights(plane, np.array([0.0, 0.3, 1.0], np.float32), 50.0).numpy()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-6)
    assert weights[0].argmax(axis=-1).tolist() == [0, 1, 2] and weights.max(axis=-1).min() > 0.99
    strokes = [rng.standard_normal((1, 3, 5)).astype(np.float32) for _ in range(3)]
    fused = fuse(strokes, weights).numpy()
    np.testing.assert_allclose(fused[0, 2], strokes[2][0, 2], atol=1e-3)
    even = fuse(strokes, stroke_weights(plane, np.zeros(3, np.float32), 0.0)).numpy()
    np.testing.assert_allclose(even, np.mean(strokes, axis=0), atol=1e-6)


@pytest.mark.parametrize('rows, columns', [(3, 4), (1, 7)])
def test_enlarging_kernel_enlarges_and_convolves(rng, rows, columns):
    features = rng.standard_normal((2, rows, columns, 5)).astype(np.float32)
    kernel = rng.standard_normal((3, 3, 5, 6)).astype(np.float32)
    plain = tf.nn.conv2d(features.repeat(2, axis=1).repeat(2, axis=2), kernel, 1, 'SAME')
    found = ops.conv_transpose(features, enlarging_kernel(kernel), strides=2, padding='same',
                               data_format='channels_last')
    np.testing.assert_allclose(found, plain, atol=1e-5)


def test_losses_of_hand_counted_tensors():
    ramp = np.tile(np.arange(4.0, dtype=np.float32)[:, None, None], (1, 4, 1))[None]
    assert float(total_variation(ramp)) == 1
    assert float(attention_sparsity(ops.convert_to_tensor([[-1.0, 3.0]]))) == 4
    assert float(attention_sparsity(ops.convert_to_tensor([[-1.0, 3.0]]), 'mean')) == 2
    layers = ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1')
    target = {layer: np.array([0.0, 2.0], np.float32) for layer in layers}
    found = {layer: np.array([2.0, 2.0], np.float32) for layer in layers}
    assert float(perceptual(found, target)) == 8
    assert float(perceptual(found, target, dict.fromkeys(layers, 4.0))) == 2
