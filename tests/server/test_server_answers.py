"""What the server answers, against what the pipeline gives in this process."""
import base64

import pytest
from running_server import base64_of, file_of, noise, picture_of

from modelscope_aams.plugin.options import CallOptions


def same(response, expected):
    assert response.status_code == 200, response.text
    return (picture_of(response.json()['output_img']) == expected['output_img']).all()


@pytest.fixture(scope='module')
def expected(local, content, style):
    """What the pipeline makes of content and style."""
    return local({'content': content, 'style': style})


def test_gives_the_picture_of_the_pipeline(server, content, style, expected):
    response = server.call(base64_of(content), base64_of(style))
    assert response.headers['content-type'] == 'application/json'
    assert set(response.json()) == {'output_img'}
    assert picture_of(response.json()['output_img']).shape == (48, 64, 3)
    assert same(response, expected)


def test_all_spellings_of_base64(server, content, style, expected):
    for_urls = base64.urlsafe_b64encode(content).decode()
    assert {'-', '_'} & set(for_urls)
    for spelling in (for_urls, for_urls.rstrip('='), f'data:image/png;base64,{base64_of(content)}',
                     base64.encodebytes(content).decode(), f' {base64_of(content)}\r\n'):
        assert same(server.call(spelling, base64_of(style)), expected)


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP', 'GIF', 'BMP'])
def test_kinds_of_files(server, local, style, kind):
    content = file_of(noise(3, 40, 56), kind)
    assert same(server.call(base64_of(content), base64_of(style)),
                local({'content': content, 'style': style}))


def test_the_style_may_be_a_parameter(server, content, style, expected):
    body = {'input': base64_of(content), 'parameters': {'style': base64_of(style)}}
    assert same(server.post(body), expected)
    body = {'input': {'content': base64_of(content)}, 'parameters': {'style': [base64_of(style)]}}
    assert same(server.post(body), expected)


@pytest.mark.parametrize('options', [
    {'method': 'adain'}, {'method': 'wct', 'style_weight': 0.5}, {'method': 'avatar-net'},
    {'scales': [0.5, 1], 'theta': 10, 'patch_size': 3, 'inter_weight': 0.5},
    {'max_length': 40, 'attention_length': None, 'keep_colours': True}])
def test_options(server, local, content, style, expected, options):
    response = server.call(base64_of(content), base64_of(style), **options)
    assert not same(response, expected)
    assert same(response, local({'content': content, 'style': style}, **options))


def test_several_styles(server, local, content, style):
    styles = [style, file_of(noise(5, 64, 64))]
    body = {'content': base64_of(content), 'style': list(map(base64_of, styles)),
            'style_weights': [0.8, 0.2]}
    assert same(server.post({'input': body}), local(
        {'content': content, 'style': styles, 'style_weights': [0.8, 0.2]}))


def test_mask_and_attention(server, local, content, style):
    mask = file_of(noise(6, 48, 64)[..., 0])
    body = {'content': base64_of(content), 'style': base64_of(style), 'mask': base64_of(mask),
            'attention': base64_of(mask)}
    assert same(server.post({'input': body}), local(
        {'content': content, 'style': style, 'mask': mask, 'attention': mask}))


def test_attention_and_strokes_are_grey_pictures(server, local, content, style):
    options = {'return_attention_map': True, 'return_stroke_weights': True}
    answer = server.call(base64_of(content), base64_of(style), **options).json()
    result = local({'content': content, 'style': style}, **options)
    assert set(answer) == {'output_img', 'attention_map', 'stroke_weights'}
    planes = [answer['attention_map'], *answer['stroke_weights']]
    expected = [result['attention_map'], *result['stroke_weights'].transpose(2, 0, 1)]
    assert len(planes) == len(expected) == 5
    for plane, values in zip(map(picture_of, planes), expected):
        assert plane.shape == (48, 64) and plane.max() > plane.min()
        # Half a grey level of rounding.
        assert abs(plane / 255 - values).max() <= 0.502 / 255


def test_describes_itself(server):
    description = server.client.get('/describe').json()
    assert description['schema']['task_name'] == 'image-style-transfer'
    schema = description['schema']['schema']
    assert set(schema) == {'input', 'parameters', 'output'}
    options = schema['parameters']['properties']
    defaults = {name: option['default'] for name, option in options.items() if name != 'style'}
    assert CallOptions().updated(defaults) == CallOptions()
    assert set(defaults) == set(vars(CallOptions()))
    assert {'content', 'style', 'mask'} <= set(schema['input']['properties'])


def test_its_sample_can_be_sent(server, local):
    sample = server.client.get('/describe').json()['sample']
    pictures = {name: base64.b64decode(text) for name, text in sample['input'].items()}
    assert same(server.post(sample), local(pictures, **sample['parameters']))


def test_documents_its_own_call(server):
    assert 'swagger' in server.client.get('/docs').text
    paths = server.client.get('/openapi.json').json()['paths']
    assert set(paths) == {'/call', '/describe', '/health'}
    body = paths['/call']['post']['requestBody']['content']['application/json']
    assert 'style_weight' in body['schema']['properties']['parameters']['properties']
    assert 'content' in body['example']['input']


def test_documents_its_answers(server, content, style):
    answers = server.client.get('/openapi.json').json()['paths']['/call']['post']['responses']
    assert set(answers) == {'200', '400', '408', '413', '415', '422', '500', '503'}
    part = {status: answer['content']['application/json']['schema']
            for status, answer in answers.items()}
    for response in (
            server.call(base64_of(content), base64_of(style), return_attention_map=True,
                        return_stroke_weights=True),
            server.client.post('/call', content=b'{', headers={'Content-Type': 'application/json'}),
            server.client.post('/call'), server.post({})):
        documented = part[str(response.status_code)]
        assert set(documented['required']) <= set(response.json())
        assert set(response.json()) <= set(documented['properties'])


def test_health_is_that_of_modelscope(server):
    response = server.client.get('/health')
    assert (response.status_code, response.json()['Success']) == (200, True)


def test_other_sites_are_not_let_in(server, content, style):
    """Neither is a browser told that it may, nor is a body taken that it sends unasked."""
    origin = {'Origin': 'http://elsewhere.example'}
    asked = server.client.options('/call', headers={
        **origin, 'Access-Control-Request-Method': 'POST'})
    assert asked.status_code == 405
    answered = server.client.get('/health', headers=origin)
    assert not [name for name in (*asked.headers, *answered.headers)
                if name.startswith('access-control')]
    sent = server.client.post('/call', content=b'{}', headers={'Content-Type': 'text/plain'})
    assert sent.status_code == 415
