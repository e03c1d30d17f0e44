"""The body of a request to a value, whatever is sent."""
import json
import math
from typing import Any, Union

import anyio
from fastapi import HTTPException, Request

from .settings import BODY_SECONDS

#: How many lists and objects the JSON of a body may hold, and how many values about. These
#: are many times larger once they are Python's, and a body is large for its pictures alone.
MAX_PARTS, MAX_VALUES = 100, 1000

# More digits are of no use here, and some arithmetic cannot take them.
_MAX_DIGITS = 18


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """The body, of which no more than ``max_bytes`` are taken into memory.

    Raises:
        HTTPException: 415 if it is not sent as plain JSON, 413 if it is longer, 408 if it
            does not arrive in time.
        starlette.requests.ClientDisconnect: if the client goes away.
    """
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    # A page in a browser cannot send this to another site without being allowed to.
    if kind != 'application/json':
        raise HTTPException(415, f'the body is sent as {kind or "nothing in particular"!r}; '
                                 'expected Content-Type: application/json')
    encoding = request.headers.get('content-encoding', 'identity')
    if encoding.strip().lower() != 'identity':
        raise HTTPException(415, f'the body is encoded as {encoding!r}; expected it plain')
    too_long = HTTPException(413, f'the body is too long; expected at most {max_bytes} bytes')
    length = request.headers.get('content-length', '')
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise too_long
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in request.stream():
                if len(body) + len(chunk) > max_bytes:
                    raise too_long
                body += chunk
    except TimeoutError:
        raise HTTPException(408, f'the body did not arrive within {BODY_SECONDS} s') from None
    return body


def parse_json(body: Union[bytes, bytearray]) -> Any:
    """The value of a body in JSON.

    Raises:
        HTTPException: 400 if it is no JSON in UTF-8, or of more or larger values than any
            request has.
    """
    # Counted before it is parsed, as this bounds memory and depth.
    if body.count(b'[') + body.count(b'{') > MAX_PARTS or body.count(b',') > MAX_VALUES:
        raise HTTPException(400, 'the body holds too many values; expected at most '
                                 f'{MAX_PARTS} lists and objects, and {MAX_VALUES} values')
    try:
        return json.loads(body.decode('utf-8'), parse_int=_whole, parse_float=_finite,
                          parse_constant=_finite)
    except UnicodeDecodeError:
        raise HTTPException(400, 'the body is not in UTF-8; expected JSON') from None
    except ValueError as error:
        raise HTTPException(400, f'the body is no JSON ({error})') from None


def _whole(text):
    if len(text) > _MAX_DIGITS:
        raise ValueError(f'a number of {len(text)} digits; expected {_MAX_DIGITS} at most')
    return int(text)


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'{text[:20]} is no finite number')
    return value
