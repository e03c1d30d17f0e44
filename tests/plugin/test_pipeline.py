"""The pipeline by every way to build and to call it."""
import io
import json
import pathlib
import shutil

import cv2
import numpy as np
import pytest
from modelscope.models import Model
from modelscope.msdatasets import MsDataset
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.pipelines.cv.image_style_transfer_pipeline import ImageStyleTransferPipeline
from modelscope.preprocessors import Preprocessor
from PIL import Image

from modelscope_aams.network.preprocess import finish, prepare_content
from modelscope_aams.network.options import TransferOptions
from modelscope_aams.plugin.model import AAMSModel
from modelscope_aams.plugin.pipeline import AAMSStyleTransferPipeline, enlarge
from modelscope_aams.plugin.preprocessor import AAMSPreprocessor

TASK = 'image-style-transfer'
ROOT = pathlib.Path(__file__).parents[2]
CONFIGURATION = {'framework': 'tensorflow', 'task': TASK,
                 'model': {'type': 'aams', 'weights': 'aams.safetensors'},
                 'pipeline': {'type': 'AAMS-style-transfer'}}


def picture(result):
    return result[OutputKeys.OUTPUT_IMG]


@pytest.fixture
def files(tmp_path, content, style):
    """Content and style as lossless files."""
    paths = tmp_path / 'content.png', tmp_path / 'style.png'
    for path, array in zip(paths, (content, style)):
        assert cv2.imwrite(str(path), array)
    return paths


def test_picture_is_the_networks(bundled, content, style, expected):
    transfer = bundled.model.transfer
    prepared = prepare_content(content[..., ::-1])
    stylized = transfer.stylize(prepared.picture, transfer.prepare_style(style[..., ::-1]))
    np.testing.assert_array_equal(expected, finish(stylized.picture, prepared))
    assert expected.dtype == np.uint8 and expected.shape == content.shape
    assert expected.std() > 1


def test_content_and_style_apart(bundled, content, style, expected):
    np.testing.assert_array_equal(picture(bundled(content, style=style)), expected)
    np.testing.assert_array_equal(picture(bundled(content, style)), expected)
    np.testing.assert_array_equal(picture(bundled({'content': content}, style=style)), expected)


@pytest.mark.parametrize('form', ['path', 'pathlib', 'bytes', 'PIL', 'palette', 'float'])
def test_forms_of_pictures(bundled, files, content, style, expected, form):
    forms = {'path': lambda path, array: str(path),
             'pathlib': lambda path, array: path,
             'bytes': lambda path, array: path.read_bytes(),
             'PIL': lambda path, array: Image.open(path),
             'palette': lambda path, array: Image.open(path).convert('RGBA'),
             'float': lambda path, array: array.astype(np.float32)}
    found = [forms[form](*pair) for pair in zip(files, (content, style))]
    np.testing.assert_array_equal(picture(bundled(*found)), expected)


def test_urls(bundled, picture_server, files, expected):
    server = picture_server(files[0].parent)
    found = bundled({'content': f'{server}/content.png', 'style': f'{server}/style.png?a=b://c'})
    np.testing.assert_array_equal(picture(found), expected)


def test_grey_pictures(bundled, content, style):
    grey = content[..., 0]
    found = picture(bundled(grey, style))
    assert found.shape == content.shape
    np.testing.assert_array_equal(
        found, picture(bundled(np.repeat(grey[..., None], 3, axis=2), style)))
    np.testing.assert_array_equal(found, picture(bundled(Image.fromarray(grey), style)))


@pytest.fixture(scope='module')
def pairs(content, style):
    """Inputs of different sizes."""
    return [{'content': content, 'style': style}, {'content': content[:40], 'style': style},
            {'content': style, 'style': content}]


@pytest.fixture(scope='module')
def pictures(bundled, pairs):
    """What one call for each of the pairs gives."""
    return [picture(bundled(pair)) for pair in pairs]


@pytest.mark.parametrize('batch_size', [None, 1, 2, 5])
def test_lists(bundled, pairs, pictures, batch_size):
    found = bundled(pairs, batch_size=batch_size)
    assert len(found) == len(pairs)
    for result, expected in zip(found, pictures):
        np.testing.assert_array_equal(picture(result), expected)


