"""What is kept of an evaluation between runs."""
import json

import pytest

from modelscope_aams.evaluation.records import RECORDS_NAME, Key, Records

SETTINGS = {'style weights': (0.5, 1.0), 'network': ['abc', 'NetworkConfiguration()']}
KEYS = [Key('bridge', 'wave', 'aams'), Key('bridge', 'wave', 'wct'), Key('brücke', 'a "b"', 'wct')]


@pytest.fixture
def folder(tmp_path):
    """An evaluation with the first two records."""
    records = Records(tmp_path / 'out', SETTINGS)
    for number, key in enumerate(KEYS[:2]):
        records.add(key, [{'style_weight': 0.5, 'ssim': number / 3, 'attention': None},
                          {'style_weight': 1.0, 'layers': [1 / 3, 2 / 3]}])
    return tmp_path / 'out'


def test_records_are_there_again_as_they_were_given_first(folder):
    records = Records(folder, SETTINGS)
    assert KEYS[0] in records and KEYS[1] in records and KEYS[2] not in records
    assert records[KEYS[1]] == [{'style_weight': 0.5, 'ssim': 0.333333, 'attention': None},
                                {'style_weight': 1.0, 'layers': [0.333333, 0.666667]}]
    records.add(KEYS[2], [{'ssim': 1 / 7}])
    assert records[KEYS[2]] == Records(folder, SETTINGS)[KEYS[2]] == [{'ssim': 0.142857}]


@pytest.mark.parametrize('cut', [1, 20, 60])
def test_a_record_that_was_cut_off_is_forgotten(folder, cut):
    path = folder / RECORDS_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    records = Records(folder, SETTINGS)
    assert KEYS[0] in records and KEYS[1] not in records
    measured = json.loads(whole.splitlines()[1])['measured']
    records.add(KEYS[1], measured)
    assert path.read_bytes() == whole


@pytest.mark.parametrize('settings, named', [
    ({**SETTINGS, 'style weights': [0.5]}, 'other style weights;'),
    ({**SETTINGS, 'network': ['abd', SETTINGS['network'][1]]}, 'other network;'),
    ({'network': SETTINGS['network']}, 'other style weights;'),
    ({**SETTINGS, 'network': [], 'more': 1}, 'other network, more;'),
])
def test_other_settings_are_refused(folder, settings, named):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match=f'out holds an evaluation with {named}'):
        Records(folder, settings)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / 'photo.jpg').write_bytes(b'kept')
    for path in (tmp_path, tmp_path / 'photo.jpg'):
        with pytest.raises(ValueError, match='is there and holds no evaluation'):
            Records(path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ['photo.jpg']
    (tmp_path / 'empty').mkdir()
    assert KEYS[0] not in Records(tmp_path / 'empty', SETTINGS)


@pytest.mark.parametrize('name, text', [
    ('settings.json', '{'), ('settings.json', '[1]'), (RECORDS_NAME, 'no record\n'),
    (RECORDS_NAME, '[]\n'), (RECORDS_NAME, '{"of": ["a"], "measured": []}\n')])
def test_damaged_files_are_named(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=f'{name} is damaged') as error:
        Records(folder, SETTINGS)
    assert '\n' not in str(error.value)
