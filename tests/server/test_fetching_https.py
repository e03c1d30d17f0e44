"""Pictures from https URLs: only from who proves to be the host."""
import functools
import http.server
import ssl
import threading

import anyio
import pytest
import trustme
from running_server import Pictures, base64_of, picture_of, serving

from modelscope_aams.server import fetching
from modelscope_aams.server.fetching import FetchError, fetch

NAME = 'pictures.example'


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture(scope='module')
def port(authority, content, tmp_path_factory):
    """Of a server for ``content.png`` that is NAME, and this machine, by its certificate."""
    folder = tmp_path_factory.mktemp('https')
    (folder / 'content.png').write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, '127.0.0.1').configure_cert(context)
    listener = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Pictures, directory=str(folder)))
    listener.daemon_threads = True
    # The handshake is left to the connection's own thread.
    listener.socket = context.wrap_socket(
        listener.socket, server_side=True, do_handshake_on_connect=False)
    listener.handle_error = lambda *_: None
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield listener.server_port
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """The authority is one that this machine knows."""
    authority.cert_pem.write_to_path(tmp_path / 'authority.pem')
    monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / 'authority.pem'))


@pytest.fixture
def as_public(monkeypatch):
    """Every name is one of this machine, and its address passes for public."""
    look_up = anyio.getaddrinfo

    async def getaddrinfo(host, port, **options):
        return await look_up('127.0.0.1', port, **options)
    monkeypatch.setattr(fetching.anyio, 'getaddrinfo', getaddrinfo)
    monkeypatch.setattr(fetching, 'is_public', lambda address: address == '127.0.0.1')


def fetched(url, allow_private=False):
    return anyio.run(fetch, url, 1 << 20, allow_private, 60)


def test_a_host_is_its_certificates(port, trusted, as_public, content):
    """The name is proven, though what is connected to is an address."""
    assert fetched(f'https://{NAME}:{port}/content.png') == content
    with pytest.raises(FetchError, match="certificate.*'other.example'"):
        fetched(f'https://other.example:{port}/content.png')


def test_an_authority_that_nobody_knows(port, as_public):
    with pytest.raises(FetchError, match='certificate'):
        fetched(f'https://{NAME}:{port}/content.png')


def test_a_server_without_tls(picture_server):
    with pytest.raises(FetchError, match='SSL'):
        fetched(picture_server.replace('http:', 'https:'), allow_private=True)


def test_a_call_with_https(port, trusted, content, style, local):
    with serving('--allow-private-urls') as running:
        answer = running.call(f'https://127.0.0.1:{port}/content.png', base64_of(style))
    assert answer.status_code == 200, answer.text
    expected = local({'content': content, 'style': style})['output_img']
    assert (picture_of(answer.json()['output_img']) == expected).all()