@pytest.mark.parametrize('batch_size', [None, 2])
def test_list_of_contents_with_one_style(bundled, content, style, batch_size, expected):
    for found in (bundled([content, content[:40]], style=style, batch_size=batch_size),
                  bundled([content, content[:40]], style, batch_size=batch_size)):
        np.testing.assert_array_equal(picture(found[0]), expected)
        assert picture(found[1]).shape == (40, 64, 3)


def test_options_reach_every_item_of_a_batch(bundled, pairs):
    for result in bundled(pairs, batch_size=2, return_attention_map=True, max_length=50):
        assert result['attention_map'].shape == picture(result).shape[:2]


def test_ms_dataset(bundled, files, expected):
    from datasets import Dataset
    rows = Dataset.from_dict({name: [str(path)] * 2 for name, path in
                              zip(('content', 'style'), files)} | {'label': [0, 1]})
    found = list(bundled(MsDataset(rows)))
    assert len(found) == 2
    for result in found:
        np.testing.assert_array_equal(picture(result), expected)


def test_attention_map_and_stroke_weights(bundled, content, style, expected):
    assert set(bundled(content, style)) == {OutputKeys.OUTPUT_IMG}
    found = bundled(content, style, return_attention_map=True, return_stroke_weights=True)
    np.testing.assert_array_equal(picture(found), expected)
    attention, weights = found['attention_map'], found['stroke_weights']
    assert attention.dtype == weights.dtype == np.float32
    assert attention.shape == content.shape[:2]
    assert 0 <= attention.min() < attention.max() <= 1
    assert weights.shape == (*content.shape[:2], 4)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-5)
    assert bundled(content, style, scales=[0.5], return_stroke_weights=True)[
        'stroke_weights'].shape == (*content.shape[:2], 2)


def test_maps_lie_where_the_picture_does():
    content = prepare_content(np.zeros((16, 64, 3), np.uint8))
    assert content.picture.shape == (32, 64, 3)
    values = np.zeros((4, 8), np.float32)
    values[:2, 4:] = 1  # The lower half is extension of the content.
    found = enlarge(values, content)
    assert found.shape == (16, 64)
    np.testing.assert_allclose(found[:, 40:], 1)
    np.testing.assert_allclose(found[:, :24], 0)


def test_options_of_a_call(bundled, content, style, expected):
    plain = picture(bundled(content, style, inter_weight=0))
    assert np.abs(plain.astype(int) - expected).mean() > 1
    transfer = bundled.model.transfer
    prepared = prepare_content(content[..., ::-1], 40)
    options = TransferOptions(0.5, (0.5, 0.9), 3.)
    stylized = transfer.stylize(prepared.picture, transfer.prepare_style(
        style[..., ::-1], options.scales), options)
    found = bundled(content, style, inter_weight=0.5, scales=[0.5, 0.9], theta=3, max_length=40)
    np.testing.assert_array_equal(picture(found), finish(stylized.picture, prepared))
    # What one call was told the next does not know.
    np.testing.assert_array_equal(picture(bundled(content, style)), expected)


def test_max_length(bundled, style):
    large = cv2.resize(style, (840, 64))
    assert picture(bundled(large, style)).shape == large.shape
    full = picture(bundled(large, style, max_length=None))
    assert full.shape == large.shape
    assert np.any(full != picture(bundled(large, style)))


def test_defaults_from_configuration_and_constructor(model_directory, content, style, bundled):
    directory = model_directory({**CONFIGURATION, 'pipeline': {
        'type': 'AAMS-style-transfer', 'inter_weight': 0.5, 'max_length': 40, 'scales': [0.5]}})
    configured = pipeline(TASK, model=str(directory))
    told = {'inter_weight': 0.5, 'max_length': 40, 'scales': [0.5]}
    np.testing.assert_array_equal(picture(configured(content, style)),
                                  picture(bundled(content, style, **told)))
    # The constructor's word goes before the file's, and a call's before both.
    built = pipeline(TASK, model=configured.model, inter_weight=0.2, return_attention_map=True)
    found = built(content, style, scales=[1.0])
    told.update(inter_weight=0.2, scales=[1.0])
    np.testing.assert_array_equal(picture(found), picture(bundled(content, style, **told)))
    assert 'attention_map' in found


@pytest.mark.parametrize('trust', [False, True])
def test_repository_is_a_model_directory(trust, content, style, expected):
    built = pipeline(TASK, model=str(ROOT), trust_remote_code=trust)
    assert isinstance(built, AAMSStyleTransferPipeline)
    np.testing.assert_array_equal(picture(built(content, style)), expected)


