"""The count of operations, the model of growth, and the command as it is run."""
import json
import pathlib
import subprocess
import sys

import cv2
import pytest
import tensorflow as tf

from benchmarks.arithmetic import picture_operations, published_operations, style_operations
from benchmarks.growth import Point, modelled_pace
from benchmarks.inference import Pictures
from benchmarks.published_graph import published_graph
from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network.attention_map import GAUSSIAN
from modelscope_aams.network.configuration import NetworkConfiguration

ROOT = pathlib.Path(__file__).parents[2]
VGG16 = NetworkConfiguration().without('conv3_4')


def test_operations_by_hand():
    # Four convolutions, each on a quarter of the pixels of the one before.
    small = NetworkConfiguration((('conv1_1', 4), 'pool', ('conv2_1', 6), 'pool',
                                  ('conv3_1', 8), 'pool', ('conv4_1', 512)))
    found = picture_operations(small, 41, 50, scales=(0.5,))
    assert found['encoder/conv1_1'] == 2 * 41 * 50 * 27 * 4
    assert found['encoder/conv2_1'] == 2 * 20 * 25 * 9 * 4 * 6
    assert found['encoder/conv3_1'] == 2 * 10 * 12 * 9 * 6 * 8
    assert found['encoder/conv4_1'] == 2 * 5 * 6 * 9 * 8 * 512
    # Ten of the sixteen blocks of a symmetric matrix.
    assert found['whitening'] == 2 * (30 * 512 ** 2 * 10 / 16 + 512 ** 3 + 30 * 512 ** 2)
    assert found['attention/projections'] == 2 * 30 * 512 * (256 + 256 + 512)
    assert found['attention/products'] == 2 * 30 * 30 * (256 + 512)
    assert found['matching'] == 2 * (9 * 10) * (32 * 32) * 512
    assert found['colouring'] == 2 * 30 * 512 ** 2
    assert found['decoder/inv_conv4_1'] == 2 * 30 * 9 * 512 * 256
    assert found['decoder/inv_conv3_4'] == 2 * (30 * 4) * 4 * 256 * 256
    assert found['decoder/inv_conv3_3'] == 2 * (30 * 4) * 9 * 256 * 256
    assert found['decoder/inv_conv2_2'] == 2 * (30 * 16) * 4 * 128 * 128
    assert found['decoder/inv_conv1_1'] == 2 * (30 * 64) * 9 * 64 * 3
    assert len(found) == 4 + 5 + 9
    reduced = picture_operations(small, 41, 50, reduction=2)
    assert reduced['attention/products'] == 2 * 30 * (3 * 3) * (256 + 512)
    assert reduced['attention/projections'] == 2 * 512 * (30 * 256 + 9 * (256 + 512))


def test_layers_that_are_left_out_are_not_counted():
    whole, known = (picture_operations(configuration, 800, 800)
                    for configuration in (NetworkConfiguration(), VGG16))
    assert set(whole) - set(known) == {'encoder/conv3_4'}
    assert whole['encoder/conv3_4'] == 2 * 200 * 200 * 9 * 256 * 256


def test_mirrored_borders_are_counted():
    zeros, mirrored = (picture_operations(NetworkConfiguration(border=border), 64, 96)
                       for border in ('zeros', 'mirrored'))
    assert mirrored['encoder/conv1_1'] == zeros['encoder/conv1_1'] * (96 * 128) / (64 * 96)
    assert mirrored['decoder/inv_conv4_1'] == zeros['decoder/inv_conv4_1'] * (10 * 14) / (8 * 12)
    assert {name for name in zeros if zeros[name] == mirrored[name]} == {
        'whitening', 'attention/projections', 'attention/products', 'matching', 'colouring'}


