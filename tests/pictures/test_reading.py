"""Every kind of picture that a user may hand over."""
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from modelscope_aams.pictures.reading import PictureError, read_grey, read_rgb

ROWS, COLUMNS = 20, 30


@pytest.fixture
def rgb():
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    return np.stack([rows * 12, columns * 8, (rows + columns) * 5], axis=-1).astype(np.uint8)


@pytest.fixture
def encoded():
    """The bytes of a file that Pillow makes of an image."""
    def encode(image, kind, **options):
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()
    return encode


def opencv_bytes(array, extension):
    return cv2.imencode(extension, array)[1].tobytes()


def test_path_pathlib_and_bytes(rgb, tmp_path):
    path = tmp_path / 'a picture.png'
    Image.fromarray(rgb).save(path)
    for source in (str(path), path, path.read_bytes(), bytearray(path.read_bytes()),
                   memoryview(path.read_bytes())):
        found = read_rgb(source)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, rgb)


@pytest.mark.parametrize('kind', ['BMP', 'TIFF', 'WEBP', 'PPM', 'GIF', 'JPEG'])
def test_kinds_of_files(rgb, encoded, kind):
    options = {'WEBP': {'lossless': True}, 'JPEG': {'quality': 95}}.get(kind, {})
    found = read_rgb(encoded(Image.fromarray(rgb), kind, **options))
    assert np.abs(found.astype(int) - rgb).mean() < (8 if kind in ('GIF', 'JPEG') else 0.01)


def test_arrays_are_bgr(rgb):
    found = read_rgb(rgb[..., ::-1])
    np.testing.assert_array_equal(found, rgb)
    assert found.flags.c_contiguous


@pytest.mark.parametrize('shape', [(ROWS, COLUMNS), (ROWS, COLUMNS, 1)])
def test_grey_arrays(rgb, shape):
    grey = rgb[..., 0].reshape(shape)
    np.testing.assert_array_equal(read_rgb(grey), np.repeat(rgb[..., :1], 3, axis=2))


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64, np.int64, np.int32])
def test_numbers_in_0_to_255(rgb, dtype):
    np.testing.assert_array_equal(read_rgb(rgb[..., ::-1].astype(dtype)), rgb)


def test_rounding_beyond_the_range_is_cut_off():
    found = read_rgb(np.array([[-0.4, 255.3, 99.6]]))
    np.testing.assert_array_equal(found[0, :, 0], [0, 255, 100])


def test_16_bit_arrays(rgb):
    np.testing.assert_array_equal(read_rgb(rgb[..., ::-1].astype(np.uint16) * 257), rgb)


@pytest.mark.parametrize('extension', ['.png', '.tiff'])
@pytest.mark.parametrize('grey', [False, True])
def test_16_bit_files(rgb, extension, grey):
    deep = rgb[..., ::-1].astype(np.uint16) * 257
    expected = np.repeat(rgb[..., 2:], 3, axis=2) if grey else rgb
    deep = deep[..., 0] if grey else deep
    np.testing.assert_array_equal(read_rgb(opencv_bytes(deep, extension)), expected)


def test_16_bit_with_transparency(rgb):
    deep = np.dstack([rgb[..., ::-1], np.full((ROWS, COLUMNS), 255, np.uint8)])
    found = read_rgb(opencv_bytes(deep.astype(np.uint16) * 257, '.png'))
    np.testing.assert_array_equal(found, rgb)


