"""Bands and halves against the whole map."""
import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.network.bands import BAND_VALUES, band_rows, in_halves, joined, map_bands


@pytest.fixture(scope='module')
def kernels():
    rng = np.random.default_rng(0)
    return [tf.constant(0.3 * rng.standard_normal((3, 3, 4, 4)), tf.float32) for _ in range(3)]


@pytest.fixture(params=[0.5, 1, 2])
def block(request, kernels):
    """Three convolutions with zero padding, and what changes the size, with its scale."""
    def convolve(x):
        for kernel in kernels:
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, 'SAME') + 0.3)
        if request.param == 0.5:
            return tf.nn.avg_pool2d(x, 2, 2, 'VALID')
        return tf.repeat(x, request.param, axis=1)
    return convolve, request.param


def plane(rows):
    return tf.constant(np.random.default_rng(rows).standard_normal((1, rows, 6, 4)), tf.float32)


@pytest.mark.parametrize('rows', [2, 7, 12, 25, 40])
@pytest.mark.parametrize('band', [2, 4, 6, 16])
def test_bands_make_the_whole(block, rows, band):
    function, scale = block
    whole = function(plane(rows))
    found = map_bands(function, [plane(rows)], band, 3, scale)
    assert len(found) == -(-rows // band)
    np.testing.assert_allclose(joined(found), whole, atol=1e-5)


def test_bands_of_bands_make_the_whole(block):
    function, scale = block
    bands = [plane(40)[:, start:end] for start, end in ((0, 3), (3, 4), (4, 22), (22, 40))]
    found = map_bands(function, bands, 6, 3, scale)
    np.testing.assert_allclose(joined(found), function(plane(40)), atol=1e-5)
    assert sum(band.shape[1] for band in bands) < 20, 'bands that are done with were kept'


def test_one_band_is_not_cut():
    seen = []
    map_bands(lambda x: seen.append(x.shape[1]) or x, [plane(9)], 10, 3)
    map_bands(lambda x: seen.append(x.shape[1]) or x, [plane(9)], None, 3)
    assert seen == [9, 9]


@pytest.mark.parametrize('rows', range(2, 30))
@pytest.mark.parametrize('block, halved', [(0.5, True), (1, False)], indirect=['block'])
def test_halves_make_the_whole(block, halved, rows):
    convolve, _ = block
    found = in_halves(convolve, plane(rows), 3, halved)
    np.testing.assert_allclose(found, convolve(plane(rows)), atol=1e-5)


def test_bands_are_even_and_bounded():
    assert band_rows(10**9, 64) == 2
    rows = band_rows(4096, 64)
    assert rows % 2 == 0 and rows * 4096 * 64 <= BAND_VALUES < (rows + 2) * 4096 * 64
