"""Input that is unusual works as one would expect; input that is wrong gets one clear line."""
import io
import warnings

import numpy as np
import pytest
from modelscope.pipelines import pipeline
from PIL import Image

TASK = 'image-style-transfer'


@pytest.fixture
def fails(bundled):
    """Calls the pipeline and expects an error of one line that matches."""
    def call(kind, match, *arguments, **options):
        with pytest.raises(kind, match=match) as caught:
            bundled(*arguments, **options)
        assert '\n' not in str(caught.value)
    return call


def test_missing_key(fails, content, style):
    fails(ValueError, 'style missing; expected a dict with content and style',
          {'content': content})
    fails(ValueError, 'content missing', {'style': style})
    fails(ValueError, 'content and style missing', {})
    fails(ValueError, 'style missing', content)
    fails(ValueError, 'content missing', {'content': None, 'style': style})
    fails(ValueError, 'style missing', [content, content], batch_size=2)


def test_error_names_which_picture(fails, content, tmp_path):
    fails(FileNotFoundError, 'style: .*none.png: no such file',
          {'content': content, 'style': str(tmp_path / 'none.png')})
    fails(ValueError, 'content: int is no picture', 5, content)


@pytest.mark.parametrize('damage, match', [
    (lambda whole: whole[:len(whole) // 2], 'cannot be decoded'), (lambda whole: b'', 'is empty'),
    (lambda whole: b'no picture', 'is not a picture of a known kind')])
def test_damaged_files(fails, content, tmp_path, damage, match):
    path = tmp_path / 'a.jpg'
    Image.fromarray(content).save(path)
    path.write_bytes(damage(path.read_bytes()))
    for source in (path, str(path)):
        fails(ValueError, f'content: {path} {match}', source, content)


def test_unreadable_file(fails, content, tmp_path):
    fails(ValueError, f'content: {tmp_path} cannot be read', str(tmp_path), content)


@pytest.mark.parametrize('rows, columns', [(1, 1), (3, 4000), (4000, 3), (1, 900), (23, 25)])
def test_extreme_shapes(bundled, content, style, rows, columns):
    tiny = np.arange(rows * columns * 3, dtype=np.uint32).reshape(rows, columns, 3) % 251
    tiny = tiny.astype(np.uint8)
    found = bundled(tiny, style, return_attention_map=True, return_stroke_weights=True)
    assert found['output_img'].shape == (rows, columns, 3)
    assert found['attention_map'].shape == (rows, columns)
    assert found['stroke_weights'].shape == (rows, columns, 4)
    assert np.isfinite(found['attention_map']).all()


@pytest.mark.parametrize('rows, columns', [(1, 1), (3, 400)])
def test_extreme_styles(bundled, content, rows, columns):
    tiny = np.full((rows, columns, 3), (10, 200, 30), np.uint8)
    tiny[:, :columns // 2] = 255
    assert bundled(content, tiny)['output_img'].shape == content.shape


def test_plain_pictures(bundled, content, style):
    plain = np.full((48, 64, 3), 127, np.uint8)
    for pair in ((plain, style), (content, plain), (plain, plain)):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            found = bundled(*pair, return_attention_map=True)
        assert found['output_img'].shape == (48, 64, 3)
        assert np.isfinite(found['attention_map']).all()


def variant(kind, rgb):
    """A file of the same picture, of an unusual kind."""
    stream, image = io.BytesIO(), Image.fromarray(rgb)
    if kind == 'rgba':
        image.convert('RGBA').save(stream, 'PNG')
    elif kind == '16-bit':
        import cv2
        return cv2.imencode('.png', rgb[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
    elif kind == 'cmyk':
        image.convert('CMYK').save(stream, 'TIFF')
    elif kind == 'palette':
        image.convert('P', palette=Image.Palette.ADAPTIVE).convert('RGB').quantize(256).save(
            stream, 'PNG')
    elif kind == 'animated':
        image.save(stream, 'PNG', save_all=True, append_images=[Image.new('RGB', image.size)])
    return stream.getvalue()


@pytest.mark.parametrize('kind', ['rgba', '16-bit', 'cmyk', 'palette', 'animated'])
def test_unusual_kinds_of_files(bundled, content, style, expected, kind):
    found = bundled(variant(kind, content[..., ::-1]), style)['output_img']
    assert found.shape == content.shape
    if kind == 'palette':
        assert np.isfinite(found).all() and found.std() > 1
    else:
        np.testing.assert_array_equal(found, expected)


def test_nan_arrays(fails, content, style):
    broken = content.astype(np.float32)
    broken[3, 4, 1] = np.nan
    fails(ValueError, r'content: NumPy array of shape .* holds NaN', broken, style)
    fails(ValueError, r'style: NumPy array of shape .* holds NaN', content, broken)


@pytest.mark.parametrize('options, match', [
    ({'inter_weight': 1.5}, 'inter_weight is 1.5; expected 0 to 1'),
    ({'inter_weight': -0.1}, 'inter_weight is -0.1; expected 0 to 1'),
    ({'inter_weight': float('nan')}, 'inter_weight is nan; expected'),
    ({'inter_weight': '0.5'}, "inter_weight is '0.5'; expected a number"),
    ({'inter_weight': None}, 'inter_weight is None; expected a number'),
    ({'inter_weight': True}, 'inter_weight is True; expected a number'),
    ({'theta': -1}, 'theta is -1; expected'),
    ({'theta': [1]}, r'theta is \[1\]; expected a number'),
    ({'scales': []}, r'scales are \(\); expected one or more'),
    ({'scales': [0.5, 1.5]}, r'scales are \(0.5, 1.5\); expected'),
    ({'scales': 0.5}, 'scales is 0.5; expected a list of numbers'),
    ({'scales': ['a']}, "scales is .*'a'.*; expected a list of numbers"),
    ({'max_length': 0}, 'max_length is 0; expected'),
    ({'max_length': 80.5}, 'max_length is 80.5; expected a whole number'),
    ({'max_length': '800'}, "max_length is '800'; expected"),
    ({'attention_length': 0}, 'attention_length is 0; expected a whole number'),
    ({'return_attention_map': 1}, 'return_attention_map is 1; expected True or False')])
def test_options_out_of_range(fails, bundled, content, style, options, match):
    fails(ValueError, match, content, style, **options)
    with pytest.raises(ValueError, match=match) as caught:
        pipeline(TASK, model=bundled.model, **options)
    assert '\n' not in str(caught.value)


def test_unknown_options(fails, bundled, content, style):
    match = 'unknown option interweight; known are inter_weight, .*max_length'
    fails(TypeError, match, content, style, interweight=1)
    with pytest.raises(TypeError, match=match):
        pipeline(TASK, model=bundled.model, interweight=1)


@pytest.mark.parametrize('batch_size', [0, -1])
def test_batch_size(fails, content, style, batch_size):
    fails(ValueError, f'batch_size is {batch_size}; expected at least 1',
          [content], style=style, batch_size=batch_size)


def test_urls_that_give_no_picture(fails, content, picture_server, tmp_path):
    (tmp_path / 'page.html').write_text('<html>')
    server = picture_server(tmp_path)
    fails(ValueError, f'style: {server}/none.png cannot be fetched .*404',
          content, f'{server}/none.png')
    fails(ValueError, f'style: {server}/page.html.*not a picture', content, f'{server}/page.html')
    fails(ValueError, 'style: http://127.0.0.1:9/a.png cannot be fetched',
          content, 'http://127.0.0.1:9/a.png')
    fails(ValueError, 'style: ftp://a/b.png cannot be fetched', content, 'ftp://a/b.png')
