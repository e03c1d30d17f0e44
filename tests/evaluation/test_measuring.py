"""All figures of a picture against style and content."""
import numpy as np
import pytest

from modelscope_aams.evaluation.feature_networks import VGG16, efficientnet_lite0
from modelscope_aams.evaluation.measuring import MEASURES, Gauge
from modelscope_aams.evaluation.vgg_weights import shipped_vgg


@pytest.fixture(scope='module')
def gauge():
    return Gauge(VGG16(shipped_vgg()), efficientnet_lite0())


def picture(turn, rows=64, columns=96):
    y, x = np.mgrid[:rows, :columns] / 9.0
    planes = [np.sin(x + turn * y), np.sin(turn * x - y + 1), np.cos(y * x / 5 + turn)]
    return (127.5 + 127 * np.stack(planes, axis=-1)).astype(np.uint8)


def test_a_picture_is_at_no_distance_from_itself(gauge):
    own, attention = picture(0.4), np.arange(96.0).reshape(8, 12)
    found = gauge.measure(own, gauge.style(own), gauge.content(own, attention), attention)
    assert {name: found[name] for name in MEASURES} == pytest.approx({
        'style_vgg': 0, 'style_efficientnet': 0, 'patch': 0, 'content_vgg': 0,
        'content_efficientnet': 0, 'ssim': 1, 'attention': 1}, abs=1e-6)


def test_each_side_is_compared_with_its_own(gauge):
    result, style, content = picture(0.4), picture(1.7, 80, 72), picture(0.9)
    attention = np.arange(96.0).reshape(8, 12)
    of_style, of_content = gauge.style(style), gauge.content(content, attention)
    found = gauge.measure(result, of_style, of_content)
    assert found['attention'] is None
    assert len(found['style_vgg_layers']) == 4 and len(found['style_efficientnet_layers']) == 5
    assert found['style_vgg'] == pytest.approx(np.mean(found['style_vgg_layers']))
    # The style itself has all of the style, the content itself all of the content.
    assert gauge.measure(content, of_style, of_content)['content_vgg'] == 0
    other = gauge.measure(result, gauge.style(result), of_content)
    assert other['style_vgg'] == other['patch'] == 0 < found['patch']
    assert other['content_vgg'] == found['content_vgg'] > 0
    assert other['ssim'] == found['ssim'] < 0.9
