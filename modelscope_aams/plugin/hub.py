"""Where a model of a ModelScope hub lies on this machine, also without a network."""
import json
import os
import pathlib
import threading
from typing import NamedTuple, Optional

import requests
from modelscope.hub.api import HubApi
from modelscope.hub.snapshot_download import snapshot_download
from modelscope.metainfo import Pipelines
from modelscope.utils.constant import DEFAULT_MODEL_REVISION, ModelFile
from modelscope.utils.logger import get_logger

from modelscope_aams import checkpoints

#: The published model, for which the bundled weights may stand in.
HUB_IDS = ('damo/cv_aams_style-transfer_damo', 'iic/cv_aams_style-transfer_damo')
#: The model directory that comes with this package.
BUNDLED_DIRECTORY = str(checkpoints.BUNDLED)

HUB, CACHE, BUNDLED = 'hub', 'cache', 'bundled'

#: Seconds after which a hub that says nothing counts as unreachable. The client itself
#: would try for minutes.
PATIENCE = 8
# What a proxy answers in place of a server that it does not reach.
_GATEWAY_ERRORS = (502, 503, 504)
_WEIGHTS = ('*.safetensors', ModelFile.TF_GRAPH_FILE, '*.index')

_logger = get_logger()
_resolved = {}
_lock = threading.Lock()


class HubError(RuntimeError):
    """A hub was reached but did not give the model; the message is one line."""


class Resolved(NamedTuple):
    """A model's local ``directory``, and whether it is from the HUB, the CACHE or BUNDLED."""
    directory: str
    source: str


def resolve(model_id: str, revision: Optional[str] = None) -> Resolved:
    """Finds a hub's model: the hub is asked first, then its client's cache.

    If neither gives it whole, the bundled weights stand in for the published model. What
    is not from the hub is told in one warning. The outcome is kept for the life of the
    process.

    Raises:
        HubError: if a hub that is there does not give it and no copy is cached, for any
            other model, or a revision that was asked for.
        FileNotFoundError: if there is neither hub nor copy, for any other model.
    """
    key = (model_id, revision or DEFAULT_MODEL_REVISION)
    with _lock:
        if key not in _resolved or not os.path.isdir(_resolved[key].directory):
            _resolved[key] = _resolve(*key)
        return _resolved[key]


def local_copy(name, revision: Optional[str] = None) -> Optional[Resolved]:
    """:func:`resolve` for the id of an AAMS model; None for whatever else ``name`` is.

    An id is of an AAMS model if it is in HUB_IDS or if a copy of such a model is cached.
    """
    if not isinstance(name, str) or name.count('/') != 1 or os.path.exists(name):
        return None
    if name in HUB_IDS or _is_aams(_cached(name, revision or DEFAULT_MODEL_REVISION)):
        return resolve(name, revision)
    return None


def _resolve(model_id, revision) -> Resolved:
    endpoint = HubApi().endpoint
    trouble, refusal = f'the hub {endpoint} cannot be reached', None
    if _answers(endpoint):
        try:
            return Resolved(snapshot_download(model_id, revision=revision), HUB)
        except (ConnectionError, requests.ConnectionError, requests.Timeout):
            pass  # It is gone after all.
        except Exception as error:  # The client raises many kinds.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            trouble, refusal = f'the hub {endpoint} does not give it ({reason})', error
    cached = _cached(model_id, revision)
    if cached is not None:
        _logger.warning(f'{model_id}: {trouble}; the copy in the cache is used: {cached}')
        return Resolved(cached, CACHE)
    missing = f'{trouble}, and no whole copy is in the cache'
    # Who asks for a revision that a hub does not have is not served with something else.
    if model_id in HUB_IDS and (refusal is None or revision == DEFAULT_MODEL_REVISION):
        _logger.warning(f'{model_id}: {missing}; the weights bundled with modelscope-aams '
                        'stand in')
        return Resolved(BUNDLED_DIRECTORY, BUNDLED)
    if refusal is not None:
        raise HubError(f'{model_id} (revision {revision}): {missing}') from refusal
    raise FileNotFoundError(f'{model_id}: {missing}; expected a model id or a directory')


def _answers(endpoint) -> bool:
    """Whether anything at ``endpoint`` answers within PATIENCE."""
    answers = []

    def ask():
        try:
            answers.append(requests.head(endpoint, timeout=PATIENCE).status_code)
        except (OSError, ValueError):
            pass

    # In a thread, because looking up a name has no time limit of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return bool(answers) and answers[0] not in _GATEWAY_ERRORS


def _cached(model_id, revision) -> Optional[str]:
    """The directory of a whole copy in the client's cache, if there is one."""
    try:
        directory = snapshot_download(
            model_id, local_files_only=True,
            # Without a revision the client also takes the only one there is.
            revision=None if revision == DEFAULT_MODEL_REVISION else revision)
    except Exception:  # The client's errors differ between its versions.
        return None
    return directory if _is_whole(pathlib.Path(directory)) else None


def _is_whole(directory: pathlib.Path) -> bool:
    # A download that broke off may have left anything but the weights.
    weights = _configured(directory, 'model', 'weights')
    found = ((directory / str(weights)).is_file() if weights else
             any(next(directory.glob(pattern), None) for pattern in _WEIGHTS))
    return found and (directory / ModelFile.CONFIGURATION).is_file()


def _is_aams(directory: Optional[str]) -> bool:
    return directory is not None and (
        _configured(pathlib.Path(directory), 'pipeline', 'type') == Pipelines.image_style_transfer)


def _configured(directory: pathlib.Path, section: str, name: str):
    """An entry of a model directory's configuration.json; None if there is none."""
    try:
        content = (directory / ModelFile.CONFIGURATION).read_text(encoding='utf-8')
        return json.loads(content)[section][name]
    except (OSError, ValueError, LookupError, TypeError):
        return None
