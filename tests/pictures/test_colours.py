"""A picture in the colours of another."""
import cv2
import numpy as np
import pytest

from modelscope_aams.pictures.colours import with_colours_of


def soft(seed, rows=60, columns=80):
    """A smooth picture of no strong colours, RGB."""
    coarse = np.random.default_rng(seed).integers(90, 150, (4, 4, 3), np.uint8)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


def lab(rgb):
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def test_lightness_of_one_and_chroma_of_the_other():
    picture, source = soft(1), soft(2)
    found = with_colours_of(picture, source)
    assert found.dtype == np.uint8 and found.shape == picture.shape
    # As near as whole levels of RGB come.
    np.testing.assert_allclose(lab(found)[..., 0], lab(picture)[..., 0], atol=0.5)
    np.testing.assert_allclose(lab(found)[..., 1:], lab(source)[..., 1:], atol=1)
    assert np.abs(lab(picture)[..., 1:] - lab(source)[..., 1:]).mean() > 3


def test_own_colours_change_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    assert np.abs(with_colours_of(picture, picture).astype(int) - picture).max() <= 1


def test_grey_takes_all_colour_away():
    found = with_colours_of(soft(1), np.full((60, 80, 3), 200, np.uint8)).astype(int)
    assert np.abs(found - found[..., :1]).max() <= 1
    assert found.std() > 2


def test_colours_outside_srgb_are_clipped():
    vivid = np.full((2, 2, 3), (0, 0, 255), np.uint8)
    white = np.full((2, 2, 3), 255, np.uint8)
    found = with_colours_of(white, vivid)
    assert (found[..., 2] == 255).all() and found.min() > 100


def test_bands_make_no_difference(monkeypatch):
    picture, source = soft(1), soft(2)
    whole = with_colours_of(picture, source)
    monkeypatch.setattr('modelscope_aams.pictures.colours._BAND', 7 * 80)
    np.testing.assert_array_equal(with_colours_of(picture, source), whole)


def test_pictures_are_left_as_they_were():
    picture, source = soft(1), soft(2)
    with_colours_of(picture, source)
    np.testing.assert_array_equal(picture, soft(1))
    np.testing.assert_array_equal(source, soft(2))


def test_sizes_have_to_be_equal():
    with pytest.raises(ValueError, match=r'shape \(60, 81, 3\); expected \(60, 80, 3\)'):
        with_colours_of(soft(1), soft(2, columns=81))
