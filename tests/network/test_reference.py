"""Every stage against tensors of the published method (see reference_weights.py).

The published graph works in float32, and on this content its whitening is off by 2e-5,
which its unscaled attention logits (up to 379) enlarge. Bounds are relative to the
reference tensor's largest value.
"""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network import fusion, style_swap
from modelscope_aams.network.autoencoder import AttentionAutoencoder
from modelscope_aams.network.configuration import NetworkConfiguration
from modelscope_aams.network.encoder import subtract_mean
from modelscope_aams.network.preprocess import prepare_style
from modelscope_aams.network.feature_transforms import ContentFeatures
from modelscope_aams.network.transfer import StyleTransfer
from modelscope_aams.network.whitening import Colouring, colour, whiten
from tests.reference_weights import DATA, reference_arrays

SCALES = {'half': 0.5, 'sqrt_half': 0.5 ** 0.5, 'full': 1.0}
#: Matches in which two style patches tie within the published graph's own noise, and
#: what it chose: (content row, column): (style row, column).
TIES = {'half': {(34, 38): (17, 3)}, 'sqrt_half': {}, 'full': {(42, 5): (19, 22)}}
#: How far apart, relatively, the similarities of tied patches may be.
TIE = 2e-4


@pytest.fixture(scope='module')
def reference():
    with np.load(DATA / 'reference_transfer.npz') as file:
        return dict(file)


@pytest.fixture(scope='module')
def network():
    network = AttentionAutoencoder(NetworkConfiguration().without('conv3_4'))
    network.assign(reference_arrays())
    return network


@pytest.fixture(scope='module')
def transfer(network):
    return StyleTransfer(network)


@pytest.fixture(scope='module')
def style(transfer, reference):
    return transfer.prepare_style(reference['style_rgb'], tuple(SCALES.values()))


@pytest.fixture(scope='module')
def content_features(network, reference):
    return network.encoder(subtract_mean(tf.cast(reference['content_rgb'], tf.float32)[None]))


@pytest.fixture(scope='module')
def whitened_content(content_features):
    deep = content_features['conv4_1'][0]
    return tf.reshape(whiten(tf.reshape(deep, [-1, 512]))[0], deep.shape)


@pytest.fixture(scope='module')
def attended(transfer, reference):
    return transfer.attended_content(tf.cast(reference['content_rgb'], tf.float32)).features


def assert_close(found, expected, bound):
    assert found.shape == expected.shape
    error = np.abs(np.asarray(found, np.float64) - expected).max() / np.abs(expected).max()
    assert error <= bound


def test_style_is_resized_as_published(reference):
    style = subtract_mean(prepare_style(tf.cast(reference['style_rgb'], tf.float32)))
    assert style.shape == (448, 448, 3)
    assert_close(style[::8, ::8], reference['style_448_grid8'], 1e-6)


def test_encoder(content_features, network, reference):
    assert_close(content_features['conv1_1'][0, ::16, ::16],
                 reference['content_conv1_1_grid16'], 1e-4)
    assert_close(content_features['conv4_1'][0, ::6, ::6, ::4],
                 reference['content_conv4_1_grid6'], 1e-4)
    style = network.encoder(subtract_mean(
        prepare_style(tf.cast(reference['style_rgb'], tf.float32))[None]))['conv4_1']
    assert_close(style[0, ::4, ::4, ::4], reference['style_conv4_1_grid4'], 1e-4)


def test_whitening(whitened_content, style, reference):
    assert_close(whitened_content[::6, ::6, ::4], reference['content_zca_grid6'], 1e-3)
    # At the largest scale the patches are the whitened style, with a border.
    plane = style.patches[-1].padded[2:-2, 2:-2]
    assert_close(plane[::4, ::4, ::4], reference['style_zca_grid4'], 1e-3)
    assert_close(style.colouring.kernel.numpy()[:, ::4], reference['style_colour_kernel'], 1e-3)
    assert_close(style.colouring.mean, reference['style_mean'], 1e-3)


