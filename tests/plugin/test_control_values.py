"""Shares of styles, and planes laid over a content: what a control becomes for the network."""
import cv2
import numpy as np
import pytest

from modelscope_aams.network.preprocess import prepare_content
from modelscope_aams.plugin.controls import laid_over, style_shares


def test_shares_sum_to_one():
    assert style_shares(None, 4) == (0.25,) * 4
    assert style_shares([3, 1], 2) == (0.75, 0.25)
    assert style_shares((0, 0.5), 2) == (0.0, 1.0)
    assert style_shares(np.float32([2, 6]), 2) == (0.25, 0.75)
    assert style_shares([7], 1) == (1.0,)
    assert style_shares([1e308, 1e308], 2) == (0.5, 0.5)


@pytest.mark.parametrize('weights, match', [
    ([1], 'expected 2 numbers of at least 0'), ([1, 1, 1], 'expected 2 numbers'),
    ([1, -0.1], 'at least 0'), ([1, float('nan')], 'expected 2 numbers'),
    ([1, float('inf')], 'expected 2 numbers'), ([1, True], 'expected 2 numbers'),
    (['1', 1], 'expected 2 numbers'), (0.5, 'expected 2 numbers'), ('11', 'expected 2 numbers'),
    ([0, 0], 'expected one or more above 0')])
def test_what_is_no_share(weights, match):
    with pytest.raises(ValueError, match=rf'style_weights is .*{match}') as caught:
        style_shares(weights, 2)
    assert '\n' not in str(caught.value)


def prepared(rows, columns, max_length=800):
    return prepare_content(np.zeros((rows, columns, 3), np.uint8), max_length)


def test_a_plane_of_the_contents_size_stays():
    plane = np.random.default_rng(0).random((48, 64), np.float32)
    np.testing.assert_array_equal(laid_over(plane, prepared(48, 64)), plane)


def test_a_plane_is_scaled_as_the_content_was():
    half = np.zeros((480, 640), np.float32)
    half[:, 320:] = 1
    for plane in (half, half[::40, ::40], cv2.resize(half, (1920, 1440))):
        found = laid_over(plane, prepared(480, 640, max_length=80))
        assert found.shape == (60, 80) and found.dtype == np.float32
        np.testing.assert_allclose(found[:, :35], 0, atol=1e-6)
        np.testing.assert_allclose(found[:, 45:], 1, atol=1e-6)


def test_shrinking_averages():
    # Sampling every 16th value would find one colour of the board alone.
    board = np.indices((480, 640)).sum(axis=0) % 2
    found = laid_over(board.astype(np.float32), prepared(480, 640, max_length=40))
    np.testing.assert_allclose(found, 0.5, atol=1e-6)


def test_what_extends_a_small_content_has_the_values_of_its_border():
    content = prepared(16, 64)
    assert content.picture.shape == (32, 64, 3)
    plane = np.repeat(np.linspace(0, 1, 16, dtype=np.float32)[:, None], 64, axis=1)
    found = laid_over(plane, content)
    np.testing.assert_array_equal(found[:16], plane)
    np.testing.assert_array_equal(found[16:], 1)


@pytest.mark.parametrize('rows, columns', [(1000, 1333), (1001, 1333), (75, 100), (6, 8), (1, 1)])
def test_sizes_that_rounding_explains(rows, columns):
    assert laid_over(np.ones((rows, columns), np.float32), prepared(999, 1333)).shape == (599, 800)


@pytest.mark.parametrize('rows, columns', [(1333, 999), (1000, 1000), (990, 1333), (80, 100)])
def test_another_aspect_ratio(rows, columns):
    with pytest.raises(ValueError, match=f'^{columns}x{rows} pixels are of another aspect ratio '
                                         "than the content's 1333x999; expected the same$"):
        laid_over(np.ones((rows, columns), np.float32), prepared(999, 1333))
