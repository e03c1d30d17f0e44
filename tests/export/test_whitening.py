"""Whitening by matrix products against whitening by eigenvectors, on features of pictures."""
import cv2
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from modelscope_aams.export import whitening as products
from modelscope_aams.network.encoder import subtract_mean
from modelscope_aams.network.whitening import whiten


@pytest.fixture(scope='module')
def features(transfer):
    """conv4_1 features [n, 512] of a photograph at a size."""
    def of(rows, columns):
        picture = cv2.resize(skimage.data.astronaut(), (columns, rows),
                             interpolation=cv2.INTER_AREA).astype(np.float32)
        deep = transfer.network.encoder(subtract_mean(picture[None]))['conv4_1']
        return np.reshape(deep, (-1, 512))
    return of


def spread(features):
    """Variances that spread over 1e6 and more, and reach below the smallest that is kept."""
    return features * np.geomspace(1, 1e-3, 512, dtype=np.float32)


def dead(features):
    """Every seventh channel is the same everywhere."""
    return np.where(np.arange(512) % 7, features, np.float32(3))


CASES = {'many positions': lambda of: of(320, 320), 'few positions': lambda of: of(64, 96),
         'dead channels': lambda of: dead(of(200, 320)),
         'spread variances': lambda of: spread(of(320, 320)),
         'one position': lambda of: of(8, 8)}


def whiten_by_products(features):
    return whiten(features, products.square_roots)


@pytest.mark.parametrize('case', CASES)
def test_is_that_by_eigenvectors(features, case):
    given = CASES[case](features)
    found = tf.function(whiten_by_products)(tf.constant(given))
    expected = whiten(tf.constant(given))
    for tensor, right in zip(tf.nest.flatten(found), tf.nest.flatten(expected)):
        assert tensor.dtype == tf.float32
        np.testing.assert_allclose(tensor, right, atol=1e-5 * max(1, np.abs(right).max()))


@pytest.mark.parametrize('case', ['few positions', 'dead channels'])
def test_keeps_what_varies(features, case):
    given = CASES[case](features)
    found = np.asarray(whiten_by_products(tf.constant(given))[0], np.float64)
    variances = np.linalg.eigvalsh(found.T @ found / len(found))
    kept = np.linalg.matrix_rank(given.astype(np.float64) - given.mean(0, np.float64))
    assert kept < 512
    np.testing.assert_allclose(variances, [0] * (512 - kept) + [1] * kept, atol=1e-5)


def test_functions_of_a_matrix():
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(40, 40)))
    values = np.concatenate([np.geomspace(1e-7, 1e5, 30), -np.geomspace(1e-6, 1e3, 10)])
    signs = products.sign(tf.constant(rotation * values @ rotation.T))
    np.testing.assert_allclose(signs, rotation * np.sign(values) @ rotation.T, atol=1e-3)
    values = np.geomspace(1e-5, 1e5, 40)
    root, inverse = products.positive_roots(tf.constant(rotation * values @ rotation.T))
    np.testing.assert_allclose(root, rotation * values ** 0.5 @ rotation.T, atol=1e-6)
    np.testing.assert_allclose(inverse, rotation * values ** -0.5 @ rotation.T, rtol=1e-5,
                               atol=1e-5)
