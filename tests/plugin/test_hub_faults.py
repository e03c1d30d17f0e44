"""A hub that delivers something damaged, or not all: what is said, and what is taken for whole."""
import json
import os
import shutil

import pytest
from modelscope.hub.snapshot_download import snapshot_download
from modelscope.pipelines import pipeline

from modelscope_aams.plugin import hub
from tests.local_hub import Fault

TASK = 'image-style-transfer'
ID, OTHER = 'damo/cv_aams_style-transfer_damo', 'somebody/aams'

#: What the error says of a file, by what is wrong with it.
REASONS = {Fault.WRONG_BYTES: 'Hash mismatch',
           Fault.BREAKS_OFF: 'the connection broke off or timed out',
           Fault.MISSING: '404',
           Fault.SERVER_ERROR: '500'}
FILES = ('configuration.json', 'tf_graph.pb', 'README.md')


@pytest.fixture
def repository(local_hub, official, tmp_path):
    """A model on the hub, by two names, with one file more than running it takes."""
    directory = tmp_path / 'repository'
    shutil.copytree(official, directory)
    (directory / 'README.md').write_text('# A model card\n' * 20)
    for model_id in (ID, OTHER):
        local_hub.publish(directory, model_id)
    return directory


@pytest.fixture
def updated(repository):
    """Makes the hub's model another: of two files, each of another content and the same size."""
    def update():
        for name in ('tf_graph.pb', 'README.md'):
            content = (repository / name).read_bytes()
            (repository / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return update


@pytest.fixture
def forget(monkeypatch):
    """Makes this process know as little of hubs as a fresh one."""
    return lambda: monkeypatch.setattr(hub, '_resolved', {})


def refused(model_id, kind=hub.HubError):
    with pytest.raises(kind) as caught:
        hub.resolve(model_id)
    message = str(caught.value)
    assert '\n' not in message and message.startswith(model_id)
    return message


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('fault', REASONS)
def test_damaged_delivery(repository, local_hub, hub_cache, forget, logged, fault, name):
    local_hub.fail(name, fault)
    message = refused(ID)
    assert local_hub.url in message and f'{name}: ' in message and REASONS[fault] in message
    assert 'no whole copy is in the cache' in message
    # What was left behind is a whole model to nobody.
    snapshots = hub_cache / 'models' / ID.replace('/', '--') / 'snapshots' / 'master'
    left = {path.name for path in snapshots.iterdir()}
    assert left - {f'{name}.incomplete'} == set(FILES) - {name}
    local_hub.withdraw(ID)
    assert hub.resolve(ID).source == hub.BUNDLED
    forget()
    local_hub.publish(repository, ID)
    local_hub.repair()
    whole = hub.resolve(ID)
    assert whole == (str(snapshots), hub.HUB)
    assert {path.name: path.read_bytes() for path in snapshots.iterdir()} == {
        name: (repository / name).read_bytes() for name in FILES}
    warning, = logged
    assert 'bundled' in warning


def test_many_damaged_files(repository, local_hub, hub_cache):
    for number in range(5):
        (repository / f'{number}.txt').write_text('text')
        local_hub.fail(f'{number}.txt', Fault.MISSING)
    message = refused(ID)
    assert message.count('.txt: ') == 3 and 'and 2 more files' in message


@pytest.mark.parametrize('how', ['model', 'model_id'])
@pytest.mark.parametrize('model_id', [ID, OTHER])
def test_pipeline_of_a_damaged_delivery(repository, local_hub, hub_cache, logged, model_id, how):
    local_hub.fail('tf_graph.pb', Fault.BREAKS_OFF)
    with pytest.raises(hub.HubError, match=f'{model_id} .*{local_hub.url}.*tf_graph.pb: the '
                                           'connection broke off') as caught:
        pipeline(TASK, **{how: model_id})
    assert '\n' not in str(caught.value)
    local_hub.repair()
    assert pipeline(TASK, **{how: model_id}).model.model_dir.startswith(str(hub_cache))
    assert not logged


@pytest.mark.parametrize('name', FILES)
def test_half_a_download_without_a_hub(repository, local_hub, hub_cache, forget, name):
    local_hub.fail(name, Fault.MISSING)
    refused(OTHER)
    local_hub.close()
    assert 'no whole copy is in the cache' in refused(OTHER, FileNotFoundError)
    # Whoever puts in what was missing has a whole copy.
    snapshots = hub_cache / 'models' / OTHER.replace('/', '--') / 'snapshots' / 'master'
    shutil.copy(repository / name, snapshots)
    assert hub.resolve(OTHER) == (str(snapshots), hub.CACHE)


def test_download_that_was_killed(repository, local_hub, hub_cache, monkeypatch):
    """The client was stopped after any number of files: nothing tells that some are missing."""
    def killed(*args, **kwargs):
        if kwargs.get('local_files_only'):
            return snapshot_download(*args, **kwargs)
        snapshot_download(*args, **kwargs, allow_patterns=['tf_graph.pb', 'configuration.json'])
        raise KeyboardInterrupt
    monkeypatch.setattr(hub.snapshot, 'snapshot_download', killed)
    with pytest.raises(KeyboardInterrupt):
        hub.resolve(OTHER)
    monkeypatch.undo()
    local_hub.close()
    refused(OTHER, FileNotFoundError)


@pytest.mark.parametrize('fault', REASONS)
def test_whole_copy_outlives_a_damaged_update(repository, updated, local_hub, hub_cache, forget,
                                              logged, fault):
    directory, _ = hub.resolve(ID)
    graph = (repository / 'tf_graph.pb').read_bytes()
    updated()
    local_hub.fail('tf_graph.pb', fault)
    forget()
    assert hub.resolve(ID) == (directory, hub.CACHE)
    warning, = logged
    assert 'the copy in the cache' in warning and REASONS[fault] in warning
    with open(f'{directory}/tf_graph.pb', 'rb') as file:
        assert file.read() == graph
    assert [path.name for path in (hub_cache / hub.snapshot.LISTINGS).iterdir()
            if path.is_dir()] == []
    local_hub.repair()
    forget()
    assert hub.resolve(ID) == (directory, hub.HUB)
    with open(f'{directory}/tf_graph.pb', 'rb') as file:
        assert file.read() == (repository / 'tf_graph.pb').read_bytes()
    assert len(logged) == 1


def test_update_by_another_client(repository, updated, local_hub, hub_cache, forget):
    directory, _ = hub.resolve(OTHER)
    updated()
    assert snapshot_download(OTHER) == directory
    local_hub.close()
    forget()
    assert hub.resolve(OTHER) == (directory, hub.CACHE)


def test_update_that_was_killed(repository, updated, local_hub, hub_cache, forget, monkeypatch):
    """It had put the new files of the model in place in part."""
    def killed(source, target):
        replace(source, target)
        if os.path.dirname(target) == directory:
            raise KeyboardInterrupt
    directory, _ = hub.resolve(OTHER)
    updated()
    forget()
    replace = os.replace
    with monkeypatch.context() as patched:
        patched.setattr(hub.snapshot.os, 'replace', killed)
        with pytest.raises(KeyboardInterrupt):
            hub.resolve(OTHER)
    local_hub.withdraw(OTHER)
    refused(OTHER)
    local_hub.publish(repository, OTHER)
    assert hub.resolve(OTHER) == (directory, hub.HUB)


@pytest.mark.parametrize('name', ['tf_graph.pb', 'configuration.json'])
def test_damage_in_the_cache(repository, local_hub, hub_cache, forget, name):
    directory, _ = hub.resolve(OTHER)
    with open(f'{directory}/{name}', 'r+b') as file:
        file.truncate(100)
    forget()
    # With the hub there, it is mended.
    assert hub.resolve(OTHER) == (directory, hub.HUB)
    with open(f'{directory}/{name}', 'r+b') as file:
        assert file.read() == (repository / name).read_bytes()
        file.truncate(100)
    local_hub.close()
    forget()
    refused(OTHER, FileNotFoundError)


@pytest.mark.parametrize('left', ['tf_graph.pb.incomplete', 'tf_graph.pb_0_1023',
                                  'tf_graph.pb.parallel_tmp'])
def test_parts_that_another_client_left(cached, official, left):
    """They are beside weights of another format, as a broken repair leaves them."""
    snapshot = cached(official, OTHER)
    (snapshot / left).write_bytes(b'part')
    # The file itself is there, and the client moves only whole ones to their place.
    assert hub.resolve(OTHER) == (str(snapshot), hub.CACHE)
    hub._resolved.clear()
    (snapshot / 'other.pb').write_bytes((snapshot / 'tf_graph.pb').read_bytes())
    (snapshot / 'configuration.json').write_text(json.dumps(
        {'pipeline': {'type': 'AAMS-style-transfer'}, 'model': {'weights': 'other.pb'}}))
    (snapshot / 'tf_graph.pb').unlink()
    refused(OTHER, FileNotFoundError)


def test_parts_that_an_older_client_left(hub_cache, official):
    directory = hub_cache / 'models' / OTHER
    shutil.copytree(official, directory)
    temporary = hub_cache / 'models' / '._____temp' / OTHER
    temporary.mkdir(parents=True)
    assert hub.resolve(OTHER) == (str(directory), hub.CACHE)
    (temporary / 'vocabulary.txt').write_text('half')
    hub._resolved.clear()
    refused(OTHER, FileNotFoundError)


@pytest.mark.parametrize('share', [0, 0.3, 0.999])
def test_truncated_weights_of_another_client(cached, official, share):
    snapshot = cached(official, OTHER)
    graph = snapshot / 'tf_graph.pb'
    with open(graph, 'r+b') as file:
        file.truncate(int(graph.stat().st_size * share))
    refused(OTHER, FileNotFoundError)


@pytest.mark.parametrize('listing', ['', '[]', '{"a": 5}', '{"a": ["b"]}', 'null'])
def test_damaged_list_of_files(repository, local_hub, hub_cache, forget, listing):
    directory, _ = hub.resolve(OTHER)
    kept, = (hub_cache / hub.snapshot.LISTINGS).iterdir()
    kept.write_text(listing)
    local_hub.close()
    forget()
    assert hub.resolve(OTHER) == (directory, hub.CACHE)


def test_list_of_files_outside_the_model(repository, local_hub, hub_cache, monkeypatch):
    monkeypatch.setattr(local_hub, 'files',
                        lambda *_: {'../../../escaped': repository / 'README.md'})
    assert 'outside the model' in refused(OTHER)
    assert not list(hub_cache.rglob('escaped'))


def test_hub_out_of_order(repository, local_hub, hub_cache, logged):
    local_hub.fail(None, Fault.SERVER_ERROR)
    assert hub.resolve(ID).source == hub.BUNDLED
    warning, = logged
    assert f'the hub {local_hub.url} does not give it' in warning and '500' in warning
    assert '500' in refused(OTHER)


def test_model_that_is_gone_from_the_hub(repository, local_hub, hub_cache, forget, logged):
    resolved = {model_id: hub.resolve(model_id) for model_id in (ID, OTHER)}
    local_hub.withdraw(ID)
    local_hub.withdraw(OTHER)
    forget()
    for model_id, (directory, _) in resolved.items():
        assert hub.resolve(model_id) == (directory, hub.CACHE)
        shutil.rmtree(directory)
    forget()
    assert hub.resolve(ID).source == hub.BUNDLED
    assert '404' in refused(OTHER)
    assert len(logged) == 3 and all('404' in warning for warning in logged)
