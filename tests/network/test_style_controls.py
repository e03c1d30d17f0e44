"""Style weight, several styles, regions, own attention maps and borders, as shipped."""
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from modelscope_aams.checkpoints.layout import Weights, build_network
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network import bands
from modelscope_aams.network.configuration import NetworkConfiguration
from modelscope_aams.network.options import METHODS, TransferOptions
from modelscope_aams.network.transfer import StyleTransfer
from tests.network.test_transfer import picture
from tests.reference_weights import BUNDLED

CONTENT = picture(1, 96, 128)


@pytest.fixture(scope='module')
def transfer():
    return StyleTransfer(build_network(read_weights(BUNDLED)))


@pytest.fixture(scope='module')
def styles(transfer):
    """Two styles for each method."""
    bright, dark = picture(2, 64, 64) // 2 + 120, picture(3, 64, 64) // 3
    return {method: [transfer.prepare_style(style, TransferOptions(method=method).style_scales)
                     for style in (bright, dark)] for method in METHODS}


def stylized(transfer, styles, method, **kwargs):
    options = TransferOptions(method=method, style_weight=kwargs.pop('style_weight', 1.0))
    return transfer.stylize(CONTENT, styles, options, **kwargs).picture


def distance(a, b):
    return np.abs(a - b).mean()


@pytest.mark.parametrize('method', METHODS)
def test_style_weight_0_is_the_content_whatever_the_style_and_method(transfer, styles, method):
    first, second = (stylized(transfer, style, method, style_weight=0)
                     for style in styles[method])
    assert distance(first, second) < 1e-2
    full = stylized(transfer, styles[method][0], method)
    assert distance(full, CONTENT) > 1.5 * distance(first, CONTENT)


@pytest.mark.parametrize('method', METHODS)
def test_a_sweep_gives_what_single_calls_give(transfer, styles, method):
    style, weights = styles[method][0], (0.0, 0.5, 1.0)
    swept = [each.picture for each in transfer.stylize_at(
        weights, CONTENT, style, TransferOptions(method=method))]
    for weight, found in zip(weights, swept):
        np.testing.assert_array_equal(
            found, stylized(transfer, style, method, style_weight=weight))
    from_content = [distance(each, swept[0]) for each in swept]
    assert 0 < from_content[1] < from_content[2]


@pytest.mark.parametrize('method', METHODS)
def test_weights_mix_styles(transfer, styles, method):
    alone = [stylized(transfer, style, method) for style in styles[method]]
    np.testing.assert_allclose(
        stylized(transfer, styles[method], method, weights=(1, 0)), alone[0], atol=0.05)
    mixed = stylized(transfer, styles[method], method)
    assert alone[1].mean() + 20 < mixed.mean() < alone[0].mean() - 20


@pytest.mark.parametrize('method', METHODS)
def test_regions_are_given_their_own_style(transfer, styles, method):
    left = np.zeros(CONTENT.shape[:2], np.float32)
    left[:, :64] = 1
    both = stylized(transfer, styles[method], method, regions=np.stack([left, 1 - left]))
    alone = [stylized(transfer, style, method) for style in styles[method]]
    # Statistics are those of the region, so that the halves are like, but do not equal, these.
    assert both[:, :48].mean() == pytest.approx(alone[0][:, :48].mean(), abs=25)
    assert both[:, 80:].mean() == pytest.approx(alone[1][:, 80:].mean(), abs=25)
    assert both[:, :48].mean() > both[:, 80:].mean() + 50
    full = np.ones_like(left)
    np.testing.assert_allclose(
        stylized(transfer, styles[method][0], method, regions=full[None]), alone[0], atol=0.5)


@pytest.mark.parametrize('method', METHODS)
def test_outside_its_mask_a_style_leaves_the_content(transfer, styles, method):
    mask = np.zeros(CONTENT.shape[:2], np.float32)
    mask[:, :64] = 1
    found = stylized(transfer, styles[method][0], method, regions=mask[None])
    content = stylized(transfer, styles[method][0], method, style_weight=0)
    # Pixels see each other through the decoder over some 40 columns.
    assert distance(found[:, 112:], content[:, 112:]) < 12
    assert distance(found[:, :48], content[:, :48]) > 20


def test_regions_in_bands_and_whole_give_the_same(transfer, styles, monkeypatch):
    ramp = np.tile(np.linspace(0, 1, 128, dtype=np.float32), (96, 1))
    regions = np.stack([ramp, 0.5 * (1 - ramp)])
    whole = stylized(transfer, styles['aams'], 'aams', regions=regions)
    monkeypatch.setattr(bands, 'BAND_VALUES', 1 << 16)
    banded = stylized(transfer, styles['aams'], 'aams', regions=regions)
    assert np.abs(whole - banded).max() < 1