def half_transparent(rgb):
    """RGBA: left opaque, right wholly transparent."""
    alpha = np.full((ROWS, COLUMNS), 255, np.uint8)
    alpha[:, COLUMNS // 2:] = 0
    return np.dstack([rgb, alpha])


@pytest.mark.parametrize('made', ['png', 'webp', 'image', 'array', 'premultiplied'])
def test_transparency_is_laid_on_white(rgb, encoded, made):
    rgba = half_transparent(rgb)
    image = Image.fromarray(rgba)
    source = {'png': lambda: encoded(image, 'PNG'),
              'webp': lambda: encoded(image, 'WEBP', lossless=True),
              'image': lambda: image,
              'array': lambda: rgba[..., [2, 1, 0, 3]],
              'premultiplied': lambda: image.convert('RGBa')}[made]()
    expected = rgb.copy()
    expected[:, COLUMNS // 2:] = 255
    np.testing.assert_array_equal(read_rgb(source), expected)


def test_partial_transparency_mixes_with_white():
    bgra = np.array([[[0, 0, 100, 51]]], np.uint8)
    for source in (bgra, Image.fromarray(bgra[..., [2, 1, 0, 3]])):
        np.testing.assert_array_equal(read_rgb(source), [[[224, 204, 204]]])


def test_palette_with_transparency(encoded):
    image = Image.new('P', (4, 3), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((2, 1), 1)
    found = read_rgb(encoded(image, 'PNG', transparency=0))
    expected = np.full((3, 4, 3), 255)
    expected[1, 2] = 200, 100, 50
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(read_rgb(encoded(image, 'PNG'))[0, 0], [10, 20, 30])


def test_cmyk(encoded):
    image = Image.new('CMYK', (COLUMNS, ROWS), (0, 255, 255, 0))
    for source in (image, encoded(image, 'JPEG', quality=95), encoded(image, 'TIFF')):
        np.testing.assert_allclose(read_rgb(source)[5, 5], [255, 0, 0], atol=3)


def test_first_frame_of_an_animation(encoded):
    frames = [Image.new('RGB', (6, 5), colour) for colour in ('red', 'lime', 'blue')]
    for kind in ('GIF', 'PNG', 'WEBP'):
        options = {'lossless': True} if kind == 'WEBP' else {}
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert getattr(Image.open(io.BytesIO(content)), 'n_frames') == 3
        found = read_rgb(content)
        assert found.shape == (5, 6, 3)
        np.testing.assert_array_equal(found[2, 2], [255, 0, 0])


@pytest.mark.parametrize('as_file', [False, True])
def test_exif_orientation_is_applied(rgb, encoded, as_file):
    image = Image.fromarray(rgb)
    image.getexif()[0x0112] = 6  # To be turned clockwise by a quarter.
    source = encoded(image, 'PNG', exif=image.getexif()) if as_file else image
    np.testing.assert_array_equal(read_rgb(source), np.rot90(rgb, -1))


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'La', 'P', 'PA', 'RGB', 'RGBA', 'RGBa', 'RGBX',
                                  'CMYK', 'YCbCr', 'LAB', 'HSV', 'I', 'F', 'I;16', 'I;16B'])
def test_images_of_every_mode(mode):
    found = read_rgb(Image.new(mode, (4, 3)))
    assert found.shape == (3, 4, 3) and found.dtype == np.uint8


def test_lab_images(rgb):
    assert read_rgb(Image.new('LAB', (2, 2), (255, 128, 128))).min() > 250
    assert read_rgb(Image.new('LAB', (2, 2), (0, 128, 128))).max() < 5


def test_float_images():
    np.testing.assert_array_equal(read_rgb(Image.new('F', (2, 2), 99.7)), np.full((2, 2, 3), 100))


def test_1x1(encoded):
    assert read_rgb(encoded(Image.new('RGB', (1, 1), 'red'), 'PNG')).tolist() == [[[255, 0, 0]]]


def fails(source, match):
    """The error's text: one line that matches."""
    with pytest.raises(PictureError, match=match) as caught:
        read_rgb(source)
    assert '\n' not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing.png: no such file; expected') as caught:
        read_rgb(tmp_path / 'nothing.png')
    assert '\n' not in str(caught.value)


def test_directory(tmp_path):
    fails(tmp_path, f'{tmp_path} cannot be read .*directory')


def test_path_with_a_null_byte():
    fails('a\0b.png', 'cannot be read')


@pytest.mark.parametrize('content, match', [
    (b'', 'is empty'), (b'hello', 'not a picture of a known kind'),
    (b'\x89PNG\r\n\x1a\n', 'not a picture')])
def test_files_that_are_no_pictures(tmp_path, content, match):
    path = tmp_path / 'broken.png'
    path.write_bytes(content)
    fails(path, f'broken.png .*{match}')
    fails(content, f'of {len(content)} bytes .*{match}')


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'GIF', 'WEBP', 'BMP'])
def test_truncated_files(encoded, kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    fails(content[:len(content) // 2], 'cannot be decoded|known kind')


def test_truncated_file_opened_by_the_caller(encoded):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = encoded(Image.fromarray(noise), 'JPEG')
    fails(Image.open(io.BytesIO(content[:len(content) // 2])), 'PIL image .*cannot be decoded')


@pytest.mark.filterwarnings('ignore')  # Pillow tells of damage before it gives up.
def test_damaged_files_give_one_kind_of_error(encoded):
    random = np.random.default_rng(1)
    noise = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
    outcomes = set()
    for kind in ('PNG', 'GIF', 'TIFF', 'WEBP', 'PPM', 'TGA', 'ICO'):
        whole = np.frombuffer(encoded(noise, kind), np.uint8)
        for _ in range(60):
            damaged = whole.copy()
            damaged[random.integers(0, min(80, len(whole)), 4)] = random.integers(0, 256, 4)
            try:
                outcomes.add(read_rgb(damaged.tobytes()).ndim)
            except PictureError as error:
                outcomes.add('refused')
                assert '\n' not in str(error)
    assert outcomes == {3, 'refused'}


def test_decompression_bomb():
    # A PNG of 30000x30000 pixels is 110 kB.
    content = io.BytesIO()
    Image.new('1', (30000, 30000)).save(content, 'PNG')
    fails(content.getvalue(), 'too many pixels')


@pytest.mark.parametrize('read', [read_rgb, read_grey])
def test_kinds_that_are_not_asked_for(read, encoded):
    content = encoded(Image.new('RGB', (8, 5)), 'TIFF')
    assert read(content, kinds=('PNG', 'TIFF')).shape[:2] == (5, 8)
    with pytest.raises(PictureError, match=r'is not a picture of a known kind \(JPEG, PNG\)'):
        read(content, kinds=('JPEG', 'PNG'))


def test_strips_are_no_harm_without_a_limit_alone():
    strip = Image.new('L', (30_001, 1))
    assert read_rgb(strip).shape == (1, 30_001, 3)
    with pytest.raises(PictureError, match='30001x1 pixels; expected at most 30000 along'):
        read_rgb(strip, max_pixels=100_000)


def test_jpegs_of_many_scans(encoded):
    """Scans that repeat themselves: 1 MB of them would take seconds, more for more pixels."""
    whole = encoded(Image.new('L', (8, 8), 200), 'JPEG', progressive=True)
    start = whole.rindex(b'\xff\xda')
    scan, scans = whole[start:-2], whole.count(b'\xff\xda')

    def repeated(count):
        return whole[:start] + (count - scans + 1) * scan + whole[-2:]
    np.testing.assert_array_equal(read_rgb(repeated(1000)), read_rgb(whole))
    fails(repeated(1001), 'has 1001 scans; expected at most 1000')
    fails(repeated(50_000), 'has 50000 scans')


@pytest.mark.parametrize('read', [read_rgb, read_grey])
def test_pictures_of_more_pixels_than_asked_for(read, tmp_path):
    image = Image.new('RGB', (8, 5))
    image.save(tmp_path / 'picture.png')
    content = (tmp_path / 'picture.png').read_bytes()
    for source in (image, tmp_path / 'picture.png', content):
        assert read(source, max_pixels=40).shape[:2] == (5, 8)
        with pytest.raises(PictureError, match='has 8x5 pixels; expected at most 39'):
            read(source, max_pixels=39)
    # It is refused by its head: what would be decoded is not whole.
    with pytest.raises(PictureError, match='8x5'):
        read(content[:-16], max_pixels=39)


@pytest.mark.parametrize('shape', [(), (5,), (4, 5, 2), (4, 5, 5), (1, 4, 5, 3)])
def test_arrays_of_wrong_dimensions(shape):
    fails(np.zeros(shape, np.uint8), r'shape .* is no picture; expected \[rows, columns\]')


@pytest.mark.parametrize('shape', [(0, 5, 3), (5, 0), (0, 0, 3)])
def test_arrays_without_pixels(shape):
    fails(np.zeros(shape, np.uint8), 'has no pixels')


def test_images_without_pixels():
    fails(Image.new('RGB', (0, 5)), 'has no pixels')


@pytest.mark.parametrize('dtype', [bool, complex, object, 'U3', 'datetime64[s]'])
def test_arrays_of_wrong_types(dtype):
    fails(np.zeros((4, 5, 3), dtype), 'expected numbers')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(value):
    array = np.zeros((4, 5, 3), np.float32)
    array[1, 2, 0] = value
    fails(array, r'shape \(4, 5, 3\) and type float32 holds NaN or infinite values')
    fails(Image.fromarray(array[..., 0]), 'holds NaN or infinite values')


@pytest.mark.parametrize('array', [np.full((4, 5), 300.), np.full((4, 5), -3.),
                                   np.full((4, 5), 256), np.full((4, 5), -1)])
def test_values_out_of_range(array):
    fails(array, f'values from {array[0, 0]} to .*expected 0 to 255')


@pytest.mark.parametrize('source', [None, 5, [1, 2], {'content': 'a.png'}, object()])
def test_things_that_are_no_pictures(source):
    fails(source, f'{type(source).__name__} is no picture; expected a picture: a path')


def test_the_callers_image_stays_as_it_was(rgb, encoded):
    image = Image.open(io.BytesIO(encoded(Image.fromarray(rgb), 'GIF', save_all=True,
                                          append_images=[Image.new('RGB', (COLUMNS, ROWS))])))
    image.seek(1)
    assert read_rgb(image).max() == 0
    assert image.tell() == 1


def test_grey_of_every_kind_of_picture(rgb, tmp_path):
    levels = rgb[..., 0]
    path = tmp_path / 'mask.png'
    Image.fromarray(levels).save(path)
    for source in (levels, levels[..., None], path, path.read_bytes(), Image.fromarray(levels),
                   np.repeat(levels[..., None], 3, axis=2), levels.astype(np.uint16) * 257):
        found = read_grey(source)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, levels / np.float32(255))
    # Of colours, the luma: green is lighter than red, and red than blue.
    blue, green, red = read_grey(np.eye(3, dtype=np.uint8)[None] * 255)[0]
    assert 0 < blue < red < green < 1


def test_grey_arrays_of_floats_and_booleans_go_to_one():
    levels = np.float64([[0, 0.12345], [0.5, 1]])
    for source in (levels, levels[..., None], levels.astype(np.float32)):
        np.testing.assert_array_equal(read_grey(source), levels.astype(np.float32))
    np.testing.assert_array_equal(read_grey(levels > 0.3), np.float32([[0, 0], [1, 1]]))
    np.testing.assert_array_equal(read_grey(np.float32([[-1e-6, 1 + 1e-6]])), [[0, 1]])


@pytest.mark.parametrize('array, match', [
    (np.ones((4, 5, 3)), 'no grey picture; expected .rows, columns.'),
    (np.ones(4, bool), 'no grey picture'), (np.ones((0, 4)), 'has no pixels'),
    (np.full((2, 2), 255.0), 'holds values from 255.0 to 255.0; expected 0 to 1'),
    (np.full((2, 2), -0.1), 'expected 0 to 1'), (np.full((2, 2), np.nan), 'holds NaN')])
def test_arrays_that_are_no_grey(array, match):
    with pytest.raises(PictureError, match=f'NumPy array of shape .* {match}') as caught:
        read_grey(array)
    assert '\n' not in str(caught.value)


def test_grey_of_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.png: no such file'):
        read_grey(tmp_path / 'none.png')
    with pytest.raises(PictureError, match='int is no picture'):
        read_grey(5)
