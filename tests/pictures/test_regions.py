"""A grey mask as shares of styles."""
import numpy as np
import pytest

from modelscope_aams.pictures.regions import regions


def shares(styles, *levels):
    """The shares of each level, [levels, styles]."""
    found = regions(np.array([levels], np.float32), styles)
    assert found.dtype == np.float32 and found.shape == (styles, 1, len(levels))
    return found[:, 0].T


def test_of_one_style_the_mask_is_the_share():
    np.testing.assert_array_equal(shares(1, 0, 0.3, 1), np.float32([[0], [0.3], [1]]))


def test_two_styles_from_black_to_white():
    np.testing.assert_allclose(shares(2, 0, 0.25, 1), [[1, 0], [0.75, 0.25], [0, 1]])


def test_levels_run_evenly_and_mix_only_neighbours():
    np.testing.assert_allclose(
        shares(4, 0, 1 / 3, 0.5, 2 / 3, 1),
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0], [0, 0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize('styles', [2, 3, 7])
def test_shares_sum_to_one_at_every_level_of_a_picture(styles):
    found = regions((np.arange(256) / 255).astype(np.float32).reshape(16, 16), styles)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)
    assert found.min() >= 0 and found.max() <= 1
    assert all((share == 1).any() for share in (found[0], found[-1]))
