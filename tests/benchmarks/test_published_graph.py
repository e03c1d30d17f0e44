"""The published graph: our picture in ModelScope's own pipeline, and official names."""
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from modelscope.pipelines import pipeline
from modelscope.pipelines.cv.image_style_transfer_pipeline import ImageStyleTransferPipeline

import modelscope_aams  # noqa: F401  (registers our pipeline)
from benchmarks.published_graph import (CONFIGURATION, cluster_centres, published_graph,
                                         write_published_model)
from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.layout import Weights, build_network
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network.attention_map import GAUSSIAN
from modelscope_aams.network.configuration import NetworkConfiguration
from modelscope_aams.network.fusion import cluster_centres as our_centres
from modelscope_aams.network.transfer import StyleTransfer, TransferOptions

v1 = tf.compat.v1
ROOT = pathlib.Path(__file__).parents[2]

#: Content pictures: name in scikit-image, rows, columns.
CONTENTS = {'multiple of 8': ('chelsea', 96, 128), 'odd size': ('astronaut', 133, 101)}


def photograph(name, rows, columns):
    """uint8 RGB."""
    return cv2.resize(getattr(skimage.data, name)(), (columns, rows),
                      interpolation=cv2.INTER_AREA)


@pytest.fixture(scope='module', params=CONTENTS)
def content(request):
    return photograph(*CONTENTS[request.param])


@pytest.fixture(scope='module')
def style():
    return photograph('coffee', 160, 240)


@pytest.fixture(scope='module')
def bundled():
    return read_weights(BUNDLED)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write_published_model(tmp_path_factory.mktemp('models') / 'published',
                                 smoothing=GAUSSIAN)


@pytest.fixture(scope='module')
def built_in(model):
    # It imports into the default graph, where others may have taken the names.
    with tf.Graph().as_default():
        return ImageStyleTransferPipeline(model=str(model), device='cpu')


@pytest.fixture(scope='module')
def ours():
    return pipeline('image-style-transfer')


def session_of(definition):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name='')
    return v1.Session(graph=graph)


def assert_same_picture(found, expected, bound=1.0):
    """At 99 % of the pixels no channel is off by more than ``bound`` grey levels."""
    assert found.shape == expected.shape
    difference = np.abs(found.astype(np.float64) - expected).max(axis=-1)
    assert np.mean(difference <= bound) >= 0.99


def pair(content, style):
    return {'content': content[..., ::-1], 'style': style[..., ::-1]}


@pytest.mark.parametrize('size', [(96, 128), (136, 104)])
def test_built_in_pipeline_gives_our_picture(built_in, ours, style, size):
    # Its class cuts fractions off where ours rounds. Between pictures that agree before
    # that, this alone makes one level, so the bound holds for the pictures as they are.
    given = pair(photograph('chelsea', *size), style)
    found, expected = built_in(given)['output_img'], ours(given)['output_img']
    assert found.dtype == np.uint8 and found.shape == (*size, 3)
    assert expected.std() > 20
    assert_same_picture(found, expected)


def test_built_in_pipeline_that_rounds_gives_our_picture(built_in, ours, content, style,
                                                         monkeypatch):
    # Sides that are no multiples of 8 make both pipelines resize their 8-bit pictures, which
    # adds to the difference that cutting off makes. With half a level added it rounds too.
    with built_in._session.graph.as_default():
        monkeypatch.setattr(built_in, 'output', built_in.output + 0.5)
    found = built_in(pair(content, style))['output_img']
    expected = ours(pair(content, style))['output_img']
    assert found.shape == content.shape
    assert_same_picture(found, expected)


# Logits of whitened features are large and not scaled, and enlarge float noise.
@pytest.mark.parametrize('configuration, bound', [('as shipped', 0.5), ('as in the paper', 2)])
def test_every_output_is_ours_before_rounding(bundled, content, style, configuration, bound):
    weights = bundled if configuration == 'as shipped' else Weights(
        bundled.arrays, NetworkConfiguration())
    transfer = StyleTransfer(build_network(weights))
    expected = transfer.stylize(content, transfer.prepare_style(style),
                                TransferOptions(inter_weight=0.75))
    with session_of(published_graph(weights, GAUSSIAN)) as session:
        picture, saliency, centroids = session.run(
            ['stylized_output:0', 'attention_map:0', 'centroids:0'],
            {'content:0': content, 'style:0': style, 'inter_weight:0': 0.75})
    rows, columns = (side // 8 for side in content.shape[:2])
    assert saliency.shape == (1, rows, columns, 512)
    assert np.ptp(saliency, axis=-1).max() < 1e-4
    # Noise may put single features, of 512 at a position, on the other side of the threshold.
    np.testing.assert_allclose(saliency[0, ..., 0], expected.attention_map, atol=0.01)
    assert np.abs(saliency[0, ..., 0] - expected.attention_map).mean() < 1e-3
    np.testing.assert_allclose(centroids, expected.centroids, atol=0.005)
    assert picture.shape == (1, 8 * rows, 8 * columns, 3)
    assert_same_picture(picture[0], expected.picture, bound)


def test_clusters_are_ours_where_a_value_lies_between_two_centres():
    # The first centres are 1/8, 3/8, 5/8 and 7/8.
    values = np.repeat(np.float32([0, 0.25, 0.5, 0.75, 1]), [9, 5, 3, 7, 2])
    found = cluster_centres(tf.constant(values), 4)
    np.testing.assert_allclose(found, our_centres(tf.constant(values), 4), atol=1e-6)
    np.testing.assert_allclose(found, [0, 0.25, 0.5, 0.75 + 0.25 * 2 / 9], atol=1e-6)


RUN_TWICE = """
import sys
import numpy as np
import tensorflow as tf
from benchmarks.published_graph import published_graph
from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.reading import read_weights
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.import_graph_def(published_graph(read_weights(BUNDLED)), name='')
    feed = dict(np.load(sys.argv[1]))
    np.save(sys.argv[2], [session.run('attention_map:0', feed) for _ in range(2)])
"""


def test_smoothing_is_random_as_published(content, style, tmp_path):
    # In a process of its own: where a training has run before, nothing may be random.
    np.savez(tmp_path / 'feed.npz', **{'content:0': content, 'style:0': style})
    subprocess.run([sys.executable, '-c', RUN_TWICE, tmp_path / 'feed.npz', tmp_path / 'maps.npy'],
                   check=True, cwd=ROOT)
    first, second = np.load(tmp_path / 'maps.npy')
    assert np.abs(first - second).max() > 0.01
    for saliency in first, second:
        assert saliency.min() == 0 and saliency.max() == 1


def test_our_reader_reads_the_weights_back(model, bundled):
    found = read_weights(model)
    assert set(found.arrays) == set(bundled.arrays)
    for name, array in bundled.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, err_msg=name)


def test_directory_is_like_the_official_ones(model):
    assert sorted(file.name for file in model.iterdir()) == ['configuration.json', 'tf_graph.pb']
    built = pipeline('image-style-transfer', model=str(model))
    assert type(built.model).__name__ == 'AAMSModel'
    assert built.cfg['framework'] == CONFIGURATION['framework']
