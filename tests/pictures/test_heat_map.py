import numpy as np
import pytest

from modelscope_aams.pictures.heat_map import heat_map

GREY = np.full((24, 40, 3), 128, np.uint8)


def brightness(picture):
    return picture.astype(float).sum(axis=-1)


def test_is_brighter_where_attention_is_higher():
    attention = np.tile(np.linspace(0, 1, 5), (3, 1))
    picture = heat_map(GREY, attention)
    assert picture.dtype == np.uint8 and picture.shape == GREY.shape
    columns = brightness(picture).mean(axis=0)
    assert (np.diff(columns) >= 0).all() and columns[-1] > columns[0] + 200


def test_shows_the_picture_between_the_colours():
    picture = GREY.copy()
    picture[:, 20:] = 255
    seen = brightness(heat_map(picture, np.zeros((3, 5)), opacity=0.5))
    assert seen[:, 20:].min() > seen[:, :20].max() + 100


def test_without_opacity_is_the_picture_in_grey():
    colourful = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    seen = heat_map(colourful, np.ones((2, 2)), opacity=0)
    assert (seen == seen[..., :1]).all()
    assert abs(seen[..., 0] - colourful @ [0.299, 0.587, 0.114]).max() < 1


def test_values_past_a_peak_stay_in_range():
    spike = np.zeros((4, 6))
    spike[1, 2] = 1
    without = brightness(heat_map(GREY, np.zeros((4, 6))))
    assert (brightness(heat_map(GREY, spike)) >= without).all()


@pytest.mark.parametrize('attention, opacity, named', [
    (np.zeros((2, 2, 4)), 0.5, r'shape \(2, 2, 4\)'), (np.zeros((0, 3)), 0.5, 'shape'),
    (np.zeros((2, 2)), 1.5, 'opacity is 1.5')])
def test_wrong_input_is_named(attention, opacity, named):
    with pytest.raises(ValueError, match=named):
        heat_map(GREY, attention, opacity)