def test_style_weights_in_bands_and_whole_give_the_same(transfer, styles, monkeypatch):
    whole = stylized(transfer, styles['wct'][0], 'wct', style_weight=0.4)
    monkeypatch.setattr(bands, 'BAND_VALUES', 1 << 16)
    banded = stylized(transfer, styles['wct'][0], 'wct', style_weight=0.4)
    assert np.abs(whole - banded).max() < 1


def test_strokes_follow_an_attention_map_of_ones_own(transfer, styles):
    attention = np.zeros((48, 64), np.float32)
    attention[:, 32:] = 1
    result = transfer.stylize(CONTENT, styles['aams'][0], attention_map=attention)
    assert (result.attention_map[:, :7] == 0).all() and (result.attention_map[:, 9:] == 1).all()
    assert (result.stroke_weights[:, :7].argmax(-1) == 0).all()
    assert (result.stroke_weights[:, 9:].argmax(-1) == 3).all()


@pytest.mark.parametrize('patch_size', [1, 3, 7])
def test_patches_of_other_sizes(transfer, patch_size):
    options = TransferOptions(patch_size=patch_size)
    style = transfer.prepare_style(picture(2, 64, 64), options.style_scales, patch_size)
    found = transfer.stylize(CONTENT, style, options).picture
    assert np.isfinite(found).all()
    usual = transfer.stylize(CONTENT, transfer.prepare_style(picture(2, 64, 64))).picture
    assert distance(found, usual) > 1


def test_a_style_prepared_for_other_options_is_refused(transfer, styles):
    with pytest.raises(ValueError, match=r'prepared with patches of \[5\] positions'):
        transfer.stylize(CONTENT, styles['avatar-net'][0])
    with pytest.raises(ValueError, match=r'these options need \[3, 3, 3\]'):
        transfer.stylize(CONTENT, styles['aams'][0], TransferOptions(patch_size=3))


@pytest.mark.parametrize('options, message', [
    (dict(method='gatys'), "method is 'gatys'; expected 'aams', 'adain', 'wct', 'avatar-net'"),
    (dict(style_weight=1.1), 'style_weight is 1.1; expected 0 to 1'),
    (dict(patch_size=4), 'patch_size is 4; expected one of 1, 3, 5, 7'),
    (dict(method='adain', theta=3), "theta has no meaning for method 'adain'"),
    (dict(method='wct', inter_weight=0.5), "inter_weight has no meaning for method 'wct'; "
                                           "expected only with 'aams' or 'avatar-net'"),
    (dict(method='avatar-net', scales=(1.0,)), "scales has no meaning for method 'avatar-net'"),
    (dict(method='adain', patch_size=3), "patch_size has no meaning for method 'adain'"),
    (dict(method='wct', attention_length=None), 'attention_length has no meaning')])
def test_options_that_make_no_sense_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        TransferOptions(**options)


def test_a_mirrored_border_leaves_no_frame(transfer):
    def frame(border):
        shipped = read_weights(BUNDLED)
        coding = StyleTransfer(build_network(Weights(shipped.arrays, dataclasses.replace(
            shipped.configuration, border=border)))).coding
        deep = coding.encode(tf.fill([96, 120, 3], 120.0))
        assert deep.shape == (1, 12, 15, 512)
        picture = coding.decode(deep[0], [transfer.prepare_style(CONTENT).moments])
        assert picture.shape == (96, 120, 3)
        # Of a flat picture all features are alike, but for what lies beyond the border.
        return np.abs(deep - deep[:, 6:7, 7:8]).mean()

    assert frame('mirrored') < 0.2 * frame('zeros')


@pytest.mark.parametrize('rows, columns', [(75, 130), (36, 61)])
def test_mirrored_borders_keep_sizes_in_bands_and_whole(transfer, styles, monkeypatch, rows,
                                                        columns):
    assert transfer.network.configuration.border == 'mirrored'
    content = picture(8, rows, columns)
    whole = transfer.stylize(content, styles['wct'][0], TransferOptions(method='wct')).picture
    assert whole.shape == (rows // 8 * 8, columns // 8 * 8, 3)
    monkeypatch.setattr(bands, 'BAND_VALUES', 1 << 15)
    banded = transfer.stylize(content, styles['wct'][0], TransferOptions(method='wct')).picture
    assert np.abs(whole - banded).max() < 1


def test_an_unknown_border_is_refused():
    with pytest.raises(ValueError, match="border is 'black'; expected 'zeros' or 'mirrored'"):
        NetworkConfiguration(border='black')
