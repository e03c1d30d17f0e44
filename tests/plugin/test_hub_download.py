"""Models that are downloaded from a hub by every way that the client knows, and run by ours."""
import concurrent.futures
import hashlib
import json

import numpy as np
import pytest
from modelscope.hub.api import HubApi
from modelscope.hub.file_download import model_file_download
from modelscope.hub.snapshot_download import snapshot_download
from modelscope.models import Model
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

from modelscope_aams.plugin import hub
from modelscope_aams.plugin.pipeline import AAMSStyleTransferPipeline
from tests.local_hub import Fault

TASK = Tasks.image_style_transfer
ID = 'damo/cv_aams_style-transfer_damo'
CONFIGURATION = {'framework': 'tensorflow', 'task': TASK,
                 'model': {'type': 'aams', 'weights': 'aams.safetensors'},
                 'pipeline': {'type': 'AAMS-style-transfer'}}


def picture(built, content, style):
    assert isinstance(built, AAMSStyleTransferPipeline)
    return built({'content': content, 'style': style})['output_img']


@pytest.fixture
def two_revisions(local_hub, model_directory):
    """The local hub, with the bundled weights as the tag v1.0 beside ``official`` on master."""
    local_hub.publish(model_directory(CONFIGURATION), ID, 'v1.0', tag=True)
    return local_hub


def test_snapshot_then_a_directory(local_hub, hub_cache, logged, official_picture, content, style):
    directory = snapshot_download(ID)
    np.testing.assert_array_equal(
        picture(pipeline(TASK, model=directory), content, style), official_picture)
    assert not logged


@pytest.mark.parametrize('how', ['model', 'model_id'])
def test_revision(two_revisions, hub_cache, logged, how, content, style, official_picture,
                  expected):
    tagged = pipeline(TASK, **{how: ID}, model_revision='v1.0')
    np.testing.assert_array_equal(picture(tagged, content, style), expected)
    newest = pipeline(TASK, **{how: ID})
    np.testing.assert_array_equal(picture(newest, content, style), official_picture)
    assert {model.model.model_dir for model in (tagged, newest)} == {
        str(hub_cache / 'models' / ID.replace('/', '--') / 'snapshots' / name)
        for name in ('v1.0', 'master')}
    assert not logged


def test_revision_of_a_model(two_revisions, hub_cache, content, expected):
    model = Model.from_pretrained(ID, revision='v1.0')
    assert model.model_dir == hub.resolve(ID, 'v1.0').directory
    assert not two_revisions.downloads('tf_graph.pb')


@pytest.mark.parametrize('how', ['model', 'model_id'])
def test_revision_that_is_not_there(two_revisions, hub_cache, how):
    with pytest.raises(hub.HubError, match=f'{ID} .revision v2.0.: the hub {two_revisions.url} '
                                           r'does not give it .*404') as caught:
        pipeline(TASK, **{how: ID}, model_revision='v2.0')
    assert '\n' not in str(caught.value)


def test_model_of_another_name(local_hub, hub_cache, logged, official, official_picture, content,
                               style):
    local_hub.publish(official, 'somebody/aams.2')
    for how in ('model', 'model_id'):
        built = pipeline(TASK, **{how: 'somebody/aams.2'})
        np.testing.assert_array_equal(picture(built, content, style), official_picture)
    assert len(local_hub.downloads('tf_graph.pb')) == 1
    assert not logged


def test_threads_at_once(local_hub, hub_cache, logged):
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: hub.resolve(ID), range(4)))
    assert len(set(found)) == 1 and found[0].source == hub.HUB
    assert len(local_hub.downloads('tf_graph.pb')) == 1
    assert not logged


def test_update(local_hub, hub_cache, logged, official, model_directory, monkeypatch):
    first = hub.resolve(ID)
    changed = model_directory(CONFIGURATION)
    (changed / 'doc').mkdir()
    (changed / 'doc' / 'card.md').write_text('a card')
    local_hub.publish(changed, ID)
    monkeypatch.setattr(hub, '_resolved', {})
    assert hub.resolve(ID) == first
    for path in ('configuration.json', 'aams.safetensors', 'doc/card.md'):
        with open(f'{first.directory}/{path}', 'rb') as file:
            assert file.read() == (changed / path).read_bytes()
    local_hub.close()
    monkeypatch.setattr(hub, '_resolved', {})
    assert hub.resolve(ID) == (first.directory, hub.CACHE)


def test_update_asks_for_what_changed_alone(local_hub, hub_cache, official, tmp_path, monkeypatch):
    hub.resolve(ID)
    changed = tmp_path / 'changed'
    changed.mkdir()
    (changed / 'tf_graph.pb').symlink_to(official / 'tf_graph.pb')
    (changed / 'configuration.json').write_text(
        json.dumps({**CONFIGURATION, 'model': {'weights': 'tf_graph.pb'}}))
    local_hub.publish(changed, ID)
    monkeypatch.setattr(hub, '_resolved', {})
    assert hub.resolve(ID).source == hub.HUB
    assert len(local_hub.downloads('tf_graph.pb')) == 1
    assert len(local_hub.downloads('configuration.json')) == 2


def test_download_that_broke_off_once_is_resumed(local_hub, hub_cache, official, logged):
    local_hub.fail('tf_graph.pb', Fault.BREAKS_OFF, times=1)
    directory = hub.resolve(ID).directory
    with open(f'{directory}/tf_graph.pb', 'rb') as file:
        assert file.read() == (official / 'tf_graph.pb').read_bytes()
    assert len(local_hub.downloads('tf_graph.pb')) == 2
    assert local_hub.resumed == ['tf_graph.pb']
    assert not logged


def test_local_hub_is_one_to_the_client(two_revisions, hub_cache, official):
    """What the tests' own hub answers is what the client understands."""
    api = HubApi()
    assert api.get_model(ID)['Owner'] == 'damo' and api.repo_exists(ID)
    assert not api.repo_exists('damo/nothing')
    assert api.get_model_branches_and_tags(ID) == (['master'], ['v1.0'])
    assert api.get_valid_revision(ID) == 'master'
    assert api.get_valid_revision(ID, revision='v1.0') == 'v1.0'
    listed = {file.path: file for file in api.list_repo_files(ID, 'model', revision='master')}
    assert set(listed) == {'configuration.json', 'tf_graph.pb'}
    graph = (official / 'tf_graph.pb').read_bytes()
    assert listed['tf_graph.pb'].size == len(graph)
    assert listed['tf_graph.pb'].sha256 == hashlib.sha256(graph).hexdigest()
    # Without a revision the client takes the newest tag.
    tagged = model_file_download(ID, 'configuration.json')
    assert json.loads(open(tagged).read()) == CONFIGURATION and '/v1.0/' in tagged
    with pytest.raises(Exception, match='404'):
        snapshot_download(ID, revision='v9')
