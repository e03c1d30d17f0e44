"""Distances on arrays small enough to be computed by hand."""
import numpy as np
import pytest
import torch

from modelscope_aams.evaluation import distances
from modelscope_aams.evaluation.distances import Moments
from modelscope_aams.evaluation.patches import patch_distance, patch_quantiles, projections


def maps(*channels):
    """A feature map [channels, rows, columns]."""
    return torch.tensor(channels, dtype=torch.float32)


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape, dtype=np.float32))


def test_moments_are_over_positions():
    mean, deviation = distances.moments(maps([[1, 3], [5, 7]], [[2, 2], [2, 2]]))
    assert mean.tolist() == [4, 2]
    assert deviation.tolist() == pytest.approx([5 ** 0.5, 0])


def test_style_distance_is_relative_to_the_style():
    style = Moments(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0]))
    result = Moments(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]))
    assert distances.layer_style_distance(result, style) == pytest.approx((1 + 4) / 25)
    assert distances.layer_style_distance(style, result) == pytest.approx((1 + 4) / 8)
    assert distances.layer_style_distance(style, style) == 0


def test_normalised_channels_have_mean_0_and_deviation_1():
    features = distances.normalised(torch.cat([noise(3, 8, 9) * 50 + 7, torch.full((1, 8, 9), 5)]))
    mean, deviation = distances.moments(features)
    assert mean.numpy() == pytest.approx(0, abs=1e-5)
    assert deviation.tolist() == pytest.approx([1, 1, 1, 0], abs=1e-5)


@pytest.mark.parametrize('other, expected', [
    ([[10, 20], [10, 20]], 0),   # scaled and shifted
    ([[2, 1], [2, 1]], 4),       # opposite: 2 (1 - -1)
    ([[1, 1], [2, 2]], 2),       # uncorrelated
    ([[7, 7], [7, 7]], 1),       # flat
])
def test_content_distance_is_twice_what_correlation_lacks(other, expected):
    content = distances.normalised(maps([[1, 2], [1, 2]]))
    result = distances.normalised(maps(other))
    assert distances.content_distance(result, content) == pytest.approx(expected, abs=1e-3)


def test_luminance():
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 10, 10]]], np.uint8)
    assert distances.luminance(picture)[0] == pytest.approx([76.245, 149.685, 29.07, 10])


def test_structural_similarity():
    plane = noise(32, 40).numpy() * 255
    assert distances.structural_similarity(plane, plane) == pytest.approx(1)
    # Of flat pictures it is the luminance term: (2ab + c) / (a² + b² + c), c = (0.01 · 255)².
    flat = [np.full((16, 16), value, np.float32) for value in (100, 50)]
    c = 2.55 ** 2
    assert distances.structural_similarity(*flat) == pytest.approx(
        (2 * 5000 + c) / (12500 + c), rel=1e-5)
    assert distances.structural_similarity(255 - plane, plane) < 0


def test_attention_consistency_is_a_correlation():
    content = np.array([[0, 1], [2, 3]], np.float32)
    assert distances.attention_consistency(content * 3 + 1, content) == pytest.approx(1)
    assert distances.attention_consistency(-content, content) == pytest.approx(-1)
    # Deviations (-1.5, -0.5, 0.5, 1.5) and (-0.5, 0.5, -0.5, 0.5): 1 / sqrt(5 · 1).
    assert distances.attention_consistency(
        np.array([[0, 1], [0, 1]]), content) == pytest.approx(1 / 5 ** 0.5)
    assert distances.attention_consistency(np.ones((2, 2)), content) == 0


def test_quantiles_of_one_projected_patch_are_its_value():
    features = noise(5, 3, 3)
    quantiles = patch_quantiles(features)
    across, along = projections(5)
    expected = torch.einsum('dcij,cxy,dixy->d', across, features, along)
    assert quantiles.shape[1] == 1024
    assert torch.allclose(quantiles, expected[:, None].expand_as(quantiles), atol=1e-5)


def test_directions_are_unit_vectors_and_always_the_same():
    across, along = projections(7)
    for part in (across, along):
        assert part.square().sum(dim=(1, 2, 3)).numpy() == pytest.approx(1, rel=1e-5)
    again = projections.__wrapped__(7)
    assert torch.equal(again.across, across) and torch.equal(again.along, along)
    # Of the same seed, but not the same: other channels have other directions.
    assert not torch.equal(projections(8).along, along)


def test_quantiles_are_those_of_numpy():
    features = noise(4, 12, 10)
    quantiles = patch_quantiles(features)
    across, along = projections(4)
    patches = features.unfold(1, 3, 1).unfold(2, 3, 1)
    projected = torch.einsum('dcij,crkxy,dixy->drk', across, patches, along).flatten(1)
    expected = np.quantile(projected.numpy(), (np.arange(1024) + 0.5) / 1024, axis=1,
                           method='hazen').T
    assert quantiles.numpy() == pytest.approx(expected, abs=1e-5)


def test_patch_distance():
    style = patch_quantiles(noise(6, 40, 40))
    assert patch_distance(style, style) == 0
    # Everything at the mean: what is left is the style's variance.
    flat = style.mean(dim=1, keepdim=True).expand_as(style)
    assert patch_distance(flat, style) == pytest.approx(1, rel=1e-5)
    shifted = style + style.var(dim=1, correction=0, keepdim=True).sqrt() * 3
    assert patch_distance(shifted, style) == pytest.approx(9, rel=1e-4)
    silent = torch.cat([style, torch.zeros(1, 1024)])
    assert patch_distance(torch.cat([flat, torch.ones(1, 1024)]), silent) == pytest.approx(
        1, rel=1e-5)


def test_patches_see_what_moments_do_not():
    """Positions in another order: the same statistics of channels, other patches."""
    smooth = torch.nn.functional.avg_pool2d(noise(6, 60, 60, seed=1), 5, stride=1)
    order = np.random.default_rng(2).permutation(56 * 56)
    shuffled = smooth.flatten(1)[:, order].reshape(6, 56, 56)
    assert distances.layer_style_distance(
        distances.moments(shuffled), distances.moments(smooth)) < 1e-9
    other = torch.nn.functional.avg_pool2d(noise(6, 60, 60, seed=3), 5, stride=1)
    style = patch_quantiles(smooth)
    assert patch_distance(patch_quantiles(shuffled), style) > 5 * patch_distance(
        patch_quantiles(other), style)
