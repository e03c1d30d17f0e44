"""Tables of rows made by hand; those of a real run are in tests/cli/test_evaluate.py."""
import csv
import pathlib

import pytest

from modelscope_aams.evaluation.feature_networks import VGG_FEATURES
from modelscope_aams.evaluation.measuring import MEASURES
from modelscope_aams.evaluation.plots import write_trade_off
from modelscope_aams.evaluation.report import as_csv, as_markdown, read
from modelscope_aams.evaluation.run import Plan
from modelscope_aams.pictures.reading import read_rgb

#: Style and content distance, the same on both networks, by method and style weight.
DISTANCES = {'aams': {0.5: (0.8, 0.4), 1.0: (0.2, 1.0)},
             'adain': {0.5: (0.9, 0.2), 1.0: (0.4, 0.6)}}


@pytest.fixture
def rows():
    return [{'content': 'boat', 'style': 'ink', 'method': method, 'style_weight': weight,
             **dict.fromkeys(MEASURES, 0.5), 'style_vgg': style, 'style_efficientnet': style,
             'content_vgg': content, 'content_efficientnet': content,
             'attention': 0.75 if weight == 1 else None, 'style_vgg_layers': [style]}
            for method, points in DISTANCES.items() for weight, (style, content) in points.items()]


@pytest.fixture
def plan():
    path = pathlib.Path('boat.png')
    return Plan({'boat': path}, {'ink': path}, dict.fromkeys(DISTANCES), (0.5, 1.0), None)


def test_csv_has_a_line_for_each_row(rows):
    lines = list(csv.reader(as_csv(rows).splitlines()))
    assert lines[0] == ['content', 'style', 'method', 'style_weight', *MEASURES]
    assert lines[1] == ['boat', 'ink', 'aams', '0.5', '0.8', '0.8', '0.5', '0.4', '0.4', '0.5', '']
    assert lines[4][-1] == '0.75' and len(lines) == 5


def test_markdown(rows, plan):
    text = as_markdown(plan, read(rows, list(DISTANCES), 0.7), VGG_FEATURES)
    assert 'Pairs: 1 (contents: 1, in full size; styles: 1). Style weights: 0.5, 1.' in text
    assert '| aams | 0.200 | 0.200 | 0.500 | 1.000 | 1.000 | 0.500 | 0.750 |' in text
    assert 'VGG-16: conv1_1 … conv5_1.' in text and 'stop at' not in text
    # At a style distance of 0.4 aams has 0.8; at a content distance of 0.6 it has 0.6.
    assert '| aams | 1.00 | 1.00 | 0.00 | 0.00 | 0.00 | 0.00 |' in text
    assert '| adain | 0.400 | 0.400 | 0.600 | 0.600 | 0.400 | 0.400 |' in text
    assert '| aams | 0.200 | 0.200 | 0.800 | 0.800 | 0.600 | 0.600 |' in text
    # 0.7 is half-way for aams, and never reached by adain.
    assert '| aams | 0.75 | 0.500 | 0.500 |' in text
    assert '| adain | never: content 0.200 to 0.600 | – | – |' in text
    shorter = as_markdown(plan, read(rows, list(DISTANCES), 0.7), VGG_FEATURES[:4])
    assert '**The VGG figures stop at conv4_1** (conv1_1 … conv4_1)' in shorter


def test_plot_is_the_same_each_time(rows, tmp_path):
    readings = read(rows, list(DISTANCES), 0.7)
    for name in ('one', 'two'):
        write_trade_off(tmp_path / name, readings)
    one, two = (tmp_path / name / 'trade-off.png' for name in ('one', 'two'))
    assert one.read_bytes() == two.read_bytes()
    # Lines of both methods, in their colours.
    pixels = read_rgb(one).reshape(-1, 3)
    for colour in ((0xd5, 0x5e, 0x00), (0x00, 0x72, 0xb2)):
        assert (abs(pixels.astype(int) - colour).max(axis=1) < 3).sum() > 50
