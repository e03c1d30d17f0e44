"""The page in a browser: real uploads, and the pixels that the pipeline gives."""
import re
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from studio_process import MAX_PIXELS, PATIENCE, Visitor

from modelscope_aams.pictures.heat_map import heat_map
from modelscope_aams.pictures.reading import read_rgb
from modelscope_aams.pictures.stroke_map import stroke_colours, stroke_map

STAGES = ('Reading the pictures', 'Looking at the style', 'Looking at the photograph',
          'Choosing strokes', 'Painting', 'Finishing')

# Keeps each text that the result's place shows from now on.
WATCH = '''place => {
    window.seen = [];
    new MutationObserver(() => window.seen.push(place.innerText))
        .observe(place, {subtree: true, childList: true, characterData: true});
}'''
# What an <img> shows, as RGBA.
PIXELS = '''async image => {
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return {rows: canvas.height, columns: canvas.width,
            data: [...context.getImageData(0, 0, canvas.width, canvas.height).data]};
}'''


def upload(page, name, path):
    place = page.locator(f'#{name}')
    place.locator('input[type=file]').set_input_files(path)
    place.locator('img').wait_for()


def upload_both(page, pictures):
    for name in ('content', 'style'):
        upload(page, name, pictures[name])


def press(page):
    """Presses the button, and waits for the result and for all that comes with it."""
    before = page.locator('#picture img').get_attribute('src') if shown(page, '#picture') else ''
    page.locator('#run').click()
    page.wait_for_function(
        '''before => { const image = document.querySelector('#picture img');
                       return image && image.src != before; }''', arg=before)
    expect(page.locator('#picture [data-testid=status-tracker].hide')).to_be_attached()


def shown(page, place):
    return page.locator(f'{place} img').count() > 0


def seen(page, place):
    """The pixels that the page shows at a place, uint8 RGB."""
    found = page.locator(f'{place} img').evaluate(PIXELS)
    rgba = np.array(found['data'], np.uint8).reshape(found['rows'], found['columns'], 4)
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def downloaded(page, folder):
    """(name, uint8 RGB) of what the button for it gives."""
    with page.expect_download() as waiting:
        page.locator('#download').click()
    path = folder / 'downloaded.png'
    waiting.value.save_as(path)
    with Image.open(path) as image:
        assert image.format == 'PNG'
    return waiting.value.suggested_filename, read_rgb(path)


def open_more_settings(page):
    page.get_by_text('More settings').click()
    # They are built only then.
    for control in ('theta', 'patch_size', 'max_length'):
        page.locator(f'#{control}').wait_for()


def choose_method(page, name):
    page.get_by_label('Method').click()
    page.get_by_role('option', name=re.compile(name)).click()


def result(bundled, pictures, **options):
    return bundled(str(pictures['content']), str(pictures['style']), **options)


def rgb(result):
    return result['output_img'][..., ::-1]


@pytest.fixture(scope='module')
def defaults(bundled, pictures):
    """What the pipeline gives without any option."""
    return result(bundled, pictures, return_attention_map=True, return_stroke_weights=True)


def test_the_picture_is_the_pipelines(open_page, pictures, defaults, tmp_path):
    page = open_page()
    upload_both(page, pictures)
    page.locator('#picture').evaluate(WATCH)
    press(page)
    expected = rgb(defaults)
    # Held upright: EXIF turns it.
    assert expected.shape == (96, 64, 3)
    np.testing.assert_array_equal(seen(page, '#picture'), expected)
    name, picture = downloaded(page, tmp_path)
    assert name == 'my-photo-in-ink.png'
    np.testing.assert_array_equal(picture, expected)
    expect(page.locator('#download')).to_have_text('Download (64 × 96, PNG)')
    told = [stage for text in page.evaluate('window.seen') for stage in STAGES if stage in text]
    order = [stage for i, stage in enumerate(told) if stage not in told[:i]]
    assert len(order) >= 2 and order == sorted(order, key=STAGES.index)


