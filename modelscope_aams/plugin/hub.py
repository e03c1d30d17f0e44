"""Where a model of a ModelScope hub lies on this machine, also without a network."""
import os
import pathlib
import threading
from typing import NamedTuple, Optional

import requests
from modelscope.metainfo import Pipelines
from modelscope.utils.constant import DEFAULT_MODEL_REVISION
from modelscope.utils.logger import get_logger
from modelscope_hub.config import get_default_config

from modelscope_aams import checkpoints

from . import snapshot

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
# What the client raises where a hub is gone after all; its own errors are among the first.
_GONE = (ConnectionError, requests.ConnectionError, requests.Timeout)

_logger = get_logger()
_resolved = {}
_lock = threading.Lock()


class HubError(OSError):
    """A hub was reached but did not give the model whole; the message is one line."""


class DefaultDirectory(str):
    """BUNDLED_DIRECTORY as the default model of a call of ``pipeline``, with its revision.

    ModelScope knows nothing of ``model_id=``, which takes the default model's place, and
    does not hand on the ``model_revision`` of the call otherwise.
    """

    def __new__(cls, revision: Optional[str]):
        directory = super().__new__(cls, BUNDLED_DIRECTORY)
        directory.revision = revision
        return directory


class Resolved(NamedTuple):
    """A model's local ``directory``, and whether it is from the HUB, the CACHE or BUNDLED."""
    directory: str
    source: str


def resolve(model_id: str, revision: Optional[str] = None) -> Resolved:
    """Finds a hub's model: the hub is asked first, then its client's cache.

    If the hub cannot be reached or does not have the published model, and no whole copy is
    cached, the bundled weights stand in for it. What is not from the hub is told in one
    warning. The outcome is kept for the life of the process.

    Raises:
        HubError: if no whole copy is cached, and the download failed, or a hub that is
            there does not have the model, if that is any other, or a revision of it that
            was asked for. What breaks off the client asks for again for half a minute, what
            falls silent for six; its MODELSCOPE_DOWNLOAD_MAX_RETRIES (5) and
            MODELSCOPE_DOWNLOAD_TIMEOUT (60 seconds) shorten that.
        FileNotFoundError: if there is neither hub nor copy, for any other model.
    """
    key = (model_id, revision or DEFAULT_MODEL_REVISION)
    with _lock:
        if key not in _resolved or not os.path.isdir(_resolved[key].directory):
            _resolved[key] = _resolve(*key)
        return _resolved[key]


def local_copy(name, revision: Optional[str] = None) -> Optional[Resolved]:
    """:func:`resolve` for the id of an AAMS model; None for whatever else ``name`` is.

    An id is of an AAMS model if it is in HUB_IDS or if anything of such a model is cached.
    """
    if not isinstance(name, str) or name.count('/') != 1 or os.path.exists(name):
        return None
    if name in HUB_IDS or _is_aams(snapshot.found(name, revision or DEFAULT_MODEL_REVISION)):
        return resolve(name, revision)
    return None


def _resolve(model_id, revision) -> Resolved:
    # Not by HubApi, which cannot be built where it cannot write, as in some containers.
    endpoint = get_default_config().endpoint
    trouble, error = f'the hub {endpoint} cannot be reached', None
    # Who asks for a revision that a hub does not have is not served with something else.
    may_stand_in = model_id in HUB_IDS
    if _answers(endpoint):
        try:
            files = snapshot.listed(model_id, revision)
        except _GONE:
            pass
        except Exception as refusal:  # The client raises many kinds.
            trouble = f'the hub {endpoint} does not give it ({_reason(refusal)})'
            error, may_stand_in = refusal, may_stand_in and revision == DEFAULT_MODEL_REVISION
        else:
            try:
                return Resolved(snapshot.download(model_id, revision, files), HUB)
            except Exception as failure:
                trouble = f'its download from the hub {endpoint} failed ({_reason(failure)})'
                error, may_stand_in = failure, False
    cached = snapshot.cached(model_id, revision)
    if cached is not None:
        _logger.warning(f'{model_id}: {trouble}; the copy in the cache is used: {cached}')
        return Resolved(cached, CACHE)
    missing = f'{trouble}, and no whole copy is in the cache'
    if may_stand_in:
        _logger.warning(f'{model_id}: {missing}; the weights bundled with modelscope-aams '
                        'stand in')
        return Resolved(BUNDLED_DIRECTORY, BUNDLED)
    if error is not None:
        raise HubError(f'{model_id} (revision {revision}): {missing}') from error
    raise FileNotFoundError(f'{model_id}: {missing}; expected a model id or a directory')


def _reason(error) -> str:
    """One line on what the client raised; on each file that failed, if it was some."""
    failed = getattr(error, 'failed_files', None)
    if failed:
        reasons = [f'{name}: {_reason(failure)}' for name, failure in failed.items()]
        more = [f'and {len(reasons) - 3} more files'] if len(reasons) > 3 else []
        return '; '.join(reasons[:3] + more)
    if isinstance(error, _GONE):
        return 'the connection broke off or timed out'
    return (str(error).splitlines() or [type(error).__name__])[0]


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


def _is_aams(directory: Optional[pathlib.Path]) -> bool:
    return directory is not None and (
        snapshot.configured(directory, 'pipeline', 'type') == Pipelines.image_style_transfer)
