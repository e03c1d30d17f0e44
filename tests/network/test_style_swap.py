"""Style swap against its plain definition."""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network import style_swap


def features(rng, rows, columns, channels=6):
    return rng.standard_normal((rows, columns, channels)).astype(np.float32)


def plain_swap(content, style):
    """Every content patch compared with every style patch, and averaged where they overlap."""
    mirrored = np.pad(content, ((2, 2), (2, 2), (0, 0)), mode='reflect')
    framed = np.pad(style, ((2, 2), (2, 2), (0, 0)))
    rows, columns, channels = content.shape
    patches = [framed[v:v + 5, u:u + 5] for v in range(style.shape[0])
               for u in range(style.shape[1])]
    total = np.zeros((rows + 4, columns + 4, channels))
    count = np.zeros((rows + 4, columns + 4, 1))
    for y in range(rows):
        for x in range(columns):
            own = mirrored[y:y + 5, x:x + 5]
            best = max(patches, key=lambda patch: (own * patch).sum() / (
                np.linalg.norm(patch) + 1e-7))
            total[y:y + 5, x:x + 5] += best
            count[y:y + 5, x:x + 5] += 1
    return (total / count)[2:-2, 2:-2]


@pytest.mark.parametrize('content_size, style_size, band_values', [
    ((7, 9), (6, 8), 1 << 24), ((11, 5), (3, 10), 1), ((3, 3), (1, 1), 1 << 24)])
def test_swap_is_the_plain_definition(monkeypatch, content_size, style_size, band_values):
    monkeypatch.setattr(style_swap, 'BAND_VALUES', band_values)
    rng = np.random.default_rng(1)
    content, style = features(rng, *content_size), features(rng, *style_size)
    found = style_swap.swap(content, style_swap.style_patches(style, 1.0))
    np.testing.assert_allclose(found, plain_swap(content, style), atol=1e-5)


def test_a_style_swapped_with_itself_stays():
    style = features(np.random.default_rng(2), 12, 10)
    found = style_swap.swap(style, style_swap.style_patches(style, 1.0)).numpy()
    np.testing.assert_allclose(found[4:-4, 4:-4], style[4:-4, 4:-4], atol=1e-6)


def test_scale_shrinks_the_style_and_rounds_down():
    style = features(np.random.default_rng(3), 13, 9)
    patches = style_swap.style_patches(style, 0.5)
    assert patches.inverse_norms.shape == (6, 4)
    assert patches.padded.shape == (10, 8, 6)


def test_bands_and_the_whole_choose_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    content = features(rng, 30, 11)
    patches = style_swap.style_patches(features(rng, 9, 9), 1.0)
    whole = style_swap.match(content, patches).numpy()
    monkeypatch.setattr(style_swap, 'BAND_VALUES', 1)
    np.testing.assert_array_equal(style_swap.match(content, patches).numpy(), whole)


def test_matches_do_not_depend_on_how_strong_a_style_patch_is():
    rng = np.random.default_rng(5)
    content, style = features(rng, 8, 8), features(rng, 20, 20)
    louder = style.copy()
    louder[:10] *= 50
    matches = style_swap.match(content, style_swap.style_patches(louder, 1.0)).numpy()
    assert (matches // 20 > 13).any()


def test_flat_style_gives_numbers():
    content = features(np.random.default_rng(6), 5, 6)
    patches = style_swap.style_patches(tf.zeros([7, 7, 6]), 1.0)
    np.testing.assert_array_equal(style_swap.swap(content, patches), np.zeros((5, 6, 6)))
