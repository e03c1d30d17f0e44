import os

import pytest

from modelscope_aams.cli.result_paths import Job, check_outputs, plan_jobs


def touch(*paths):
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()


def test_a_file_goes_to_a_file(tmp_path):
    content, output = tmp_path / 'a.jpg', tmp_path / 'b.png'
    assert plan_jobs(content, output) == [Job(content, output, None)]
    assert plan_jobs(content, output, True) == [Job(content, output, tmp_path / 'b.attention.png')]


def test_a_file_goes_into_a_folder_under_its_name(tmp_path):
    content = tmp_path / 'a.jpg'
    assert plan_jobs(content, tmp_path)[0].output == tmp_path / 'a.jpg'
    assert plan_jobs(content, f'{tmp_path}/new/')[0].output == tmp_path / 'new' / 'a.jpg'
    assert plan_jobs(tmp_path / 'a.gif', tmp_path)[0].output == tmp_path / 'a.gif.png'


def test_a_folder_gives_its_pictures_by_name(tmp_path):
    folder, results = tmp_path / 'in', tmp_path / 'out'
    touch(*(folder / name for name in ('c.JPG', 'a.gif', 'b.png', 'notes.txt', 'e.pdf',
                                      '.hidden.png')))
    (folder / 'd.png').mkdir()
    assert plan_jobs(folder, results) == [
        Job(folder / 'a.gif', results / 'a.gif.png', None),
        Job(folder / 'b.png', results / 'b.png', None),
        Job(folder / 'c.JPG', results / 'c.JPG', None)]


def test_heat_maps_of_pictures_that_differ_in_their_ending_alone_differ(tmp_path):
    touch(*(tmp_path / 'in' / name for name in ('a.jpg', 'a.png', 'b.png')))
    jobs = plan_jobs(tmp_path / 'in', tmp_path / 'out', True)
    assert [job.attention_map.name for job in jobs] == [
        'a.jpg.attention.png', 'a.png.attention.png', 'b.attention.png']


def test_a_folder_does_not_go_to_a_file(tmp_path):
    touch(tmp_path / 'in' / 'a.png', tmp_path / 'out')
    with pytest.raises(ValueError, match='is a file; expected a folder'):
        plan_jobs(tmp_path / 'in', tmp_path / 'out')


def test_a_folder_without_pictures_is_an_error(tmp_path):
    touch(tmp_path / 'in' / 'notes.txt')
    with pytest.raises(ValueError, match='holds no pictures'):
        plan_jobs(tmp_path / 'in', tmp_path / 'out')


def test_an_unknown_ending_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='ending .gif'):
        plan_jobs(tmp_path / 'a.png', tmp_path / 'b.gif')


def test_inputs_are_kept_under_any_name(tmp_path):
    content, link = tmp_path / 'a.png', tmp_path / 'b.png'
    touch(content)
    link.symlink_to(content)
    check_outputs([tmp_path / 'c.png', tmp_path / 'd.png'], [content])
    for output in (content, link, os.path.join(tmp_path, 'x', '..', 'a.png')):
        with pytest.raises(ValueError, match='is an input and would be overwritten'):
            check_outputs([output], [content])


def test_two_results_of_one_name_are_refused(tmp_path):
    touch(tmp_path / 'in' / 'a.gif', tmp_path / 'in' / 'a.gif.png')
    jobs = plan_jobs(tmp_path / 'in', tmp_path / 'out')
    with pytest.raises(ValueError, match='a.gif.png would be written twice'):
        check_outputs([job.output for job in jobs], [])