def test_maps_of_attention_and_strokes(open_page, pictures, defaults):
    page = open_page()
    upload_both(page, pictures)
    press(page)
    content = read_rgb(pictures['content'])
    np.testing.assert_array_equal(
        seen(page, '#attention'), heat_map(content, defaults['attention_map']))
    weights = defaults['stroke_weights']
    np.testing.assert_array_equal(seen(page, '#strokes'), stroke_map(content, weights))
    legend = page.locator('#legend')
    expect(legend).to_have_text('coarse{}fine'.format(''.join(
        f'{share:.0%}' for share in weights.mean(axis=(0, 1), dtype=float))))
    colours = legend.locator('i').evaluate_all(
        'all => all.map(each => getComputedStyle(each).backgroundColor)')
    assert colours == [f'rgb{colour}' for colour in stroke_colours(4)]


def test_every_control_reaches_the_pipeline(open_page, bundled, pictures):
    page = open_page()
    pictures = {**pictures, 'content': pictures['wide']}
    upload_both(page, pictures)
    open_more_settings(page)
    for label, value in (('Amount of style', '0.6'), ('How sharply strokes change', '20'),
                         ('Work on at most', '128')):
        box = page.get_by_role('spinbutton', name=re.compile(label))
        box.fill(value)
        box.blur()
    page.get_by_label("Keep the photograph's colours").check()
    page.locator('#scales').get_by_label('3', exact=True).check()
    page.locator('#patch_size').get_by_label('7', exact=True).check()
    press(page)
    options = {'style_weight': 0.6, 'keep_colours': True, 'scales': (0.5, 1.0), 'theta': 20,
               'patch_size': 7, 'max_length': 128}
    expected = rgb(result(bundled, pictures, **options))
    np.testing.assert_array_equal(seen(page, '#picture'), expected)
    # Without any of them it would be another picture.
    for name in options:
        others = {other: value for other, value in options.items() if other != name}
        assert (rgb(result(bundled, pictures, **others)) != expected).any(), name


@pytest.mark.parametrize('name, method, hidden', [
    ('AdaIN', 'adain', ('scales', 'theta', 'patch_size')),
    ('Avatar-Net', 'avatar-net', ('scales', 'theta'))])
def test_another_method(open_page, bundled, pictures, tmp_path, name, method, hidden):
    page = open_page()
    upload_both(page, pictures)
    press(page)
    open_more_settings(page)
    controls = ('method', 'style_weight', 'keep_colours', 'scales', 'theta', 'patch_size',
                'max_length')
    for control in controls:
        expect(page.locator(f'#{control}')).to_be_visible()
    choose_method(page, name)
    for control in hidden:
        expect(page.locator(f'#{control}')).to_be_hidden()
    for control in set(controls) - set(hidden):
        expect(page.locator(f'#{control}')).to_be_visible()
    press(page)
    expected = rgb(result(bundled, pictures, method=method))
    np.testing.assert_array_equal(seen(page, '#picture'), expected)
    np.testing.assert_array_equal(downloaded(page, tmp_path)[1], expected)
    for place in ('#maps', '#legend'):
        expect(page.locator(place)).to_be_hidden()
    choose_method(page, 'AAMS')
    page.locator('#theta').wait_for()
    press(page)
    page.locator('#strokes img').wait_for()


@pytest.mark.parametrize('name, file, message', [
    ('content', 'text', 'The photograph cannot be used: notes.png is not a picture of a known '
                        'kind (JPEG, PNG, WEBP, GIF, BMP).'),
    ('style', 'large', 'The style cannot be used: large.png has 501x500 pixels; expected at '
                       f'most {MAX_PIXELS}.')])
def test_an_unusable_picture_is_named_and_the_page_works_on(
        open_page, pictures, defaults, name, file, message):
    page = open_page()
    upload_both(page, {**pictures, name: pictures[file]})
    page.locator('#run').click()
    page.get_by_text(message, exact=True).wait_for()
    assert not shown(page, '#picture')
    page.locator(f'#{name}').get_by_label(re.compile('Remove|Clear')).click()
    upload(page, name, pictures[name])
    press(page)
    np.testing.assert_array_equal(seen(page, '#picture'), rgb(defaults))