def test_counts_are_those_of_tensorflow():
    graph, v1 = tf.Graph(), tf.compat.v1
    with graph.as_default():
        # The profiler counts where shapes are static.
        pictures = {'content:0': tf.zeros((64, 96, 3)), 'style:0': tf.zeros((512, 512, 3))}
        tf.import_graph_def(published_graph(read_weights(BUNDLED), GAUSSIAN), pictures, name='')
    options = v1.profiler.ProfileOptionBuilder(
        v1.profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    node, counted = v1.profiler.profile(graph, cmd='op', options=options), {}
    while node.children:
        node, = node.children
        counted[node.name] = node.float_ops
    expected = published_operations(64, 96, read_weights(BUNDLED).configuration.border)
    # It takes the transposed convolution for one at every position of its larger output.
    del expected['pasting']
    products = {name for name in expected
                if 'whitening' in name or name in ('attention/products', 'colouring')}
    assert counted['MatMul'] == sum(expected[name] for name in products)
    assert counted['Conv2D'] == sum(expected[name] for name in set(expected) - products)


def test_pasting_is_as_much_work_as_matching():
    published = published_operations(64, 96)
    assert published['pasting'] == published['matching'] == (
        2 * 96 * 25 * 512 * (28 ** 2 + 39 ** 2 + 56 ** 2))


def test_style_is_the_same_work_at_every_size_of_content():
    style = style_operations(VGG16)
    published = published_operations(64, 96)
    assert all(published[name] == count for name, count in style.items() if 'conv' in name)
    assert style['style/encoder/conv1_2'] == 2 * 448 * 448 * 9 * 64 * 64
    assert published['style/whitening'] == 2 * (2 * 3136 * 512 ** 2 + 2 * 512 ** 3)


def test_model_of_growth():
    # 64x64 and 128x128 features, at 1e12 operations a second: products of all positions.
    smallest = Point(512, 0.5, 0)
    assert modelled_pace(512, smallest, VGG16, 1e12) == pytest.approx(0.5 / 0.512 ** 2)
    grown = modelled_pace(1024, smallest, VGG16, 1e12) - smallest.pace
    attention = 2 * 768 * (128 ** 4 / 1.024 ** 2 - 64 ** 4 / 0.512 ** 2) / 1e12
    style = 32 ** 2 + 43 ** 2 + 60 ** 2
    matching = 2 * 512 * style * (132 ** 2 / 1.024 ** 2 - 68 ** 2 / 0.512 ** 2) / 1e12
    assert grown == pytest.approx(attention + matching)
    # Where the attention is reduced, it has a quarter of the keys.
    assert modelled_pace(1024, smallest, VGG16, 1e12, attention_length=512) < (
        smallest.pace + attention / 2)


def test_pictures(pictures):
    assert pictures.content(64).shape == (64, 64, 3)
    assert pictures.content(600, 1).shape == (600, 600, 3)
    styles = [pictures.new_style() for _ in range(200)]
    assert len({style.tobytes() for style in styles}) == 200
    assert {style.shape for style in styles} == {(384, 384, 3)}


@pytest.fixture(scope='module')
def pictures():
    return Pictures()


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """The command at one tiny size: what it printed, and the folder it wrote to."""
    folder = tmp_path_factory.mktemp('benchmark')
    process = subprocess.run(
        [sys.executable, '-m', 'benchmarks.inference', '--sizes', '64', '--growth', '64',
         '--repeat', '1', '--json', folder / 'figures.json', '--out', folder / 'out'],
        cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines(), folder


def test_last_line_is_every_figure_by_name(finished):
    lines, folder = finished
    figures = json.loads(lines[-1])
    assert json.loads((folder / 'figures.json').read_text()) == figures
    named = {'baseline_seconds', 'new_style_seconds', 'known_style_seconds', 'new_style_ratio',
             'known_style_ratio', 'roofline_share_new_style', 'roofline_share_known_style',
             'baseline_peak_gib', 'new_style_peak_gib', 'peak_gib', 'peak_memory_ratio',
             'baseline_first_result_seconds', 'first_result_seconds', 'first_result_ratio',
             'full_size_seconds', 'seconds_per_megapixel', 'modelled_seconds_per_megapixel',
             'growth_over_model', 'pixels_within_one_level'}
    for name in named:
        assert figures[f'{name}_64'] > 0, name
        assert any(line.split()[:1] == [f'{name}_64'] for line in lines[:-1]), name
    assert figures['product_gflop_per_second'] > 0
    assert figures['new_style_ratio_64'] == pytest.approx(
        figures['baseline_seconds_64'] / figures['new_style_seconds_64'], rel=0.01)
    assert figures['roofline_share_new_style_64'] == pytest.approx(
        figures['gflop_new_style_64'] / figures['product_gflop_per_second']
        / figures['new_style_seconds_64'], rel=0.01)


def test_what_no_clock_decides(finished):
    figures = json.loads(finished[0][-1])
    assert figures['pixels_within_one_level_64'] >= 0.99
    assert figures['retraces'] == 0 and figures['traces_by_size'][0] > 0
    assert figures['goals']['retraces'] == {'figure': 0, 'at_most': 0, 'met': True}
    assert figures['peak_memory_ratio_64'] < 1


def test_plot_of_growth(finished):
    plot = cv2.imread(str(finished[1] / 'out' / 'growth.png'))
    assert plot.shape[1] > plot.shape[0] > 300 and plot.std() > 10


@pytest.mark.parametrize('arguments', [['--sizes', '8'], ['--repeat', '0'], ['--sizes', 'big']])
def test_wrong_numbers_are_named(arguments):
    process = subprocess.run([sys.executable, '-m', 'benchmarks.inference', *arguments],
                             cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 2
    error = process.stderr.splitlines()[-1]
    assert arguments[0] in error and arguments[1] in error
