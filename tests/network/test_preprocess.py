"""Pictures to the network and back."""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network.preprocess import (
    SMALLEST_SIDE, finish, prepare_content, prepare_style, resize_bilinear)


def picture(rows, columns):
    return np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


@pytest.mark.parametrize('size, max_length, expected', [
    ((600, 500), 800, (600, 500)), ((1600, 1000), 800, (800, 500)),
    ((500, 1000), 300, (150, 300)), ((1600, 1000), None, (1600, 1000)),
    ((3, 4000), 800, (SMALLEST_SIDE, 800)), ((1, 1), 800, (SMALLEST_SIDE, SMALLEST_SIDE))])
def test_content_is_scaled_down_only_and_never_too_small(size, max_length, expected):
    prepared = prepare_content(picture(*size), max_length)
    assert prepared.picture.shape == (*expected, 3)
    assert prepared.picture.dtype == np.float32
    assert prepared.size == size


@pytest.mark.parametrize('size', [(64, 96), (61, 99), (1, 1), (3, 400), (500, 40)])
def test_what_is_prepared_can_be_finished(size):
    original = picture(*size)
    prepared = prepare_content(original, 128)
    rows, columns = (side // 8 * 8 for side in prepared.picture.shape[:2])
    found = finish(prepared.picture[:rows, :columns], prepared)
    assert found.shape == original.shape and found.dtype == np.uint8
    if max(size) <= 128 and not any(side % 8 for side in size):
        np.testing.assert_array_equal(found, original[..., ::-1])


def test_extension_is_cut_off_again():
    original = np.full((16, 64, 3), 40, np.uint8)
    prepared = prepare_content(original)
    stylized = prepared.picture.copy()
    stylized[16:] = 255
    np.testing.assert_array_equal(finish(stylized, prepared), original)


def test_finish_rounds_clips_and_turns_to_bgr():
    prepared = prepare_content(np.zeros((32, 32, 3), np.uint8))
    stylized = np.tile(np.float32([-9.0, 99.6, 300.0]), (32, 32, 1))
    assert finish(stylized, prepared)[5, 5].tolist() == [255, 100, 0]


def test_resizing_has_no_half_pixel_centres():
    row = np.float32([0, 10, 20, 30])[None, :, None]
    found = resize_bilinear(np.tile(row, (2, 1, 1)), (2, 8)).numpy()[0, :, 0]
    np.testing.assert_array_equal(found, [0, 5, 10, 15, 20, 25, 30, 30])


def test_resizing_is_that_of_tensorflow_1():
    image = picture(37, 23).astype(np.float32)
    expected = tf.compat.v1.image.resize_bilinear(image[None], (61, 12))[0]
    np.testing.assert_allclose(resize_bilinear(image, (61, 12)), expected, atol=1e-3)
    window = resize_bilinear(image, (61, 12), (20, 3, 30, 5))
    np.testing.assert_allclose(window, expected[20:50, 3:8], atol=1e-3)


@pytest.mark.parametrize('size', [(1, 1), (3, 4000), (512, 700), (900, 513)])
def test_style_is_a_square_of_448(size):
    style = prepare_style(tf.constant(picture(*size), tf.float32))
    assert style.shape == (448, 448, 3)
    assert 0 <= style.numpy().min() and style.numpy().max() <= 255
