"""What an evaluation has measured so far, kept so that it can go on where it was."""
import json
import os
import pathlib
from typing import Dict, List, Mapping, NamedTuple

from modelscope_aams.checkpoints.atomic import write_atomically

SETTINGS_NAME, RECORDS_NAME = 'settings.json', 'records.jsonl'
#: Decimals that figures are kept with.
DECIMALS = 6


class Key(NamedTuple):
    """What a record is of: a content, a style and a method, by name."""
    content: str
    style: str
    method: str


class Records:
    """The records in a folder: one JSON line each, written when it is complete.

    Args:
        folder: created if it is not there.
        settings: all that figures depend on, as JSON values by name.

    Raises:
        ValueError: if the folder is of an evaluation with other settings, or of none.
    """

    def __init__(self, folder, settings: Mapping):
        folder = pathlib.Path(folder)
        self._path = folder / RECORDS_NAME
        self._check(folder, json.loads(json.dumps(settings)))
        self._found = self._read()

    def _check(self, folder, settings):
        path = folder / SETTINGS_NAME
        if path.is_file():
            try:
                kept = dict(json.loads(path.read_text(encoding='utf-8')))
            except (ValueError, TypeError) as error:
                raise ValueError(f'{path} is damaged ({error}); choose another folder') from None
            other = [name for name in {**kept, **settings}
                     if name not in kept or name not in settings or kept[name] != settings[name]]
            if other:
                raise ValueError(f'{folder} holds an evaluation with other {", ".join(other)}; '
                                 'go on with those, or choose another folder')
            return
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f'{folder} is there and holds no evaluation; choose another folder')
        text = json.dumps(settings, indent=2, ensure_ascii=False) + '\n'
        write_atomically(path, lambda name: pathlib.Path(name).write_text(text, encoding='utf-8'))

    def _read(self) -> Dict[Key, List[Dict]]:
        if not self._path.exists():
            return {}
        content = self._path.read_bytes()
        # A line without an end was cut off while it was written.
        whole = content[:content.rfind(b'\n') + 1]
        if len(whole) < len(content):
            write_atomically(self._path, lambda name: pathlib.Path(name).write_bytes(whole))
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
            return {Key(*line['of']): line['measured'] for line in lines}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f'{self._path} is damaged ({error}); choose another folder') from None

    def __contains__(self, key: Key) -> bool:
        return key in self._found

    def __getitem__(self, key: Key) -> List[Dict]:
        """What was measured, one entry a style weight."""
        return self._found[key]

    def add(self, key: Key, measured: List[Dict]):
        """Keeps a record; figures are rounded to DECIMALS."""
        measured = [{name: _rounded(value) for name, value in entry.items()}
                    for entry in measured]
        line = json.dumps({'of': key, 'measured': measured}, ensure_ascii=False) + '\n'
        with open(self._path, 'ab') as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self._found[key] = measured


def _rounded(value):
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, DECIMALS) if isinstance(value, float) else value
