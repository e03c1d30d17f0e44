"""Who takes part in a run and who writes its files, by TF_CONFIG."""
import json

import pytest

from modelscope_aams.training.cluster import is_chief, machines

WORKERS = {'worker': ['a:1', 'b:1']}


@pytest.mark.parametrize('configuration, count, chief', [
    (None, 1, True), ({}, 1, True),
    ({'cluster': {'worker': ['a:1']}, 'task': {'type': 'worker', 'index': 0}}, 1, True),
    ({'cluster': WORKERS, 'task': {'type': 'worker', 'index': 0}}, 2, True),
    ({'cluster': WORKERS, 'task': {'type': 'worker', 'index': 1}}, 2, False),
    ({'cluster': {**WORKERS, 'chief': ['c:1']}, 'task': {'type': 'chief', 'index': 0}}, 3, True),
    ({'cluster': {**WORKERS, 'chief': ['c:1']}, 'task': {'type': 'worker', 'index': 0}}, 3,
     False)])
def test_chief_and_number_of_machines(monkeypatch, configuration, count, chief):
    monkeypatch.delenv('TF_CONFIG', raising=False)
    if configuration is not None:
        monkeypatch.setenv('TF_CONFIG', json.dumps(configuration))
    assert (machines(), is_chief()) == (count, chief)


@pytest.mark.parametrize('text, said', [('{', 'is not JSON'), ('[]', 'expected a JSON object')])
def test_what_is_no_configuration(monkeypatch, text, said):
    monkeypatch.setenv('TF_CONFIG', text)
    with pytest.raises(ValueError, match=f'TF_CONFIG .*{said}') as caught:
        machines()
    assert '\n' not in str(caught.value)
