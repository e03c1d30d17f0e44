"""Copies of a hub's models in its client's cache, and whether they are whole.

The client moves a file to its place only when it has all of it, but does not note which files a
model has: what a download that broke off left behind looks like a smaller model. So the hub's
list of files is kept in the cache before the client begins, and a copy is whole if it has
these. Of copies that came here without this package, what the client has parts of, and the
structure of the weights, must do.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import urllib.parse
from typing import Dict, Optional, Tuple

from modelscope.hub.api import HubApi
from modelscope.hub.constants import TEMPORARY_FOLDER_NAME
from modelscope.hub.snapshot_download import snapshot_download
from modelscope.utils.constant import DEFAULT_MODEL_REVISION, ModelFile
from modelscope_hub.config import get_default_config

from modelscope_aams.checkpoints.atomic import write_atomically
from modelscope_aams.checkpoints.truncation import is_cut_off

#: Size in bytes and SHA-256 of each file by its path; 0 or None where the hub does not say.
Listing = Dict[str, Tuple[int, Optional[str]]]

#: Where the hub's lists of files are kept, in the client's cache.
LISTINGS = '.aams'
_WEIGHTS = ('*.safetensors', ModelFile.TF_GRAPH_FILE, '*.index')
# A file that the client has a part of: its own name comes first.
_PART = re.compile(r'(.+)(?:\.incomplete|\.parallel_tmp)|(.+\.\w+?)_\d+_\d+')


def listed(model_id: str, revision: str) -> Listing:
    """The files of a hub's model; asks the hub, whose client raises many kinds of errors.

    Raises:
        ValueError: if a path leads out of the model's directory.
    """
    api = HubApi(endpoint=HubApi().get_endpoint_for_read(repo_id=model_id))
    files = {file.path: (file.size, file.sha256)
             for file in api.list_repo_files(model_id, 'model', revision=revision)
             if not file.is_dir}
    for path in map(pathlib.PurePosixPath, files):
        if path.is_absolute() or '..' in path.parts:
            raise ValueError(f'it lists {path}, which is outside the model')
    return files


def download(model_id: str, revision: str, files: Listing) -> str:
    """Makes the client's cache have all ``files``; the directory there.

    A whole copy that is cached stays as it is until all that is new has come. The client's
    errors are many; one that broke off goes on with what it has when called again.
    """
    copy = _located(model_id, revision)
    if copy is not None and not any(_others(copy, files)):
        return str(copy)
    _listings().mkdir(parents=True, exist_ok=True)
    if copy is None or not _is_whole(copy, _kept_listing(model_id, revision)):
        _keep_listing(model_id, revision, files)
        return snapshot_download(model_id, revision=revision)
    # The client deletes an old file before it asks for the new one.
    with tempfile.TemporaryDirectory(dir=_listings()) as fresh:
        shutil.copytree(copy, fresh, dirs_exist_ok=True)
        snapshot_download(model_id, revision=revision, local_dir=fresh)
        _keep_listing(model_id, revision, files)
        for path in files:
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(pathlib.Path(fresh, path), copy / path)
    return str(copy)


def cached(model_id: str, revision: str) -> Optional[str]:
    """The directory of a whole copy in the client's cache, if there is one.

    For the default revision, the only one that is cached will do.
    """
    copy = found(model_id, revision)
    if copy is None:
        return None
    # The client names directories by revisions; those of older ones have one revision each.
    kept = _kept_listing(model_id, copy.name) or _kept_listing(model_id, revision)
    return str(copy) if _is_whole(copy, kept) else None


def found(model_id: str, revision: str) -> Optional[pathlib.Path]:
    """The directory of any copy in the client's cache, as :func:`cached` looks for one."""
    copy = _located(model_id, revision)
    if copy is None and revision == DEFAULT_MODEL_REVISION:
        copy = _located(model_id, None)
    return copy


def configured(directory: pathlib.Path, section: str, name: str):
    """An entry of a model directory's configuration.json; None if there is none."""
    try:
        return _configuration(directory)[section][name]
    except (LookupError, TypeError):
        return None


def _located(model_id, revision) -> Optional[pathlib.Path]:
    try:
        return pathlib.Path(snapshot_download(model_id, revision=revision, local_files_only=True))
    except Exception:  # The client's errors differ between its versions.
        return None


def _is_whole(directory: pathlib.Path, kept: Optional[Tuple[Listing, float]]) -> bool:
    if kept is not None:
        files, since = kept
        others = list(_others(directory, files))
        if not others:
            return True
        # What came after the list is of a user or another client, and may be of a newer model.
        if not all(file.is_file() and file.stat().st_mtime > since for file in others):
            return False
    if not isinstance(_configuration(directory), dict) or any(_missing(directory)):
        return False
    named = configured(directory, 'model', 'weights')
    weights = ([directory / str(named)] if named else
               [file for pattern in _WEIGHTS for file in directory.glob(pattern)])
    return bool(weights) and all(file.is_file() and not is_cut_off(file) for file in weights)


def _others(directory: pathlib.Path, files: Listing):
    """Those of ``files`` that are missing or not as listed."""
    for path, (size, digest) in files.items():
        file = directory / path
        if (not file.is_file() or size not in (0, file.stat().st_size)
                or digest not in (None, _sha256(file))):
            yield file


def _missing(directory: pathlib.Path):
    """Files of which there is only a part, here or where older clients (up to 1.37) kept it."""
    older = directory.parents[1] / TEMPORARY_FOLDER_NAME / directory.parent.name / directory.name
    for folder in (directory, older):
        for part in folder.rglob('*'):
            match = _PART.fullmatch(part.name)
            name = match[1] or match[2] if match else part.name
            whole = directory / part.relative_to(folder).with_name(name)
            if (match or folder == older) and part.is_file() and not whole.is_file():
                yield whole


def _configuration(directory: pathlib.Path):
    try:
        return json.loads((directory / ModelFile.CONFIGURATION).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None


def _listings() -> pathlib.Path:
    return pathlib.Path(get_default_config().cache_dir) / LISTINGS


def _listing_path(model_id, revision) -> pathlib.Path:
    return _listings() / f'{urllib.parse.quote(f"{model_id}@{revision}", safe="")}.json'


def _keep_listing(model_id, revision, files: Listing):
    write_atomically(_listing_path(model_id, revision),
                     lambda path: pathlib.Path(path).write_text(json.dumps(files)))


def _kept_listing(model_id, revision) -> Optional[Tuple[Listing, float]]:
    """The list of files that was kept, and when; None if there is none."""
    path = _listing_path(model_id, revision)
    try:
        kept = json.loads(path.read_text())
        return ({name: (int(size), digest) for name, (size, digest) in kept.items()},
                path.stat().st_mtime)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _sha256(path) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
