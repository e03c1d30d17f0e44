"""Models by a hub's id: from the hub, from its client's cache, or by the bundled weights."""
import shutil
import socket

import numpy as np
import pytest
from modelscope.models import Model
from modelscope.pipelines import pipeline
from modelscope.preprocessors import Preprocessor

from modelscope_aams.plugin import hub

TASK = 'image-style-transfer'
ID = 'damo/cv_aams_style-transfer_damo'


@pytest.fixture(params=['model', 'model_id'])
def how(request):
    """The keyword by which a pipeline is told its model."""
    return request.param


@pytest.mark.parametrize('model_id', hub.HUB_IDS)
def test_bundled_weights_stand_in(hub_cache, logged, how, model_id):
    assert pipeline(TASK, **{how: model_id}).model.model_dir == hub.BUNDLED_DIRECTORY
    warning, = logged
    assert model_id in warning and 'cannot be reached' in warning and 'bundled' in warning
    pipeline(TASK, **{how: model_id})
    assert len(logged) == 1
    assert not list(hub_cache.iterdir())


def test_picture_of_the_stand_in(hub_cache, content, style, expected):
    found = pipeline(TASK, model=ID)({'content': content, 'style': style})
    np.testing.assert_array_equal(found['output_img'], expected)


def test_pipeline_without_an_id_asks_no_hub(hub_cache, logged, monkeypatch):
    monkeypatch.setattr(hub, 'resolve', None)
    pipeline(TASK)
    assert not logged


@pytest.mark.parametrize('arguments', [{}, {'model': ID}, {'model_id': ID}])
def test_pipeline_by_its_name(hub_cache, arguments):
    built = pipeline(TASK, pipeline_name='AAMS-style-transfer', **arguments)
    assert built.model.model_dir == hub.BUNDLED_DIRECTORY


def test_model_and_preprocessor_from_an_id(hub_cache, content):
    assert Model.from_pretrained(ID).model_dir == hub.BUNDLED_DIRECTORY
    style, = Preprocessor.from_pretrained(ID)(content, content)['styles']
    assert style.shape == content.shape


def test_cached_copy(cached, logged, official, official_picture, content, style, how):
    snapshot = cached(official, ID)
    built = pipeline(TASK, **{how: ID})
    np.testing.assert_array_equal(built(content, style)['output_img'], official_picture)
    warning, = logged
    assert 'cannot be reached' in warning and str(snapshot) in warning


def test_cached_copy_of_an_older_client(hub_cache, official):
    shutil.copytree(official, hub_cache / 'models' / ID)
    assert hub.resolve(ID) == (str(hub_cache / 'models' / ID), hub.CACHE)


def test_cached_revision(cached, official):
    snapshot = cached(official, ID, revision='v1.0')
    assert hub.resolve(ID, 'v1.0') == (str(snapshot), hub.CACHE)
    assert hub.resolve(ID, 'v2.0').source == hub.BUNDLED
    # The only copy there is will do where no revision is asked for.
    assert hub.resolve(ID) == (str(snapshot), hub.CACHE)


@pytest.mark.parametrize('only', ['configuration.json', 'tf_graph.pb'])
def test_half_a_copy_is_none(cached, official, only):
    cached(official, ID, only=[only])
    assert hub.resolve(ID).source == hub.BUNDLED


def test_copy_without_the_weights_it_names_is_half(cached, official):
    configuration = '{"pipeline": {"type": "AAMS-style-transfer"}, "model": {"weights": "w/a.pb"}}'
    snapshot = cached(official, ID, only=['tf_graph.pb'])
    (snapshot / 'configuration.json').write_text(configuration)
    assert hub.resolve(ID).source == hub.BUNDLED
    (snapshot / 'w').mkdir()
    (snapshot / 'tf_graph.pb').rename(snapshot / 'w' / 'a.pb')
    hub._resolved.clear()
    assert hub.resolve(ID) == (str(snapshot), hub.CACHE)


@pytest.mark.parametrize('content', ['', '[]', '5', '{"pipeline": 3}', '{"pipeline": {}}'])
def test_cached_copies_with_odd_configurations(cached, official, content):
    snapshot = cached(official, 'somebody/odd')
    (snapshot / 'configuration.json').write_text(content)
    assert hub.local_copy('somebody/odd') is None


