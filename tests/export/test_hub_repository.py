"""The repository for a hub: what is in it, and who runs what of it."""
import json
import re

import cv2
import numpy as np
import pytest
import yaml
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.layout import Weights
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.export import hub
from modelscope_aams.network.options import TransferOptions
from tests.local_hub import LocalHub

MODEL_ID = 'somebody/aams-of-mine'


@pytest.fixture(scope='module')
def repository(export_by_command, tmp_path_factory):
    return export_by_command(tmp_path_factory.mktemp('exported') / 'repository',
                             '--format', 'hub', '--model-id', MODEL_ID)


@pytest.fixture(scope='module')
def card(repository):
    """Front matter and body of the model card."""
    _, front, body = (repository / 'README.md').read_text(encoding='utf-8').split('---\n', 2)
    return yaml.safe_load(front), body


def test_holds_all_that_a_hub_needs_and_no_code(repository):
    names = {path.relative_to(repository).as_posix() for path in repository.rglob('*')
             if path.is_file()}
    assert {'configuration.json', 'README.md', 'aams.safetensors', 'tf_graph.pb',
            'examples/overview.jpg'} <= names
    assert not [name for name in names if not name.startswith('examples/')
                and not name.endswith(('.json', '.md', '.safetensors', '.pb'))]
    configuration = json.loads((repository / 'configuration.json').read_text())
    # Neither plugins nor allow_remote, nor a class that ModelScope does not have.
    assert set(configuration) == {'framework', 'task', 'pipeline'}
    assert (configuration['framework'], configuration['task']) == (
        'tensorflow', Tasks.image_style_transfer)
    assert (repository / 'aams.safetensors').read_bytes() == (
        BUNDLED / 'aams.safetensors').read_bytes()


def test_graph_and_weights_are_of_one_network(repository):
    graph, native = (read_weights(repository / name)
                     for name in ('tf_graph.pb', 'aams.safetensors'))
    assert graph.configuration == native.configuration
    for name, array in native.arrays.items():
        np.testing.assert_array_equal(graph.arrays[name], array, err_msg=name)


def test_front_matter(card, repository):
    front, _ = card
    assert front['tasks'] == [Tasks.image_style_transfer]
    assert front['frameworks'] == ['tensorflow']
    assert front['license'] == 'Apache License 2.0'
    assert set(front['language']) == {'en', 'zh'}
    assert {'AAMS', '风格迁移'} <= set(front['tags'])
    widget, = front['widgets']
    assert widget['task'] == Tasks.image_style_transfer
    inputs = ['content', 'style']
    assert [(entry['name'], entry['type']) for entry in widget['inputs']] == [
        (name, 'image') for name in inputs]
    assert widget['examples']
    for example in widget['examples']:
        assert [entry['name'] for entry in example['inputs']] == inputs
        for entry in example['inputs']:
            path = repository / entry['data'].removeprefix('git://')
            assert cv2.imread(str(path)).shape[2] == 3


def test_card_is_in_both_languages(card, repository):
    _, body = card
    assert body.count('$') == 0
    headings = re.findall('^# (.*)$', body, re.M)
    assert headings == ['注意力感知多笔触风格迁移', 'Attention-aware multi-stroke style transfer']
    chinese, english = body.split('# Attention-aware')
    for text in (chinese, english):
        assert f"model='{MODEL_ID}'" in text and 'CC BY 4.0' in text
        for picture in re.findall(r'!\[.*?\]\((.*?)\)', text):
            assert cv2.imread(str(repository / picture)) is not None
    # The links at the top lead to the two headings.
    for anchor in re.findall(r'\]\(#(.*?)\)', body):
        assert anchor in [heading.lower().replace(' ', '-') for heading in headings]


def test_code_of_the_card_runs(card, repository, picture_files, tmp_path, monkeypatch):
    snippets = re.findall('```python\n(.*?)```', card[1], re.S)
    assert len(snippets) == 2 and snippets[0] == snippets[1]
    for name in ('content', 'style'):
        picture = cv2.imread(str(picture_files / f'{name}0.png'))
        cv2.imwrite(str(tmp_path / f'{name}.jpg'), picture)
    monkeypatch.chdir(tmp_path)
    exec(snippets[0].replace(MODEL_ID, str(repository)), {})
    assert cv2.imread('result.png').shape == cv2.imread('content.jpg').shape


@pytest.fixture(params=['directory', 'hub'])
def published(request, repository, tmp_path):
    """What a user names the repository by, and the environment that it takes."""
    if request.param == 'directory':
        yield repository, {}
        return
    served = LocalHub()
    served.publish(repository, MODEL_ID)
    yield MODEL_ID, {'MODELSCOPE_ENDPOINT': served.url, 'MODELSCOPE_CACHE': str(tmp_path / 'hub')}
    served.close()
    assert served.downloads('README.md')


def test_runs_with_the_plugin_and_without(published, picture_files, use_elsewhere,
                                          assert_same_picture):
    model, environment = published
    with_plugin, ours = use_elsewhere('plugin', model, **environment)
    without, theirs = use_elsewhere('plain', model, **environment)
    assert with_plugin == 'modelscope_aams.plugin.pipeline'
    assert without == 'modelscope.pipelines.cv.image_style_transfer_pipeline'
    bundled = pipeline(Tasks.image_style_transfer)
    for number in range(2):
        expected = bundled(dict(content=str(picture_files / f'content{number}.png'),
                                style=str(picture_files / f'style{number}.png')))['output_img']
        np.testing.assert_array_equal(ours[number], expected)
        # It cuts off what is behind the point; ours rounds.
        assert_same_picture(theirs[number], expected.astype(int))


def test_own_weights_and_options(weights, tmp_path):
    name = 'decoder/inv_conv1_1/conv2d/bias'
    # A value between those of float16, as training gives them.
    arrays = {**weights.arrays, name: weights.arrays[name] + np.float32(1 / 3)}
    hub.export(tmp_path / 'mine', Weights(arrays, weights.configuration),
               TransferOptions(scales=(0.4, 1), theta=3))
    card = (tmp_path / 'mine' / 'README.md').read_text(encoding='utf-8')
    assert "model='OWNER/mine'" in card and '(0.4, 1)' in card and '| 3 |' in card
    assert 'WikiArt' not in card and "this repository's owner" in card
    found = [read_weights(tmp_path / 'mine' / file).arrays[name]
             for file in ('aams.safetensors', 'tf_graph.pb')]
    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], weights.arrays[name])