def test_what_is_missing_is_named(open_page, pictures):
    page = open_page()
    page.locator('#run').click()
    page.get_by_text('Choose a photograph first.', exact=True).wait_for()
    upload(page, 'content', pictures['content'])
    page.locator('#run').click()
    page.get_by_text('Choose a style first.', exact=True).wait_for()


def test_a_file_name_is_no_html(open_page, pictures, tmp_path):
    path = tmp_path / '<img src=x onerror=alert(1)>.png'
    path.write_text('no picture')
    page = open_page()
    upload_both(page, {**pictures, 'content': path})
    page.locator('#run').click()
    toast = page.get_by_text(re.compile('is not a picture of a known kind'))
    toast.wait_for()
    assert toast.locator('img').count() == 0


def test_examples_fill_both_places(open_page, bundled):
    page = open_page()
    page.locator('#examples tbody tr').nth(1).click()
    for name in ('content', 'style'):
        page.locator(f'#{name} img').wait_for()
    content, style = (page.locator(f'#{name} img').get_attribute('src')
                      for name in ('content', 'style'))
    assert content.endswith('/content_coffee.jpg') and style.endswith('/style_watercolour.jpg')
    choose_method(page, 'AdaIN')
    page.locator('#theta').wait_for(state='hidden')
    press(page)
    files = [page.request.get(address).body() for address in (content, style)]
    np.testing.assert_array_equal(
        seen(page, '#picture'), rgb(bundled(*files, method='adain')))


def test_in_chinese(open_page, pictures):
    page = open_page(locale='zh-CN')
    expect(page.locator('#run')).to_have_text('开始绘制')
    expect(page.get_by_label('方法')).to_have_value('AAMS：按注意力选择笔触')
    page.locator('#run').click()
    page.get_by_text('请先选择一张照片。', exact=True).wait_for()
    upload_both(page, {**pictures, 'style': pictures['text']})
    page.locator('#run').click()
    page.get_by_text('这张风格图无法使用，请换一张。（notes.png ').wait_for()
    page.locator('#style').get_by_label(re.compile('Remove|Clear')).click()
    upload(page, 'style', pictures['style'])
    press(page)
    expect(page.locator('#download')).to_have_text('下载（64 × 96，PNG）')
    assert '__i18n__' not in page.content().split('</head>')[1].split('<script')[0]


def boxes(page, *places):
    """Where they are, all at one moment, as the page scrolls to its result."""
    return page.evaluate('''places => places.map(place =>
        document.querySelector(place).getBoundingClientRect().toJSON())''', places)


@pytest.mark.parametrize('width, height', [(1280, 900), (390, 844), (320, 600)])
def test_layout(open_page, pictures, tmp_path, width, height):
    page = open_page(width, height)
    page.screenshot(path=tmp_path / 'before.png', full_page=True)
    upload_both(page, pictures)
    press(page)
    page.locator('#strokes img').wait_for()
    page.screenshot(path=tmp_path / 'after.png', full_page=True)
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    given, content, style, run, picture, settings = boxes(
        page, '#given', '#content', '#style', '#run', '#picture', '#settings')
    assert content['right'] <= style['x'] and style['bottom'] <= run['y']
    if width > 1000:
        # Beside each other, the result the larger.
        assert given['right'] <= picture['x'] and given['bottom'] <= settings['y']
        assert picture['width'] > given['width'] and run['bottom'] < height
    else:
        assert run['bottom'] <= picture['y'] and picture['bottom'] <= settings['y']
        assert picture['width'] > 0.88 * width


def test_no_file_but_its_own(address, pictures):
    for path in ('/etc/passwd', __file__, str(pictures['style'])):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f'{address}gradio_api/file={path}', timeout=PATIENCE)
        assert refused.value.code == 403


def test_the_queue_is_bounded(address):
    """What comes when too many wait is refused, until what was taken is done."""
    visitor = Visitor(address)
    # The first hold up the others, however slowly these come.
    assert {visitor.join(f'crowd{number}', method='aams' if number < 4 else 'adain')
            for number in range(60)} == {200, 503}
    end = time.monotonic() + PATIENCE
    while visitor.join('later', method='adain', max_length=256) == 503:
        assert time.monotonic() < end
        time.sleep(0.2)
