"""What is wrong with a request is said in one line, and the next one is served."""
import base64
import gzip
import http.client
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from running_server import base64_of, file_of, noise, picture_of

PLAIN_JSON = {'Content-Type': 'application/json'}


@pytest.fixture(scope='module')
def expected(local, content, style):
    return local({'content': content, 'style': style})['output_img']


@pytest.fixture(scope='module')
def used_server(server, content, style):
    """The server, once a first call has taken the memory that it keeps."""
    assert server.call(base64_of(content), base64_of(style)).status_code == 200
    return server


@pytest.fixture
def refused(server, content, style, expected):
    """Checks an answer: its status, its one line, and that the server serves on."""
    def check(response, status, reason):
        assert response.status_code == status, response.text
        assert set(response.json()) == {'detail'}
        detail = response.json()['detail']
        assert reason in detail
        assert len(detail.splitlines()) == 1 and len(detail) < 500
        assert 'Traceback' not in response.text
        good = server.call(base64_of(content), base64_of(style))
        assert (picture_of(good.json()['output_img']) == expected).all()
    return check


def send(server, body, headers=PLAIN_JSON):
    return server.client.post('/call', content=body, headers=headers)


@pytest.mark.parametrize('body, reason', [
    (b'', 'no JSON'), (b'{', 'no JSON'), (b'content=1', 'no JSON'), (b'{"input": NaN}', 'NaN'),
    (b'{"input": 1e999}', 'no finite number'), (b'\xff\xfe{\x00}\x00', 'UTF-8'),
    (b'{"input": ' + 400 * b'9' + b'}', '400 digits'),
    (b'{"input": ' + 98 * b'[' + 98 * b']', 'no JSON'), (10_000 * b'[', 'too many values'),
    (b'[' + 2_000 * b'1,' + b'1]', 'too many values'),
    (b'[' * 5_000_000, 'too many values'), (5_000_000 * b'{"a":', 'too many values'),
    (b'[' + 8_000_000 * b'[],' + b'0]', 'too many values')],
    ids=lambda value: repr(value[:20]))
def test_no_json(server, refused, body, reason):
    refused(send(server, body), 400, reason)


@pytest.mark.parametrize('body, reason', [
    ([], 'input is missing'), ('text', 'input is missing'), (1, 'input is missing'),
    ({}, 'input is missing'), ({'parameters': {}}, 'input is missing'),
    ({'input': {}}, 'content and style missing'), ({'input': {'content': 'AAAA'}}, 'style missing'),
    ({'input': {'style': 'AAAA'}}, 'content missing'),
    ({'input': 'AAAA'}, 'style missing'), ({'input': []}, 'input is a list'),
    ({'input': 3}, 'input is a number'), ({'input': None}, 'input is null'),
    ({'input': {'content': 'AAAA', 'style': None}}, 'style missing'),
    ({'input': {'content': 1, 'style': 'AAAA'}}, 'content is a number'),
    ({'input': {'content': {}, 'style': 'AAAA'}}, 'content is an object'),
    ({'input': {'content': 'AAAA', 'style': []}}, 'list of 0'),
    ({'input': {'content': 'AAAA', 'style': 5 * ['AAAA']}}, 'list of 5'),
    ({'input': {'content': 'AAAA', 'style': ['AAAA', [1]]}}, 'style 2 of 2 is a list'),
    ({'input': {'content': 'AAAA', 'style': 'AAAA', 'weight': 1}}, "unknown entry 'weight'"),
    ({'input': {'content': 'AAAA', 'style': 'AAAA'}, 'parameter': {}}, "unknown entry 'parameter'"),
    ({'input': {'content': 'AAAA', 'style': 'AAAA'}, 'parameters': [1]}, 'parameters is a list'),
    ({'input': {'content': 'AAAA', 'style': 'AAAA', 'mask': 'AAAA', 'style_weights': [1]}},
     'exclude each other'),
    ({'input': {'content': 'AAAA', 'style': 'AAAA', 'style_weights': [1, 2]}}, 'style_weights'),
    ({'input': {'content': 'AAAA', 'style': 'AAAA', 'style_weights': [-1]}}, 'style_weights'),
    ({'input': {'content': 'AAAA', 'style': 'AAAA', 'attention': 'AAAA'},
      'parameters': {'method': 'wct'}}, 'attention has no meaning')])
def test_other_bodies(server, refused, body, reason):
    refused(server.post(body), 422, reason)


