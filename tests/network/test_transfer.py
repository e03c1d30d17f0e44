"""The whole transfer with the shipped weights."""
import concurrent.futures
import math

import numpy as np
import pytest

from modelscope_aams.checkpoints.layout import build_network
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network import bands, style_swap
from modelscope_aams.network.bands import band_rows
from modelscope_aams.network.options import TransferOptions
from modelscope_aams.network.transfer import StyleTransfer, attention_reduction
from tests.reference_weights import BUNDLED


def picture(seed, rows, columns):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (rows // 8 + 1, columns // 8 + 1, 3))
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[:rows, :columns].astype(np.uint8)


@pytest.fixture(scope='module')
def transfer():
    return StyleTransfer(build_network(read_weights(BUNDLED)))


@pytest.fixture(scope='module')
def style(transfer):
    return transfer.prepare_style(picture(1, 80, 100))


def test_shapes_and_ranges(transfer, style):
    result = transfer.stylize(picture(2, 67, 96), style)
    assert result.picture.shape == (64, 96, 3)
    assert result.attention_map.shape == (8, 12)
    assert result.stroke_weights.shape == (8, 12, 4)
    assert result.centroids.shape == (4,) and (np.diff(result.centroids) >= 0).all()
    assert np.isfinite(result.picture).all()
    assert 0 <= result.attention_map.min() and result.attention_map.max() <= 1
    np.testing.assert_allclose(result.stroke_weights.sum(axis=-1), 1, rtol=1e-5)


def test_same_input_same_bytes_also_from_threads(transfer):
    content, painting = picture(3, 64, 80), picture(4, 64, 64)

    def run(_):
        return transfer.stylize(content, transfer.prepare_style(painting)).picture.tobytes()

    alone = run(0)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(4))) == {alone}


def test_style_weight_goes_from_content_to_style(transfer, style):
    content = picture(5, 64, 64)
    pictures = [transfer.stylize(content, style, TransferOptions(inter_weight=weight)).picture
                for weight in (0.0, 0.5, 1.0)]
    from_content = [np.abs(other - pictures[0]).mean() for other in pictures]
    assert 0 < from_content[1] < from_content[2]


@pytest.mark.parametrize('scales', [(1.0,), (0.25, 0.5, 0.75, 1.0)])
def test_number_of_strokes_follows_the_scales(transfer, scales):
    style = transfer.prepare_style(picture(1, 80, 100), scales)
    result = transfer.stylize(picture(2, 48, 48), style, TransferOptions(scales=scales))
    assert result.stroke_weights.shape[-1] == len(scales) + 1


def test_no_new_trace_for_another_size(transfer, style):
    transfer.stylize(picture(6, 40, 48), style)
    traces = transfer.traces
    transfer.stylize(picture(6, 72, 56), style)
    transfer.prepare_style(picture(7, 33, 200))
    assert transfer.traces == traces > 0


def test_a_flat_content_and_a_flat_style_work(transfer):
    flat = np.full((40, 40, 3), 128, np.uint8)
    result = transfer.stylize(flat, transfer.prepare_style(flat))
    assert np.isfinite(result.picture).all()


@pytest.mark.parametrize('options, message', [
    (dict(inter_weight=1.5), 'inter_weight is 1.5; expected 0 to 1'),
    (dict(inter_weight=math.nan), 'inter_weight is nan'),
    (dict(scales=()), 'scales are'), (dict(scales=(0.0, 1.0)), 'scales are'),
    (dict(scales=(2.0,)), 'scales are'), (dict(theta=-1), 'theta is -1'),
    (dict(theta=math.nan), 'theta is nan'),
    (dict(attention_length=0), 'attention_length is 0; expected')])
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TransferOptions(**options)


@pytest.mark.parametrize('rows, columns', [(75, 130), (160, 67)])
def test_bands_and_the_whole_give_the_same_picture(transfer, style, monkeypatch, rows, columns):
    content = picture(8, rows, columns)
    whole = transfer.stylize(content, style)
    for module, name in ((bands, 'BAND_VALUES'), (style_swap, 'BAND_VALUES')):
        monkeypatch.setattr(module, name, 1 << 16)
    monkeypatch.setattr('modelscope_aams.network.feature_transforms.ATTENTION_VALUES', 1 << 10)
    # Sizes of bands in the attention and the swap are part of a traced graph.
    banded = StyleTransfer(transfer.network).stylize(content, style)
    assert band_rows(columns, 64) < rows // 4
    difference = np.abs(np.rint(np.clip(whole.picture, 0, 255))
                        - np.rint(np.clip(banded.picture, 0, 255)))
    assert difference.max() <= 1
    assert whole.picture.std() > 10


def test_large_contents_attend_to_averages(transfer, style):
    content = picture(9, 128, 192)
    exact = transfer.stylize(content, style, TransferOptions(attention_length=None))
    np.testing.assert_array_equal(
        transfer.stylize(content, style, TransferOptions(attention_length=192)).picture,
        exact.picture)
    reduced = transfer.stylize(content, style, TransferOptions(attention_length=100))
    assert reduced.attention_map.shape == exact.attention_map.shape
    assert 0 < np.abs(reduced.picture - exact.picture).max()
    # The map is still one value a position, not an enlarged one.
    pairs = reduced.attention_map[:, 0::2] - reduced.attention_map[:, 1::2]
    assert (pairs != 0).mean() > 0.5


@pytest.mark.parametrize('size, longest, expected', [
    ((512, 512), None, 1), ((1600, 900), 1600, 1), ((1601, 900), 1600, 2), ((900, 3200), 1600, 2),
    ((4096, 4096), 1600, 3)])
def test_reduction_follows_the_longest_side(size, longest, expected):
    assert attention_reduction(size, longest) == expected
