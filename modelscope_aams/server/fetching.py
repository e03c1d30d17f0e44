"""Pictures from URLs that strangers send, which must not reach what strangers cannot."""
import socket
from typing import Optional

import anyio
import httpcore
import httpx

from .addresses import is_public

#: How often a URL may lead to another one.
REDIRECTS = 3

# Of one connection, of which several addresses may be tried.
_CONNECT_SECONDS = 5
_MOVED = (301, 302, 303, 307, 308)
# A compressed answer could be of any size once it is unpacked.
_HEADERS = {'User-Agent': 'modelscope-aams', 'Accept': 'image/*', 'Accept-Encoding': 'identity'}
_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError,
             httpcore.UnsupportedProtocol, OSError)


class FetchError(ValueError):
    """A URL cannot or may not be fetched; the message is one line that says why."""


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to a host only if all its addresses are public.

    What is connected to is the very address that was looked at, whatever the host's name
    resolves to a moment later.
    """

    def __init__(self):
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(self, host, port, timeout=None, local_address=None,
                          socket_options=None):
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError('its host has no address') from None
        addresses = list(dict.fromkeys(entry[4][0] for entry in found))
        if not all(map(is_public, addresses)):
            raise FetchError('its host is not at a public address')
        failure = httpcore.ConnectError('its host has no address')
        for address in addresses:
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def fetch(url: str, max_bytes: int, allow_private: bool = False,
                max_seconds: Optional[float] = None) -> bytes:
    """The content of an http(s) URL, by no proxy.

    Args:
        url: the URL; it may lead to others REDIRECTS times.
        max_bytes: how long the content may be; no more is read.
        allow_private: whether addresses that are not public may be connected to as well.
        max_seconds: how long it may take in all.

    Raises:
        FetchError: if it is another kind of URL, is refused, fails, is too long or takes
            too long.
    """
    backend = None if allow_private else PublicBackend()
    try:
        with anyio.fail_after(max_seconds):
            async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
                return await _fetched(pool, _http_url(url), max_bytes)
    except TimeoutError:
        raise FetchError(f'it takes more than {max_seconds:.3g} s') from None
    except _FAILURES as error:
        raise FetchError(' '.join(str(error).split()) or type(error).__name__) from None


def _http_url(text: str, base: Optional[httpx.URL] = None) -> httpx.URL:
    try:
        url = httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError):
        raise FetchError('it is no URL') from None
    if url.scheme not in ('http', 'https') or not url.host:
        raise FetchError(f'it is of the kind {url.scheme or "without a scheme"!r}; expected '
                         'http or https')
    return url


async def _fetched(pool, url, max_bytes) -> bytes:
    for _ in range(REDIRECTS + 1):
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port,
                              target=url.raw_path)
        timeouts = {'connect': _CONNECT_SECONDS, 'pool': _CONNECT_SECONDS}
        async with pool.stream('GET', target, headers=_HEADERS,
                               extensions={'timeout': timeouts}) as response:
            headers = {name.lower(): value for name, value in response.headers}
            location = headers.get(b'location')
            if response.status not in _MOVED or location is None:
                return await _content(response, headers, max_bytes)
        url = _http_url(location.decode('latin-1'), url)
    raise FetchError(f'it leads on more than {REDIRECTS} times')


async def _content(response, headers, max_bytes) -> bytes:
    if response.status != 200:
        raise FetchError(f'its server answers with status {response.status}')
    if headers.get(b'content-encoding', b'identity') != b'identity':
        raise FetchError('its server sends it compressed')
    content = bytearray()
    async for chunk in response.aiter_stream():
        content += chunk
        if len(content) > max_bytes:
            raise FetchError(f'it is of more than {max_bytes} bytes')
    return bytes(content)
