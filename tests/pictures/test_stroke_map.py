import itertools

import numpy as np
import pytest

from modelscope_aams.pictures.stroke_map import COLOURS, stroke_colours, stroke_map

GREY = np.full((24, 40, 3), 128, np.uint8)

# How people without one of the three kinds of cones see linear RGB (Machado, Oliveira and
# Fernandes 2009, table 1, severity 1).
BLINDNESS = {
    'protanopia': [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    'deuteranopia': [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    'tritanopia': [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]]}


def one_hot(places, strokes):
    return np.eye(strokes, dtype=np.float32)[places]


@pytest.mark.parametrize('strokes', range(1, len(COLOURS) + 1))
def test_each_stroke_has_its_colour(strokes):
    places = np.arange(24 * 40).reshape(24, 40) % strokes
    seen = stroke_map(GREY, one_hot(places, strokes), opacity=1)
    assert seen.dtype == np.uint8
    np.testing.assert_array_equal(seen, np.array(stroke_colours(strokes), np.uint8)[places])


def test_mixtures_mix_colours():
    first, last = np.array(stroke_colours(2), float)
    seen = stroke_map(GREY, np.full((3, 5, 2), [0.75, 0.25]), opacity=1)
    assert abs(seen - (0.75 * first + 0.25 * last)).max() <= 0.5


def test_shows_the_picture_between_the_colours():
    picture = GREY.copy()
    picture[:, 20:] = (255, 0, 0)
    seen = stroke_map(picture, np.ones((2, 2, 1)), opacity=0)
    assert (seen == seen[..., :1]).all()
    assert (seen[:, :20] == 128).all() and (seen[:, 20:] == 76).all()
    light = stroke_map(np.full_like(GREY, 255), np.ones((2, 2, 1)))
    assert (light.astype(int) > stroke_map(GREY, np.ones((2, 2, 1)))).all()


def test_a_smaller_map_is_stretched_in_place():
    seen = stroke_map(GREY, one_hot(np.array([[0, 1], [2, 3]]), 4), opacity=1)
    corners = seen[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_array_equal(corners, stroke_colours(4))


def test_colours_go_from_cold_to_warm():
    for strokes in range(2, len(COLOURS) + 1):
        colours = stroke_colours(strokes)
        assert (colours[0], colours[-1]) == (COLOURS[0], COLOURS[-1])
        warmth = [red - blue for red, _, blue in colours]
        assert len(set(colours)) == strokes and warmth[0] < 0 < warmth[-1]


@pytest.mark.parametrize('kind', ['none', *BLINDNESS])
def test_colours_are_told_apart_with_any_blindness(kind):
    import cv2
    linear = (np.array(COLOURS, np.float32) / 255) ** 2.2
    seen = np.clip(linear @ np.array(BLINDNESS.get(kind, np.eye(3)), np.float32).T, 0, 1)
    lab = cv2.cvtColor((seen ** (1 / 2.2))[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    # A difference of 2.3 is just noticed.
    for one, other in itertools.combinations(lab, 2):
        assert np.linalg.norm(one - other) > 10


@pytest.mark.parametrize('weights, opacity, named', [
    (np.zeros((2, 2)), 0.5, r'shape \(2, 2\)'), (np.zeros((0, 3, 2)), 0.5, 'shape'),
    (np.zeros((2, 2, 7)), 0.5, '7 strokes; expected 1 to 6'),
    (np.zeros((2, 2, 3)), -0.5, 'opacity is -0.5')])
def test_wrong_input_is_named(weights, opacity, named):
    with pytest.raises(ValueError, match=named):
        stroke_map(GREY, weights, opacity)
