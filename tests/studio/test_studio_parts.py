"""What the page is made of, without a page: controls, texts, reading and painting."""
import dataclasses
import string

import cv2
import numpy as np
import pytest
from PIL import Image

from modelscope_aams.network.options import METHODS
from modelscope_aams.network.progress import STAGES
from modelscope_aams.pictures.reading import PictureError
from modelscope_aams.pictures.writing import write_rgb
from modelscope_aams.plugin.options import CallOptions
from modelscope_aams.studio import controls, labels, painting

DEFAULTS = {'method': 'aams', 'style_weight': 1, 'keep_colours': False, 'scales': 4,
            'theta': 50, 'patch_size': 5, 'max_length': 800}


def call_options(**values):
    return controls.call_options(**{**DEFAULTS, **values})


def test_untouched_controls_are_the_pipelines_defaults():
    options = CallOptions().updated(call_options())
    assert options == dataclasses.replace(
        CallOptions(), return_attention_map=True, return_stroke_weights=True)


@pytest.mark.parametrize('method', METHODS)
def test_what_has_no_meaning_is_left_out(method):
    touched = call_options(method=method, scales=2, theta=3, patch_size=7, style_weight=0.5,
                           keep_colours=True, max_length=640)
    kept = {'aams': {'scales', 'theta', 'patch_size', 'return_attention_map',
                     'return_stroke_weights'},
            'avatar-net': {'patch_size'}, 'wct': set(), 'adain': set()}[method]
    assert set(touched) == {'method', 'style_weight', 'keep_colours', 'max_length', *kept}
    assert CallOptions().updated(touched).max_length == 640


@pytest.mark.parametrize('strokes', controls.SCALES_FOR)
def test_so_many_strokes(strokes):
    scales = call_options(scales=strokes)['scales']
    # The content is one more.
    assert len(scales) == strokes - 1 and list(scales) == sorted(set(scales))


@pytest.mark.parametrize('values, message', [
    ({'scales': 9}, 'number of strokes is 9; expected one of 2, 3, 4, 5'),
    ({'max_length': 5000}, 'longest side is 5000; expected a whole number from 128 to 1600'),
    ({'max_length': None}, 'longest side is None'),
    ({'style_weight': 2}, 'style_weight is 2; expected 0 to 1'),
    ({'method': 'gatys'}, "method is 'gatys'; expected 'aams'")])
def test_values_that_no_control_has(values, message):
    with pytest.raises(ValueError, match=message):
        call_options(**values)


def test_every_text_is_in_both_languages():
    for key, (english, chinese) in labels.TEXTS.items():
        assert english and chinese and english != chinese, key
        fields = [[field for _, field, _, _ in string.Formatter().parse(text) if field]
                  for text in (english, chinese)]
        assert sorted(fields[0]) == sorted(fields[1]), key
        assert any('一' <= letter <= '鿿' for letter in chinese), key
        assert english.replace('×', 'x').isascii(), key
    for stage in (*STAGES, painting.READING, painting.FINISHING, 'strokes'):
        assert labels.text(f'stage_{stage}')
    for method in METHODS:
        assert labels.text(method)


@pytest.mark.parametrize('header, language', [
    ('zh-CN,zh;q=0.9,en;q=0.8', 'zh'), ('zh-TW', 'zh'), ('en-GB,en;q=0.9,zh-CN;q=0.1', 'en'),
    ('zh-HK,zh-CN;q=0.9', 'en'), ('de-DE,zh-TW;q=0.4', 'en'), ('', 'en'), (None, 'en')])
def test_the_browsers_language(header, language):
    assert labels.preferred(header) == language


def test_an_upload_is_called_as_its_owner_does(tmp_path):
    path = tmp_path / '3f2a.png'
    path.write_text('no picture')
    with pytest.raises(PictureError, match='^cat.jpg is not a picture of a known kind'):
        painting.read_upload(str(path), 'cat.jpg', None)
    with pytest.raises(PictureError, match='^cat.jpg: no such file'):
        painting.read_upload(str(tmp_path / 'gone.png'), 'cat.jpg', None)
    Image.new('RGB', (30, 20)).save(path, 'TIFF')
    with pytest.raises(PictureError, match='^cat.jpg is not a picture of a known kind'):
        painting.read_upload(str(path), 'cat.jpg', None)
    Image.new('RGB', (30, 20)).save(path)
    with pytest.raises(PictureError, match='^cat.jpg has 30x20 pixels; expected at most 599'):
        painting.read_upload(str(path), 'cat.jpg', 599)
    assert painting.read_upload(str(path), 'cat.jpg', 600).shape == (20, 30, 3)


@pytest.mark.parametrize('content, style, name', [
    ('my photo.jpg', 'Ink & oil.PNG', 'my-photo-in-Ink-oil.png'),
    ('../../etc/passwd', 'C:\\a.png', 'passwd-in-C-a.png'),
    ('照片.jpg', '...', '照片-in-picture.png'),
    ('a' * 300, 'b.png', f'{"a" * 40}-in-b.png')])
def test_names_of_results(content, style, name):
    assert painting.result_name(content, style) == name


def test_a_files_name_is_short_in_bytes_too(tmp_path):
    name = painting.result_name(100 * '\U00020000' + '.png', 100 * '\U00020000')
    assert name == f'{20 * chr(0x20000)}-in-{20 * chr(0x20000)}.png'
    # The photograph's and the style's, in Chinese; while it is written it has a longer name.
    write_rgb(tmp_path / painting.result_name(80 * '照', 80 * '画'), np.zeros((2, 2, 3), np.uint8))


def test_progress_only_grows():
    stages = [painting.READING, *STAGES, painting.FINISHING]
    shares = [painting.share_done(stage, done) for stage in stages for done in (0, 0.5, 0.99)]
    assert shares == sorted(set(shares))
    assert shares[0] == 0 and shares[-1] < 1 == painting.share_done(painting.FINISHING, 1)


def test_large_maps_are_shown_smaller(bundled):
    noise = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)
    content = cv2.resize(noise, (900, 60), interpolation=cv2.INTER_CUBIC)
    told = []
    painted = painting.paint(bundled, content, content[:, :80], call_options(max_length=160),
                             lambda *call: told.append(call))
    assert painted.picture.shape == (60, 900, 3)
    assert painted.painted_at == (10, 160)
    assert painted.attention.shape == painted.strokes.shape == (53, 800, 3)
    assert sum(painted.shares) == pytest.approx(1, abs=1e-5) and len(painted.shares) == 4
    assert told[-1] == (painting.FINISHING, 0) and told[0][0] == STAGES[0]
