"""Pictures to be stylized by exported graphs, what becomes of them, and the command."""
import os
import shutil
import subprocess
import sys
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import skimage.data

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.reading import read_weights

# What users do with a model, by its directory or by its id on a hub. Arguments: 'plugin' or
# 'plain', the model, and the folder of the pictures, which gets the results.
USE = """
import pathlib, sys
import cv2
plugin, model, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
if plugin == 'plugin':
    import modelscope_aams
from modelscope.pipelines import pipeline
style_transfer = pipeline('image-style-transfer', model=model)
for number in range(2):
    result = style_transfer(dict(content=str(folder / f'content{number}.png'),
                                 style=str(folder / f'style{number}.png')))
    cv2.imwrite(str(folder / f'result{number}.png'), result['output_img'])
if plugin == 'plain':
    assert not any(name.split('.')[0] == 'modelscope_aams' for name in sys.modules)
print(type(style_transfer).__module__)
"""


class Pair(NamedTuple):
    """RGB uint8 pictures, and the style weight to bring them together with."""
    content: np.ndarray
    style: np.ndarray
    inter_weight: float


def photograph(name, rows, columns):
    """A photograph of scikit-image, RGB uint8 [rows, columns, 3]."""
    return cv2.resize(getattr(skimage.data, name)(), (columns, rows),
                      interpolation=cv2.INTER_AREA)


@pytest.fixture(scope='session')
def pairs():
    """No sides of the first content are multiples of 8; no sizes are equal."""
    return [Pair(photograph('astronaut', 75, 101), photograph('coffee', 130, 97), 1.0),
            Pair(photograph('chelsea', 120, 64), photograph('rocket', 330, 520), 0.6)]


@pytest.fixture(scope='session')
def picture_files(pairs, tmp_path_factory):
    """A folder with ``pairs`` as files, content0.png, style0.png and so on."""
    folder = tmp_path_factory.mktemp('pictures')
    for number, pair in enumerate(pairs):
        for name in ('content', 'style'):
            cv2.imwrite(str(folder / f'{name}{number}.png'), getattr(pair, name)[..., ::-1])
    return folder


@pytest.fixture
def use_elsewhere(picture_files, tmp_path):
    """Stylizes ``picture_files`` in a process of its own, which has the plugin in place or not;
    gives the module of the pipeline that did it, and the results."""
    def use(plugin, model, **environment):
        folder = tmp_path / plugin
        shutil.copytree(picture_files, folder)
        process = subprocess.run(
            [sys.executable, '-c', USE, plugin, str(model), str(folder)], capture_output=True,
            text=True, cwd=tmp_path, env={**os.environ, **environment})
        assert process.returncode == 0, process.stderr
        return (process.stdout.splitlines()[-1],
                [cv2.imread(str(folder / f'result{number}.png')) for number in range(2)])
    return use


@pytest.fixture(scope='session')
def weights():
    return read_weights(BUNDLED)


@pytest.fixture(scope='session')
def transfer(weights):
    """This project's own way to stylize."""
    from modelscope_aams.checkpoints.layout import build_network
    from modelscope_aams.network.transfer import StyleTransfer
    return StyleTransfer(build_network(weights))


@pytest.fixture(scope='session')
def expected(transfer, pairs):
    from modelscope_aams.network.options import TransferOptions
    return [transfer.stylize(pair.content, transfer.prepare_style(pair.style),
                             TransferOptions(inter_weight=pair.inter_weight)) for pair in pairs]


@pytest.fixture(scope='session')
def export_by_command():
    """Runs ``aams export`` as a process of its own."""
    def export(path, *arguments):
        process = subprocess.run(
            [sys.executable, '-m', 'modelscope_aams.cli.main', 'export', path, *arguments],
            capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        assert (process.stdout, process.stderr) == (f'{path}\n', '')
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]
        return path
    return export


def assert_same_picture(found, expected):
    """Pictures in 0..255 that differ by at most one grey level at 99 % of the values."""
    assert found.shape == expected.shape
    difference = np.abs(np.clip(found, 0, 255.0) - np.clip(expected, 0, 255.0))
    assert np.mean(difference <= 1) >= 0.99


@pytest.fixture(scope='session', name='assert_same_picture')
def assert_same_picture_fixture():
    return assert_same_picture


@pytest.fixture(scope='session')
def inputs(pairs):
    """What each of ``pairs`` is to an exported graph, by name."""
    return [{'content': pair.content.astype(np.float32), 'style': pair.style.astype(np.float32),
             'inter_weight': np.array(pair.inter_weight, np.float32)} for pair in pairs]


@pytest.fixture(scope='session')
def assert_official_outputs(pairs, expected):
    """Checks what a graph gives, arrays by name, of each of ``inputs``."""
    def check(results):
        for pair, outputs, stylized in zip(pairs, results, expected, strict=True):
            assert set(outputs) == {'stylized_output', 'attention_map', 'centroids'}
            assert all(array.dtype == np.float32 for array in outputs.values())
            rows, columns = (side // 8 * 8 for side in pair.content.shape[:2])
            assert outputs['stylized_output'].shape == (1, rows, columns, 3)
            assert_same_picture(outputs['stylized_output'][0], stylized.picture)
            assert outputs['attention_map'].shape == (1, rows // 8, columns // 8, 512)
            assert (outputs['attention_map'] == outputs['attention_map'][..., :1]).all()
            np.testing.assert_allclose(outputs['attention_map'][0, ..., 0],
                                       stylized.attention_map, atol=5e-3)
            np.testing.assert_allclose(outputs['centroids'], stylized.centroids, atol=2e-3)
    return check
