"""Files and folders that are whole or not there."""
import pathlib

import pytest

from modelscope_aams.checkpoints.atomic import write_atomically, write_directory_atomically


def write_file(text):
    return lambda path: pathlib.Path(path).write_text(text)


def write_folder(text):
    return lambda path: (pathlib.Path(path) / 'file').write_text(text)


def breaking(write):
    def broken(path):
        write(path)
        raise RuntimeError('no space')
    return broken


def test_file_takes_the_place_of_another(tmp_path):
    (tmp_path / 'out').write_text('old')
    write_atomically(tmp_path / 'out', write_file('new'))
    assert (tmp_path / 'out').read_text() == 'new'
    assert [path.name for path in tmp_path.iterdir()] == ['out']


@pytest.mark.parametrize('there', [False, True])
def test_folder_is_put_in_place(tmp_path, there):
    out = tmp_path / 'made' / 'out'
    if there:
        out.mkdir(parents=True)
    write_directory_atomically(out, write_folder('new'))
    assert (out / 'file').read_text() == 'new'
    assert out.stat().st_mode & 0o777 == 0o755
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize('write', [
    lambda path: write_atomically(path, breaking(write_file('new'))),
    lambda path: write_directory_atomically(path, breaking(write_folder('new')))])
def test_nothing_is_left_of_what_fails(tmp_path, write):
    with pytest.raises(RuntimeError, match='no space'):
        write(tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_folder_with_something_in_it_is_left_alone(tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'file').write_text('old')
    with pytest.raises(OSError):
        write_directory_atomically(out, write_folder('new'))
    assert (out / 'file').read_text() == 'old'
    assert list(tmp_path.iterdir()) == [out]