@pytest.mark.parametrize('options, reason', [
    ({'stile_weight': 1}, 'unknown option stile_weight'), ({'progress': 1}, 'unknown option'),
    ({'batch_size': 1}, 'unknown option'), ({'style_weight': 2}, 'expected 0 to 1'),
    ({'style_weight': '1'}, 'expected a number'), ({'style_weight': True}, 'expected a number'),
    ({'style_weight': None}, 'expected a number'), ({'method': 'gatys'}, "expected 'aams'"),
    ({'method': ['aams']}, 'expected a name'), ({'scales': []}, 'one or more'),
    ({'scales': [0]}, 'above 0'), ({'scales': 5 * [1]}, 'at most 4'), ({'scales': 1}, 'a list'),
    ({'patch_size': 4}, 'one of 1, 3, 5, 7'), ({'theta': -1}, 'at least 0'),
    ({'max_length': None}, 'at most 1600'), ({'max_length': 1601}, 'at most 1600'),
    ({'max_length': 0}, 'at least 1'), ({'max_length': 10.5}, 'whole number'),
    ({'attention_length': 0}, 'at least 1'), ({'keep_colours': 1}, 'True or False'),
    ({'method': 'wct', 'theta': 3}, 'theta has no meaning'),
    ({'method': 'adain', 'return_attention_map': True}, 'return_attention_map has no meaning'),
    ({'style_weight': json.loads(90 * '[' + 90 * ']')}, 'expected a number'),
    ({'method': 'x' * 1_000_000}, "expected 'aams'"), ({'y' * 1_000_000: 1}, 'unknown option')])
def test_options(server, refused, content, style, options, reason):
    refused(server.call(base64_of(content), base64_of(style), **options), 422, reason)