def test_attention(network, whitened_content, attended, reference):
    attention = network.attention(whitened_content[None])[0]
    assert_close(attention[::6, ::6, ::4], reference['attention_feature_grid6'], 1e-3)
    assert_close(attended[::6, ::6, ::4], reference['content_attended_grid6'], 1e-3)


def settle_ties(matches, name, content, patches):
    """The published choice where two patches tie; that they do is asserted."""
    style_columns = patches.inverse_norms.shape[1]
    matches = matches.numpy()
    padded = np.pad(content, ((2, 2), (2, 2), (0, 0)), mode='reflect').astype(np.float64)

    def similarity(row, column, cell):
        top, left = divmod(int(cell), style_columns)
        patch = np.asarray(patches.padded[top:top + 5, left:left + 5], np.float64)
        return (padded[row:row + 5, column:column + 5] * patch).sum() / np.linalg.norm(patch)

    for (row, column), (style_row, style_column) in TIES[name].items():
        published = style_row * style_columns + style_column
        ours = matches[row, column]
        assert similarity(row, column, published) == pytest.approx(
            similarity(row, column, ours), rel=TIE)
        matches[row, column] = published
    return tf.constant(matches)


@pytest.fixture(scope='module')
def matched(attended, style):
    """Matches of the three scales, by name, as found."""
    return {name: style_swap.match(attended, patches)
            for name, patches in zip(SCALES, style.patches)}


@pytest.fixture(scope='module')
def settled(matched, attended, style):
    """Matches of the three scales, by name, with ties settled as published."""
    return {name: settle_ties(matched[name], name, attended.numpy(), patches)
            for name, patches in zip(SCALES, style.patches)}


def agreement(matches, style, reference):
    close = []
    for (name, found), patches in zip(matches.items(), style.patches):
        swapped = style_swap.paste(found, patches).numpy()[::6, ::6, ::4]
        expected = reference[f'swapped_{name}_grid6']
        close.append(np.abs(swapped - expected).max(axis=-1) <= 1e-3 * np.abs(expected).max())
    return np.mean(close)


def test_swapped_maps_agree_at_99_of_100_positions(matched, settled, style, reference):
    found = agreement(matched, style, reference)
    assert found >= 0.99
    assert agreement(settled, style, reference) >= found


def test_fusion_fed_with_the_reference(reference):
    grid = reference['attention_map'][::6, ::6]
    strokes = [reference[f'swapped_{name}_grid6'] for name in SCALES]
    strokes.append(reference['content_attended_grid6'])
    weights = fusion.stroke_weights(grid, reference['centroids'], 50.0)
    assert_close(fusion.fuse(strokes, weights), reference['fused_grid6'][..., ::4], 1e-3)


def test_centroids_divide_the_map_as_well_as_the_published_ones(reference):
    values = reference['attention_map'].ravel()
    centres = fusion.cluster_centres(values, 4).numpy()

    def spread(centres):
        return np.square(np.abs(values[:, None] - centres).min(axis=1)).sum()

    assert spread(centres) <= 1.001 * spread(reference['centroids'])


def test_colouring_fed_with_the_reference(reference):
    colouring = Colouring(reference['style_colour_kernel'], reference['style_mean'][::4])
    assert_close(colour(reference['fused_grid6'], colouring), reference['reconstructed_grid6'],
                 1e-3)


@pytest.mark.parametrize('ending, weight', [('', 1.0), ('_weight_0_6', 0.6)])
def test_whole_picture(transfer, attended, style, settled, reference, monkeypatch, ending,
                       weight):
    published = iter(settled.values())
    monkeypatch.setattr(style_swap, 'match', lambda *arguments: next(published))
    content = ContentFeatures(attended, tf.constant(reference['attention_map' + ending]))
    result = transfer.transfer(content, style, tf.constant(weight), tf.constant(50.0),
                               tf.constant(reference['centroids' + ending]))
    found = np.clip(np.rint(result.picture), 0, 255)
    difference = np.abs(found - reference['stylized_rgb' + ending].astype(np.float32))
    assert np.mean(difference.max(axis=-1) > 1) <= 0.01
