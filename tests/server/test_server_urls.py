"""URLs in requests: fetched if they may be, and refused if not."""
import pytest
from running_server import Pictures, base64_of, picture_of, serving


@pytest.fixture(scope='module')
def open_server():
    """A server that fetches from this machine, and takes a megabyte a request."""
    with serving('--allow-private-urls', '--max-megabytes', '1') as running:
        yield running


@pytest.fixture(scope='module')
def expected(local, content, style):
    return local({'content': content, 'style': style})['output_img']


def same(response, expected):
    assert response.status_code == 200, response.text
    return (picture_of(response.json()['output_img']) == expected).all()


def test_pictures_from_urls(open_server, picture_server, content, style, expected):
    urls = [f'{picture_server}/{name}.png' for name in ('content', 'style')]
    assert same(open_server.call(*urls), expected)
    assert same(open_server.call(urls[0], base64_of(style)), expected)
    assert same(open_server.call(base64_of(content), [f'  {urls[1]} ']), expected)
    assert same(open_server.call(f'{picture_server}/again/2', urls[1]), expected)


@pytest.mark.parametrize('path, reason', [
    ('/missing.png', 'status 404'), ('/text.png', 'is not a picture'), ('/packed', 'compressed'),
    ('/endless', 'more than 1000000 bytes'), ('/again/9', 'leads on'),
    ('/to/file:///etc/passwd', "kind 'file'")])
def test_urls_without_a_picture(open_server, picture_server, style, expected, path, reason):
    response = open_server.call(picture_server + path, base64_of(style))
    assert response.status_code == 422
    assert response.json()['detail'].startswith('content: ')
    assert reason in response.json()['detail']
    assert same(open_server.call(f'{picture_server}/content.png', base64_of(style)), expected)


def test_nothing_listens(open_server, style):
    response = open_server.call('http://127.0.0.1:9/a.png', base64_of(style))
    assert response.status_code == 422 and 'cannot be fetched' in response.json()['detail']


def test_limit_of_bytes_is_the_requests(open_server, picture_server, content):
    """The pictures that a request names share one limit."""
    response = open_server.call(base64_of(content), [f'{picture_server}/style.png',
                                                     f'{picture_server}/endless'])
    assert response.status_code == 422
    limit = int(response.json()['detail'].partition('more than ')[2].split()[0])
    assert 0 < limit < 1_000_000


@pytest.mark.parametrize('host', [
    '127.0.0.1', 'localhost', '2130706433', '0x7f000001', '127.1', '[::ffff:127.0.0.1]',
    'user:password@127.0.0.1'])
def test_this_machine_is_not_reached(server, picture_server, content, host):
    url = picture_server.replace('127.0.0.1', host)
    Pictures.requested.clear()
    response = server.call(base64_of(content), f'{url}/style.png')
    assert response.status_code == 422
    assert 'not at a public address' in response.json()['detail']
    assert not Pictures.requested


@pytest.mark.parametrize('url', ['http://169.254.169.254/latest/meta-data/', 'http://10.0.0.1/',
                                 'http://[::1]/', 'http://[fd00:ec2::254]/', 'http://0.0.0.0/'])
def test_private_networks_are_not_reached(server, content, style, expected, url):
    response = server.call(base64_of(content), url)
    assert response.status_code == 422
    assert 'not at a public address' in response.json()['detail']
    assert same(server.call(base64_of(content), base64_of(style)), expected)
