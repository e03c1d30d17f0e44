"""The exported frozen graph, in a session and in the pipeline that ModelScope has built in."""
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline

from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.export import tf_graph
from modelscope_aams.network.options import TransferOptions

v1 = tf.compat.v1


@pytest.fixture(scope='module')
def directory(export_by_command, tmp_path_factory):
    return export_by_command(tmp_path_factory.mktemp('exported') / 'model',
                             '--format', 'tf-graph')


def session_of(directory):
    """A function that runs a directory's graph on inputs by name."""
    definition = v1.GraphDef.FromString((directory / 'tf_graph.pb').read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name='')
    session = v1.Session(graph=graph)

    def run(inputs):
        return session.run(
            {name: f'{name}:0' for name in ('stylized_output', 'attention_map', 'centroids')},
            {f'{name}:0': array for name, array in inputs.items()})
    return run


def test_has_the_official_inputs_and_outputs(directory, inputs, assert_official_outputs):
    assert_official_outputs(list(map(session_of(directory), inputs)))


def test_runs_in_the_built_in_pipeline(directory, picture_files, use_elsewhere,
                                       assert_same_picture):
    module, results = use_elsewhere('plain', directory)
    assert module == 'modelscope.pipelines.cv.image_style_transfer_pipeline'
    # The plugin reads network and options out of the same directory.
    ours = pipeline('image-style-transfer', model=str(directory))
    assert type(ours).__module__ == 'modelscope_aams.plugin.pipeline'
    for number, found in enumerate(results):
        expected = ours(dict(content=str(picture_files / f'content{number}.png'),
                             style=str(picture_files / f'style{number}.png')))
        # It cuts off what is behind the point; ours rounds.
        assert_same_picture(found, expected[OutputKeys.OUTPUT_IMG].astype(int))


def test_weights_are_read_back(directory, weights):
    found = read_weights(directory)
    assert found.configuration == weights.configuration
    assert found.configuration.attention_features == 'normalised'
    assert set(found.arrays) == set(weights.arrays)
    for name, array in weights.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, err_msg=name)


def test_each_weight_is_there_once(directory):
    assert (directory / 'tf_graph.pb').stat().st_size < 31e6


def test_options_are_fixed(weights, transfer, inputs, tmp_path, assert_same_picture):
    options = TransferOptions(inter_weight=0.6, scales=(0.4,), theta=3.0)
    tf_graph.export(tmp_path / 'model', weights, options)
    found = session_of(tmp_path / 'model')(inputs[1])
    style = transfer.prepare_style(inputs[1]['style'], options.scales)
    expected = transfer.stylize(inputs[1]['content'], style, options)
    assert_same_picture(found['stylized_output'][0], expected.picture)
    np.testing.assert_allclose(found['centroids'], expected.centroids, atol=2e-3)
    assert found['centroids'].shape == (2,)
    ours = pipeline('image-style-transfer', model=str(tmp_path / 'model')).defaults
    assert (ours.scales, ours.theta) == (options.scales, options.theta)


def test_configuration_is_that_of_published_directories(directory):
    configuration = json.loads((directory / 'configuration.json').read_text())
    assert set(configuration) == {'framework', 'task', 'pipeline'}
    assert configuration['pipeline']['type'] == 'AAMS-style-transfer'
    assert sorted(pathlib.Path(directory).iterdir()) == [directory / 'configuration.json',
                                                         directory / 'tf_graph.pb']
