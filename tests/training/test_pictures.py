"""Folders of pictures as people have them, and the crops that are made of them."""
import concurrent.futures
import logging
import os
import pathlib
import threading

import numpy as np
import pytest
from PIL import Image

from modelscope_aams.training import pictures
from modelscope_aams.training.loop import Trainer
from modelscope_aams.training.pictures import Crops, load_rgb, resize_short_side, scan_folder
from modelscope_aams.training.validation import mean_psnr, psnr
from modelscope_aams.training.weights import network_builder
from tests.training.conftest import draw_picture, write_pictures

#: Files that no training can use, and what is said of each.
UNUSABLE = {
    'a/empty.jpg': 'unreadable',
    'a/short.png': 'unreadable',
    'a/text.jpg': 'unreadable',
    'b/grey.jpg': 'mode L',
    'b/rgba.png': 'mode RGBA',
    'b/cmyk.jpg': 'mode CMYK',
    'b/palette.gif': 'mode P',
    'b/sixteen.png': 'mode I;16',
    'captions_train2017.json': 'unreadable',
    'thread.png': '3x90',
}


@pytest.fixture
def mixed(tmp_path):
    """Seven usable pictures of several kinds, two cut off in their data, and UNUSABLE."""
    write_pictures(tmp_path / 'train2017', 5)
    picture = Image.fromarray(draw_picture(50, 60, 80))
    for name in ('a/cut.jpg', 'a/short.png', 'b/grey.jpg', 'b/deep/cut.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    picture.save(tmp_path / 'b' / 'deep' / 'picture.webp')
    picture.save(tmp_path / 'b' / 'picture.bmp')
    picture.save(tmp_path / 'a' / 'cut.jpg')
    picture.save(tmp_path / 'b' / 'deep' / 'cut.png')
    for name, kept in (('a/cut.jpg', 900), ('b/deep/cut.png', 4000)):
        data = (tmp_path / name).read_bytes()
        assert len(data) > kept + 100
        (tmp_path / name).write_bytes(data[:kept])
    (tmp_path / 'a' / 'empty.jpg').touch()
    (tmp_path / 'a' / 'short.png').write_bytes(b'\x89PNG\r\n\x1a\n\0\0')
    (tmp_path / 'a' / 'text.jpg').write_text('no picture')
    (tmp_path / 'captions_train2017.json').write_text('{}')
    picture.convert('L').save(tmp_path / 'b' / 'grey.jpg')
    picture.convert('RGBA').save(tmp_path / 'b' / 'rgba.png')
    picture.convert('CMYK').save(tmp_path / 'b' / 'cmyk.jpg')
    picture.convert('P').save(tmp_path / 'b' / 'palette.gif')
    Image.fromarray(np.full((60, 80), 40000, np.uint16)).save(tmp_path / 'b' / 'sixteen.png')
    picture.resize((3, 90)).save(tmp_path / 'thread.png')
    return tmp_path


def test_what_is_usable_is_found_and_the_rest_named(mixed, caplog):
    with caplog.at_level(logging.INFO, logger='modelscope_aams'):
        folder = scan_folder(mixed)
    names = [path.relative_to(mixed).as_posix() for path in folder.paths]
    assert names == ['a/cut.jpg', 'b/deep/cut.png', 'b/deep/picture.webp', 'b/picture.bmp',
                     *(f'train2017/{number:012d}.jpg' for number in range(5))]
    left_out = {path.relative_to(mixed).as_posix(): reason
                for path, reason in folder.left_out.items()}
    assert set(left_out) == set(UNUSABLE)
    for name, said in UNUSABLE.items():
        assert said in left_out[name], name
    message, = caplog.messages
    assert '9 pictures' in message and '10 files left out' in message
    assert '5 not of three colour channels' in message and 'and 5 more' in message


def test_training_names_what_it_cannot_decode(mixed, tiny, tmp_path_factory, caplog):
    work_dir = tmp_path_factory.mktemp('work')
    recipe = tiny(steps=9, batch_size=1)
    trainer = Trainer(network_builder(recipe), recipe, mixed, work_dir, verbose=0)
    with caplog.at_level(logging.WARNING, logger='modelscope_aams'):
        trainer.train()
    lines = (work_dir / 'left_out.txt').read_text().splitlines()
    listed = {pathlib.Path(line.split(': ')[0]).relative_to(mixed).as_posix() for line in lines}
    assert listed == {*UNUSABLE, 'a/cut.jpg', 'b/deep/cut.png'}
    for name in ('cut.jpg', 'cut.png'):
        assert len([message for message in caplog.messages if name in message]) == 1


def test_training_on_nothing_that_can_be_decoded(tmp_path, tiny):
    write_pictures(tmp_path / 'pictures', 2)
    for path in (tmp_path / 'pictures').iterdir():
        path.write_bytes(path.read_bytes()[:900])
    trainer = Trainer(network_builder(tiny()), tiny(), tmp_path / 'pictures', tmp_path / 'work',
                      verbose=0)
    with pytest.raises(ValueError, match='^none of 2 pictures can be decoded$'):
        trainer.train()
    assert not (tmp_path / 'work' / 'training_state.safetensors').exists()


def test_a_broken_file_is_named_once_by_all_threads(tmp_path, tiny, caplog, monkeypatch):
    write_pictures(tmp_path, 2)
    meeting = threading.Barrier(2)

    def fail(path):
        if path.name.endswith('1.jpg'):
            meeting.wait(240)
            raise OSError('broken')
        return load_rgb(path)

    monkeypatch.setattr(pictures, 'load_rgb', fail)
    crops = Crops(scan_folder(tmp_path).paths, tiny())
    broken = next(number for number in (0, 1) if crops._order(0)[number] == 1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(crops.__getitem__, [broken, broken])
    np.testing.assert_array_equal(first, second)
    assert len(caplog.messages) == 1


def test_order_is_that_of_paths(tmp_path):
    for name in ('b/1.png', 'a/2.png', 'a.png', 'a-b/3.png', 'B/4.png', 'a/10.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(draw_picture(0, 20, 20)).save(tmp_path / name)
    paths = scan_folder(tmp_path).paths
    assert len(paths) == 6 and paths == sorted(paths)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(ValueError, match='is not a folder'):
        scan_folder(tmp_path / 'missing')
    (tmp_path / 'notes.txt').write_text('nothing')
    with pytest.raises(ValueError, match='no readable three-channel picture .1 other'):
        scan_folder(tmp_path)


def test_crops_do_not_depend_on_what_came_before(photographs, tiny):
    paths = scan_folder(photographs).paths
    forwards, single = Crops(paths, tiny()), Crops(paths, tiny())
    crops = [forwards[number] for number in range(20)]
    for number in (19, 3, 7):
        np.testing.assert_array_equal(single[number], crops[number])
    assert crops[0].shape == (32, 32, 3) and crops[0].dtype == np.float32
    assert 0 <= np.min(crops) and np.max(crops) <= 255 and np.max(crops) > 1
    other = Crops(paths, tiny(seed=1))
    assert any((other[number] != crops[number]).any() for number in range(3))


def test_every_picture_comes_once_in_an_epoch(tmp_path, tiny):
    for value in range(5):
        Image.new('RGB', (40, 40), (value * 50, 0, 0)).save(tmp_path / f'{value}.png')
    crops = Crops(scan_folder(tmp_path).paths, tiny())
    epochs = [[int(crops[epoch * 5 + number][0, 0, 0]) for number in range(5)]
              for epoch in range(4)]
    assert all(sorted(epoch) == [0, 50, 100, 150, 200] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_half_of_the_crops_are_mirrored(tmp_path, tiny):
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None], (40, 40, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / 'ramp.png')
    paths = scan_folder(tmp_path).paths

    def mirrored(**settings):
        crops = Crops(paths, tiny(**settings))
        return sum(bool(crops[number][0, 0, 0] > crops[number][0, 1, 0])
                   for number in range(100))

    assert mirrored(flip=False) == 0
    assert 30 < mirrored() < 70


def test_small_pictures_are_enlarged_and_large_ones_kept(tmp_path, tiny):
    Image.fromarray(draw_picture(0, 10, 14)).save(tmp_path / 'small.png')
    assert Crops(scan_folder(tmp_path).paths, tiny())[0].shape == (32, 32, 3)
    large = draw_picture(0, 100, 140)
    Image.fromarray(large).save(tmp_path / 'small.png')
    crop = Crops(scan_folder(tmp_path).paths, tiny(flip=False))[0]
    windows = np.lib.stride_tricks.sliding_window_view(large, crop.shape)
    assert (windows == crop).all(axis=(-3, -2, -1)).any()
    shrunk = Crops(scan_folder(tmp_path).paths, tiny(flip=False, resize=32))[0]
    small = resize_short_side(large, 32)
    assert small.shape == (32, 45, 3)
    assert (np.lib.stride_tricks.sliding_window_view(small, crop.shape) == shrunk).all(
        axis=(-3, -2, -1)).any()


def test_nothing_decodable_is_an_error(tmp_path, tiny):
    Image.fromarray(draw_picture(0, 60, 80)).save(tmp_path / 'cut.jpg')
    path = tmp_path / 'cut.jpg'
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match='none of 1 pictures can be decoded'):
        Crops(scan_folder(tmp_path).paths, tiny())[0]
    with pytest.raises(ValueError, match='none of 1 pictures can be decoded'):
        mean_psnr(None, [path])


def test_pictures_are_turned_as_their_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw_picture(0, 20, 30)).save(tmp_path / 'turned.png', exif=exif)
    np.testing.assert_array_equal(load_rgb(tmp_path / 'turned.png'),
                                  np.rot90(draw_picture(0, 20, 30), -1))


def test_pictures_over_pillows_limit_for_warnings(tmp_path, monkeypatch, recwarn):
    Image.fromarray(draw_picture(0, 20, 30)).save(tmp_path / 'large.png')
    monkeypatch.setattr(pictures.Image, 'MAX_IMAGE_PIXELS', 400)
    assert len(scan_folder(tmp_path).paths) == 1
    # Others may come of whatever is freed just now.
    assert not [each for each in recwarn
                if issubclass(each.category, Image.DecompressionBombWarning)]
    monkeypatch.setattr(pictures.Image, 'MAX_IMAGE_PIXELS', 200)
    with pytest.raises(ValueError, match='no readable'):
        scan_folder(tmp_path)


def test_links_and_pipes_in_the_folder(tmp_path, photographs):
    write_pictures(tmp_path / 'pictures', 1)
    os.mkfifo(tmp_path / 'pipe.jpg')
    (tmp_path / 'dangling.jpg').symlink_to(tmp_path / 'nowhere.jpg')
    (tmp_path / 'again').symlink_to(tmp_path)
    assert len(scan_folder(tmp_path).paths) == 1


def test_psnr():
    a = np.zeros((4, 5, 3), np.uint8)
    assert psnr(a, a) == float('inf')
    assert psnr(a, a + 255) == pytest.approx(0)
    assert psnr(a, np.full_like(a, 16)) == pytest.approx(20 * np.log10(255 / 16))
    with pytest.raises(ValueError, match=r'\(4, 5, 3\).*\(5, 4, 3\)'):
        psnr(a, np.zeros((5, 4, 3), np.uint8))
