"""Pictures from URLs: what is connected to, and how much is taken."""
import socket

import anyio
import pytest
from running_server import Pictures

from modelscope_aams.server import fetching
from modelscope_aams.server.fetching import REDIRECTS, FetchError, fetch


def fetched(url, max_bytes=1 << 20, allow_private=True, max_seconds=60):
    return anyio.run(fetch, url, max_bytes, allow_private, max_seconds)


@pytest.fixture
def resolved(monkeypatch):
    """Sets what looking up a host's name gives, and counts how often it is asked."""
    asked = []

    def to(*addresses):
        async def getaddrinfo(host, port, **_):
            asked.append(host)
            return [(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_STREAM,
                     6, '', (address, port)) for address in addresses]
        monkeypatch.setattr(fetching.anyio, 'getaddrinfo', getaddrinfo)
        return asked
    return to


def test_gives_the_content(picture_server, content):
    assert fetched(f'{picture_server}/content.png') == content


def test_follows_a_few_redirects(picture_server, content):
    assert fetched(f'{picture_server}/again/{REDIRECTS - 1}') == content
    with pytest.raises(FetchError, match='more than 3 times'):
        fetched(f'{picture_server}/again/{REDIRECTS}')


def test_takes_no_more_than_it_may(picture_server, content):
    assert fetched(f'{picture_server}/content.png', max_bytes=len(content)) == content
    with pytest.raises(FetchError, match=f'more than {len(content) - 1} bytes'):
        fetched(f'{picture_server}/content.png', max_bytes=len(content) - 1)
    with pytest.raises(FetchError, match='more than 1000000 bytes'):
        fetched(f'{picture_server}/endless', max_bytes=1_000_000)


def test_waits_no_longer_than_it_may(picture_server):
    with pytest.raises(FetchError, match='more than 1 s'):
        fetched(f'{picture_server}/slow', max_seconds=1)


@pytest.mark.parametrize('path, reason', [
    ('/missing.png', 'status 404'), ('/packed', 'compressed'), ('/to/file:///etc/passwd', "'file'"),
    ('/to/ftp://127.0.0.1/a', "'ftp'"), ('/to/gopher://127.0.0.1/', "'gopher'"),
    ('/to/http://a:b/', 'no URL')])
def test_refused(picture_server, path, reason):
    with pytest.raises(FetchError, match=reason):
        fetched(picture_server + path)


@pytest.mark.parametrize('url', [
    'file:///etc/passwd', 'ftp://8.8.8.8/a', 'data:image/png;base64,AAAA', '/etc/passwd',
    'http:///etc/passwd', 'http://', 'gopher://8.8.8.8/', 'http://[::1', 'http://a:b:c/'])
def test_other_kinds_of_urls(url):
    with pytest.raises(FetchError, match='expected http|no URL'):
        fetched(url)


@pytest.mark.parametrize('host', [
    '127.0.0.1', 'localhost', '2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '0',
    '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::]', '0.0.0.0', 'user@127.0.0.1',
    '8.8.8.8@127.0.0.1', '１２７.0.0.1', '169.254.169.254', '[fe80::1]'])
def test_hosts_that_are_not_public(picture_server, host):
    port = picture_server.rpartition(':')[2]
    Pictures.requested.clear()
    with pytest.raises(FetchError, match='not at a public address|no address|no URL|expected http'):
        fetched(f'http://{host}:{port}/content.png', allow_private=False)
    assert not Pictures.requested


def test_names_of_private_addresses(picture_server, resolved):
    resolved('127.0.0.1')
    with pytest.raises(FetchError, match='not at a public address'):
        fetched(picture_server.replace('127.0.0.1', 'public.example') + '/content.png',
                allow_private=False)


def test_names_of_public_and_private_addresses(resolved):
    resolved('8.8.8.8', '10.0.0.1')
    with pytest.raises(FetchError, match='not at a public address'):
        fetched('http://public.example/content.png', allow_private=False)


def test_connects_to_the_address_that_was_looked_at(picture_server, content, resolved,
                                                    monkeypatch):
    """As a name may resolve to something else a moment later, it is looked up only once."""
    asked = resolved('93.184.215.14')
    connected = []
    connect = fetching.httpcore.AnyIOBackend.connect_tcp

    async def connect_here(self, host, port, *arguments):
        connected.append(host)
        return await connect(self, '127.0.0.1', port, *arguments)
    monkeypatch.setattr(fetching.httpcore.AnyIOBackend, 'connect_tcp', connect_here)
    url = picture_server.replace('127.0.0.1', 'public.example')
    assert fetched(f'{url}/content.png', allow_private=False) == content
    assert (asked, connected) == (['public.example'], ['93.184.215.14'])


def test_redirects_to_private_addresses(picture_server, resolved, monkeypatch):
    """The first host passes for public; what it leads to is looked at as well."""
    monkeypatch.setattr(fetching, 'is_public', lambda address: address == '127.0.0.1')
    for target in ('http://10.0.0.1/', 'http://[::1]/', 'http://169.254.169.254/latest/'):
        with pytest.raises(FetchError, match='not at a public address'):
            fetched(f'{picture_server}/to/{target}', allow_private=False)


def test_no_proxy_of_the_environment(picture_server, content, monkeypatch):
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')
    monkeypatch.delenv('no_proxy', raising=False)
    monkeypatch.delenv('NO_PROXY', raising=False)
    assert fetched(f'{picture_server}/content.png') == content
