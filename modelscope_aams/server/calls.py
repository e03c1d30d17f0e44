"""What a request asks for."""
import base64
import binascii
import re
from typing import Any, Dict, List, NamedTuple, Union

from fastapi import HTTPException

from modelscope_aams.plugin.controls import style_shares
from modelscope_aams.plugin.options import CallOptions, require_attention

from .body import parse_json
from .settings import MAX_SCALES, MAX_STYLES

#: What ``input`` may hold; ``parameters`` may, too, as the pipeline's own call has it.
ENTRIES = ('content', 'style', 'style_weights', 'mask', 'attention')
PICTURES = ('content', 'style', 'mask', 'attention')

_EXPECTED = 'a picture file in base64, or an http(s) URL'
_URL = re.compile(r'[a-z][a-z0-9+.-]*://', re.IGNORECASE)
_DATA_URL = re.compile(r'data:image/[\w.+-]+;base64,', re.IGNORECASE)
# The alphabet for URLs to the ordinary one.
_ALPHABET = bytes.maketrans(b'-_', b'+/')


class Url(str):
    """Where a picture is to be fetched."""


Picture = Union[bytes, Url]


class Call(NamedTuple):
    """One call of the pipeline.

    Attributes:
        input: some of ENTRIES; pictures as :data:`Picture`, ``style`` a list of them.
        options: some of plugin.options.CallOptions.
    """
    input: Dict[str, Any]
    options: Dict[str, Any]


def parse_call(body: Union[bytes, bytearray], defaults: CallOptions, max_length: int) -> Call:
    """Reads a body: ``{"input": {...}, "parameters": {...}}``.

    Args:
        body: JSON. ``input`` may also be the content alone, with the style in ``parameters``.
        defaults: the options of the pipeline.
        max_length: the highest value of the option of this name.

    Raises:
        HTTPException: 400 if it is no JSON, 422 if it is not such a body; no picture is
            looked into.
    """
    value = parse_json(body)
    if not isinstance(value, dict) or 'input' not in value:
        raise HTTPException(422, 'input is missing; expected {"input": {"content": ..., '
                                 '"style": ...}, "parameters": {...}}')
    _expect_known('the body', value, ('input', 'parameters'))
    given, parameters = value['input'], value.get('parameters')
    if parameters is None:
        parameters = {}
    if isinstance(given, str):
        given = {'content': given}
    for name, part in (('input', given), ('parameters', parameters)):
        if not isinstance(part, dict):
            raise HTTPException(422, f'{name} is {_kind(part)}; expected an object')
    _expect_known('input', given, ENTRIES)
    entries = {name: parameters[name] for name in ENTRIES if name in parameters}
    entries.update(given)
    entries = {name: entry for name, entry in entries.items() if entry is not None}
    options = {name: option for name, option in parameters.items() if name not in ENTRIES}
    try:
        _check_options(defaults.updated(options), max_length, 'attention' in entries)
        return Call(_checked_entries(entries), options)
    except (TypeError, ValueError) as error:
        raise HTTPException(422, str(error)) from None


def _kind(value) -> str:
    return {str: 'text', list: 'a list', bool: 'a truth value', type(None): 'null',
            dict: 'an object'}.get(type(value), 'a number')


def _expect_known(name, values, known):
    unknown = [key for key in values if key not in known]
    if unknown:
        raise HTTPException(422, f'{name} has the unknown entry {unknown[0]!r}; expected '
                                 f'{", ".join(known)}')


def _check_options(options: CallOptions, max_length, attention):
    if options.max_length is None or options.max_length > max_length:
        raise ValueError(f'max_length is {options.max_length}; expected at most {max_length}, '
                         'the limit of this server')
    if len(options.scales) > MAX_SCALES:
        raise ValueError(f'scales are {len(options.scales)}; expected at most {MAX_SCALES}')
    if attention:
        require_attention('attention', options.method)


def _checked_entries(entries: Dict[str, Any]) -> Dict[str, Any]:
    missing = [name for name in ('content', 'style') if name not in entries]
    if missing:
        raise ValueError(f'{" and ".join(missing)} missing; expected input to hold content and '
                         f'style, each {_EXPECTED}')
    styles = entries['style'] if isinstance(entries['style'], list) else [entries['style']]
    if not 1 <= len(styles) <= MAX_STYLES:
        raise ValueError(f'style is a list of {len(styles)}; expected 1 to {MAX_STYLES} pictures')
    if 'style_weights' in entries:
        if 'mask' in entries:
            raise ValueError('style_weights and mask exclude each other; expected one of them')
        style_shares(entries['style_weights'], len(styles))
    pictures = {name: _picture(name, entries[name]) for name in PICTURES
                if name in entries and name != 'style'}
    return {**entries, **pictures,
            'style': list(map(_picture, style_names(len(styles)), styles))}


def style_names(count: int) -> List[str]:
    """What the styles of a request are called in errors."""
    return [f'style {number} of {count}' for number in range(1, count + 1)] if count > 1 \
        else ['style']


def _picture(name: str, text) -> Picture:
    """A picture's file, or its URL."""
    if not isinstance(text, str):
        raise ValueError(f'{name} is {_kind(text)}; expected {_EXPECTED}')
    text = text.strip()
    if _URL.match(text):
        if not text.lower().startswith(('http://', 'https://')):
            raise ValueError(f'{name} is a URL of the kind {text.partition(":")[0][:20]!r}; '
                             f'expected {_EXPECTED}')
        return Url(text)
    start = _DATA_URL.match(text)
    try:
        content = text[start.end() if start else 0:].encode('ascii')
        content = content.translate(_ALPHABET, delete=b' \t\r\n')
        # The padding is often left out where the alphabet for URLs is used.
        return base64.b64decode(content + b'=' * (-len(content) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError(f'{name} is neither base64 nor a URL; expected {_EXPECTED}') from None