def png_header(columns, rows):
    """A PNG file that says it has so many pixels, and has none."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack(
            '>I', zlib.crc32(kind + data))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack(
        '>IIBBBBB', columns, rows, 8, 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(b'')) + chunk(
        b'IEND', b'')


def bomb(side):
    """A whole PNG file of one bit a pixel, which is a thousand times smaller than its picture."""
    file = io.BytesIO()
    Image.new('1', (side, side)).save(file, 'PNG')
    return file.getvalue()


BAD_PICTURES = {
    'text': (b'no picture at all', 'is not a picture of a known kind (JPEG, PNG, WEBP, GIF, BMP)'),
    'html': (b'<html><body>not found</body></html>', 'is not a picture'),
    'nothing': (b'', 'is empty'),
    'truncated PNG': (file_of(noise(1, 48, 64))[:-200], 'cannot be decoded'),
    'truncated JPEG': (file_of(noise(1, 48, 64), 'JPEG')[:400], 'cannot be decoded'),
    'other kind': (file_of(noise(1, 48, 64), 'TIFF'), 'is not a picture'),
    'program': (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', 'is not a picture'),
    'svg': (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'is not a picture'),
    '200 megapixels': (png_header(20_000, 10_000), 'too many pixels'),
    '100 megapixels': (png_header(10_000, 10_000), 'expected at most 25000000'),
    'bomb': (bomb(5_001), '5001x5001 pixels; expected at most 25000000'),
    'larger bomb': (bomb(20_000), 'too many pixels'),
    'no pixels': (png_header(0, 10), ''),
    'strip': (png_header(1, 25_000_000), '1x25000000 pixels; expected at most 30000 along a side'),
    'scans': (file_of(noise(1, 48, 64), 'JPEG') + 1000 * b'\xff\xda', '1001 scans'),
}


@pytest.mark.parametrize('bad', BAD_PICTURES)
@pytest.mark.parametrize('place', ['content', 'style', 'mask'])
def test_bad_pictures(used_server, refused, content, style, bad, place):
    sent, reason = BAD_PICTURES[bad]
    given = {'content': base64_of(content), 'style': base64_of(style), place: base64_of(sent)}
    before = used_server.resident()
    refused(used_server.post({'input': given}), 422, reason)
    refused(used_server.post({'input': given}), 422, f'{place}: ')
    # The smallest of them would take 75 MB once it is decoded, but for what good calls take.
    assert used_server.resident() < before + (400 << 20)


def test_the_bombs_are_small():
    assert len(bomb(20_000)) < 100_000


def test_names_the_style(server, refused, content, style):
    given = {'content': base64_of(content), 'style': [base64_of(style), base64_of(b'text')]}
    refused(server.post({'input': given}), 422, 'style 2 of 2: ')


def test_mask_of_another_shape(server, refused, content, style):
    given = {'content': base64_of(content), 'style': base64_of(style),
             'mask': base64_of(file_of(noise(1, 64, 48)))}
    refused(server.post({'input': given}), 422, 'aspect ratio')


@pytest.mark.parametrize('text, reason', [
    ('/etc/passwd', 'is not a picture'), ('/etc/host.conf', 'neither base64 nor a URL'),
    ('file:///etc/passwd', "of the kind 'file'"), ('FILE:///etc/passwd', "of the kind 'FILE'"),
    ('ftp://8.8.8.8/a.png', "of the kind 'ftp'"), ('oss://bucket/a.png', "of the kind 'oss'"),
    ('file:/etc/passwd', 'neither base64 nor a URL'), ('data:image/png,AAAA', 'neither base64'),
    ('data:text/html;base64,AAAA', 'neither base64'), ('ä', 'neither base64'),
    ('AAAA!', 'neither base64'), ('A', 'neither base64'), ('', 'is empty')])
def test_no_base64_and_no_paths(server, refused, content, text, reason):
    refused(server.call(base64_of(content), text), 422, reason)


def test_paths_of_pictures_are_not_read(server, refused, tmp_path, style):
    path = tmp_path / 'content.png'
    Image.fromarray(noise(1, 48, 64)).save(path)
    for spelling in (str(path), f'file://{path}', f'../{path}'):
        response = server.call(spelling, base64_of(style))
        refused(response, 422, 'content')


@pytest.mark.parametrize('headers, reason', [
    ({'Content-Type': 'text/plain'}, 'application/json'),
    ({'Content-Type': 'multipart/form-data; boundary=x'}, 'application/json'), ({}, 'nothing'),
    ({**PLAIN_JSON, 'Content-Encoding': 'gzip'}, "'gzip'"),
    ({**PLAIN_JSON, 'Content-Encoding': 'br'}, "'br'")])
def test_kinds_of_bodies(server, refused, headers, reason):
    body = gzip.compress(json.dumps({'input': 'A' * 10_000_000}).encode())
    refused(send(server, body, headers), 415, reason)


def test_body_that_is_too_long(used_server, refused):
    """It is refused by what it says, or, where it says nothing, at the limit."""
    before = used_server.resident()
    refused(send(used_server, bytes(33_000_000)), 413, 'at most 32000000 bytes')

    def pieces():
        for _ in range(400):
            yield bytes(1_000_000)
    refused(send(used_server, pieces()), 413, 'at most 32000000 bytes')
    assert used_server.resident() < before + (200 << 20)


def test_body_at_the_limit(server, refused):
    text = base64.b64encode(bytes(23_999_000)).decode()
    refused(server.call(text[:31_999_900], 'AAAA'), 422, 'content: ')


def test_length_that_is_none(server, refused):
    for length in ('-1', '1e3', '9' * 400, '5, 6'):
        connection = http.client.HTTPConnection(*server.url.removeprefix('http://').split(':'))
        connection.putrequest('POST', '/call')
        connection.putheader('Content-Type', 'application/json')
        connection.putheader('Content-Length', length)
        connection.endheaders()
        assert 400 <= connection.getresponse().status < 500
        connection.close()
    refused(server.post({}), 422, 'input is missing')


@pytest.mark.parametrize('half', [
    {'input': {'content': 'AAAA', 'style': 'http://\ud800.invalid/'}},
    {'input': {'content': 'AAAA', 'style': 'AAAA', '\ud800': 1}},
    {'input': {'content': 'AAAA', 'style': 'AAAA'}, 'parameters': {'\ud800': 1}}])
def test_half_a_letter(server, refused, half):
    refused(send(server, json.dumps(half)), 422, '\\ud800')


def test_other_paths_and_methods(server, refused):
    refused(server.client.get('/call'), 405, 'Not Allowed')
    refused(server.client.get('/nothing'), 404, 'Not Found')
    refused(server.client.get('/../../etc/passwd'), 404, 'Not Found')


def test_smallest_and_thinnest_pictures(server, refused, local, style):
    for rows, columns in ((1, 1), (1, 300), (300, 1)):
        content = file_of(np.full((rows, columns, 3), 200, np.uint8))
        answer = server.call(base64_of(content), base64_of(style))
        expected = local({'content': content, 'style': style})['output_img']
        assert (picture_of(answer.json()['output_img']) == expected).all()