def test_directory_as_a_path(model_directory, content, style, expected):
    directory = model_directory(CONFIGURATION)
    built = pipeline(TASK, model_id=directory)
    assert built.model.model_dir == str(directory)
    np.testing.assert_array_equal(picture(built(content, style)), expected)


def test_model_objects(bundled, content, style, expected):
    for model in (bundled.model, Model.from_pretrained(bundled.model.model_dir),
                  AAMSModel(bundled.model.model_dir)):
        built = pipeline(TASK, model=model)
        assert built.model is model
        np.testing.assert_array_equal(picture(built(content, style)), expected)


def test_model_and_preprocessor_by_themselves(bundled, content, style, expected):
    directory = bundled.model.model_dir
    model, preprocessor = Model.from_pretrained(directory), Preprocessor.from_pretrained(directory)
    assert isinstance(model, AAMSModel) and isinstance(preprocessor, AAMSPreprocessor)
    result = model(preprocessor({'content': content, 'style': style}))
    np.testing.assert_array_equal(finish(result['stylized'].picture, result['content']), expected)


def test_preprocessor_of_the_caller(bundled, content, style, expected):
    class Swapped(AAMSPreprocessor):
        def __call__(self, content, style=None, **options):
            return super().__call__(style, content, **options)

    built = pipeline(TASK, model=bundled.model, preprocessor=Swapped())
    np.testing.assert_array_equal(picture(built(style, content)), expected)


def test_published_directory(official, official_picture, content, style, expected, logged):
    built = pipeline(TASK, model=str(official))
    assert isinstance(built, AAMSStyleTransferPipeline)
    assert not logged
    found = picture(built(content, style))
    np.testing.assert_array_equal(found, official_picture)
    assert found.mean() < expected.mean() - 5


def test_graph_of_another_layout_runs_as_before(foreign, logged, content, style):
    built = pipeline(TASK, model=str(foreign))
    assert type(built) is ImageStyleTransferPipeline
    assert 'not the official layout' in logged[0] and str(foreign) in logged[0]
    found = picture(built({'content': content, 'style': style}))
    assert found.dtype == np.uint8
    lightened = np.clip(content * 0.5 + style.mean(), 0, 255)
    np.testing.assert_allclose(found, lightened, atol=1)
    np.testing.assert_array_equal(picture(built(content, style=style)), found)


def test_graphs_of_other_layouts_do_not_mix(foreign, tmp_path, content, style):
    """Two in one process: each pipeline runs its own."""
    import tensorflow as tf
    graph = tf.compat.v1.GraphDef.FromString((foreign / 'tf_graph.pb').read_bytes())
    half, = (node for node in graph.node if node.name == 'decoder/other/weights')
    half.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(0.25))
    directory = shutil.copytree(foreign, tmp_path / 'darker')
    (directory / 'tf_graph.pb').write_bytes(graph.SerializeToString())
    both = [pipeline(TASK, model=str(model)) for model in (foreign, directory)]
    for built, factor in zip(both, (0.5, 0.25)):
        np.testing.assert_allclose(
            picture(built({'content': content, 'style': style})),
            np.clip(content * factor + style.mean(), 0, 255), atol=1)


def test_weights_of_a_model_directory_are_found(model_directory, content, style, expected):
    directory = model_directory({**CONFIGURATION, 'model': {'type': 'aams'}}, 'any.safetensors')
    np.testing.assert_array_equal(
        picture(pipeline(TASK, model=str(directory))(content, style)), expected)


def test_inputs_stay_as_they_were(bundled, content, style):
    pair = {'content': content.copy(), 'style': style.copy()}
    bundled(pair, max_length=50)
    np.testing.assert_array_equal(pair['content'], content)
    np.testing.assert_array_equal(pair['style'], style)


def test_exif_orientation(bundled, content, style):
    stream = io.BytesIO()
    image = Image.fromarray(content)
    image.getexif()[0x0112] = 6
    image.save(stream, 'JPEG', exif=image.getexif())
    assert picture(bundled(stream.getvalue(), style)).shape == (64, 48, 3)


def test_configurations_are_alike():
    """The repository's own and the bundled model's differ in where the weights lie."""
    ours, bundled = (json.loads((ROOT / path).read_text()) for path in (
        'configuration.json', 'modelscope_aams/bundled/configuration.json'))
    ours['model']['weights'] = ours['model']['weights'].rpartition('/')[2]
    assert ours == bundled