def test_cached_copy_of_another_model(cached, logged, official, how):
    snapshot = cached(official, 'somebody/aams-of-mine')
    assert pipeline(TASK, **{how: 'somebody/aams-of-mine'}).model.model_dir == str(snapshot)
    assert len(logged) == 1


def test_other_models_are_left_to_modelscope(cached, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'configuration.json').write_text('{"pipeline": {"type": "another"}}')
    (other / 'tf_graph.pb').write_bytes(b'graph')
    cached(other, 'somebody/another')
    for name in ('somebody/another', 'somebody/unknown', 'a/b/c', 'name', '', None, 5, ['a/b'],
                 str(other)):
        assert hub.local_copy(name) is None


def test_unknown_model(hub_cache):
    with pytest.raises(FileNotFoundError, match='nobody/nothing.*be reached.*cache') as caught:
        pipeline(TASK, model_id='nobody/nothing')
    assert '\n' not in str(caught.value)


def test_hub_is_used_where_it_answers(local_hub, hub_cache, logged, official_picture, content,
                                      style, how):
    built = pipeline(TASK, **{how: ID})
    np.testing.assert_array_equal(built(content, style)['output_img'], official_picture)
    assert not logged
    assert hub.resolve(ID).source == hub.HUB
    assert len(local_hub.downloads('tf_graph.pb')) == 1
    asked = len(local_hub.requested)
    # The process keeps what it found out, but for who is the publisher.
    pipeline(TASK, **{how: ID})
    assert all('/openapi/' in request for request in local_hub.requested[asked:])


def test_hub_that_is_gone_again(local_hub, hub_cache, monkeypatch):
    directory = hub.resolve(ID).directory
    local_hub.close()
    monkeypatch.setattr(hub, '_resolved', {})
    assert hub.resolve(ID) == (directory, hub.CACHE)


def test_cached_copy_where_the_client_cannot_write(local_hub, cached, official, hub_client,
                                                   tmp_path, logged):
    """As in a container whose user has no home: the client cannot ask a hub at all."""
    (tmp_path / 'file').touch()
    hub_client('MODELSCOPE_HOME', str(tmp_path / 'file' / 'home'))
    snapshot = cached(official, ID)
    assert hub.resolve(ID) == (str(snapshot), hub.CACHE)
    local_hub.close()
    hub._resolved.clear()
    assert hub.resolve(ID) == (str(snapshot), hub.CACHE)
    assert len(logged) == 2
    assert 'Not a directory' in logged[0] and 'cannot be reached' in logged[1]


@pytest.mark.parametrize('model_id, revision', [('nobody/nothing', None), (ID, 'v9')])
def test_hub_without_the_model(local_hub, hub_cache, model_id, revision):
    with pytest.raises(hub.HubError, match=f'{model_id}.*{local_hub.url}.*404') as caught:
        hub.resolve(model_id, revision)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('answer', [(b'<html>log in</html>', 200), (b'forbidden', 403)])
def test_something_else_in_place_of_a_hub(local_hub, cached, official, monkeypatch, logged,
                                          answer):
    monkeypatch.setattr(local_hub.RequestHandlerClass, 'do_GET',
                        lambda request: request._answer(*answer))
    snapshot = cached(official, ID)
    assert hub.resolve(ID) == (str(snapshot), hub.CACHE)
    shutil.rmtree(snapshot)
    hub._resolved.clear()
    assert hub.resolve(ID).source == hub.BUNDLED
    assert len(logged) == 2
    assert all(f'the hub {local_hub.url} does not give it' in warning for warning in logged)
    assert str(snapshot) in logged[0] and 'bundled' in logged[1]


def test_hub_that_says_nothing(hub_cache, hub_client, monkeypatch):
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        hub_client('MODELSCOPE_ENDPOINT', f'http://127.0.0.1:{silent.getsockname()[1]}')
        monkeypatch.setattr(hub, 'PATIENCE', 1)
        assert hub.resolve(ID).source == hub.BUNDLED
        # Asked once, and not by the client, which would try for minutes.
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_gateway_in_place_of_a_hub(local_hub, hub_cache, monkeypatch):
    monkeypatch.setattr(local_hub.RequestHandlerClass, 'do_HEAD',
                        lambda request: request._answer(b'', 502))
    assert hub.resolve(ID).source == hub.BUNDLED
    assert local_hub.requested == []
