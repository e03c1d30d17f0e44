import numpy as np
import pytest

from modelscope_aams.pictures.reading import PictureError, read_rgb
from modelscope_aams.pictures.writing import FORMATS, is_writable, require_writable, write_rgb

ROWS, COLUMNS = np.mgrid[:25, :40]
SLOPE = np.stack([6 * COLUMNS, 6 * ROWS, 0 * ROWS + 90], axis=-1).astype(np.uint8)


@pytest.mark.parametrize('ending', [*FORMATS, '.PNG'])
def test_what_is_written_is_read_again(tmp_path, ending):
    path = tmp_path / 'new' / f'picture{ending}'
    write_rgb(path, SLOPE)
    lossless = ending.lower() not in ('.jpg', '.jpeg', '.webp')
    assert np.abs(read_rgb(path).astype(int) - SLOPE).max() <= (0 if lossless else 12)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize('name, named', [
    ('picture.gif', 'has the ending .gif'), ('picture', 'has no ending'), ('.png', 'no ending')])
def test_an_unknown_ending_is_named_and_nothing_written(tmp_path, name, named):
    path = tmp_path / name
    assert not is_writable(path)
    with pytest.raises(PictureError, match=f'{named}; expected one of .png'):
        require_writable(path)
    with pytest.raises(PictureError):
        write_rgb(path, SLOPE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name, size', [('wide.webp', (1, 17000)), ('high.jpg', (66000, 1))])
def test_a_picture_that_the_format_cannot_hold_leaves_the_old_file(tmp_path, name, size):
    path = tmp_path / name
    path.write_bytes(b'old')
    said = f'{path}: {size[1]}x{size[0]} pixels cannot be'
    with pytest.raises(PictureError, match=said) as caught:
        write_rgb(path, np.zeros((*size, 3), np.uint8))
    assert '\n' not in str(caught.value)
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_that_cannot_be_written_keeps_its_reason(tmp_path):
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(IsADirectoryError):
        write_rgb(tmp_path / 'folder.png', SLOPE)
    assert [file.name for file in tmp_path.iterdir()] == ['folder.png']
