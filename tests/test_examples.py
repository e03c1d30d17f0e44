"""The examples, run as a reader would run them."""
import pathlib
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from modelscope_aams.checkpoints import BUNDLED

EXAMPLES = pathlib.Path(__file__).parents[1] / 'examples'


def run(script, *arguments, cwd):
    process = subprocess.run([sys.executable, EXAMPLES / script, *arguments],
                             capture_output=True, text=True, cwd=cwd)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


@pytest.fixture(scope='module')
def styles(tmp_path_factory):
    """{file name: picture} of the styles, drawn to the default folder."""
    folder = tmp_path_factory.mktemp('styles')
    printed = run('draw_styles.py', cwd=folder)
    return {pathlib.Path(line).name: cv2.imread(str(folder / line)) for line in printed}


def test_a_photograph_is_written_in_each_style(tmp_path, styles):
    *printed, overview = run('stylize.py', 'out', 'chelsea', cwd=tmp_path)
    paths = [re.fullmatch(r'(out/chelsea_(\w+)\.png)  \d+\.\d s', line) for line in printed]
    assert [f'style_{path[2]}.png' for path in paths] == list(styles)
    photograph = cv2.imread(str(tmp_path / 'out' / 'content_chelsea.png'))
    results = [cv2.imread(str(tmp_path / path[1])) for path in paths]
    assert all(result.shape == photograph.shape for result in results)
    # A row for the photograph, and one for each style, of two cells 200 pixels wide.
    rows, columns = cv2.imread(str(tmp_path / overview)).shape[:2]
    assert rows > 5 * 200 and 2 * 200 < columns < 3 * 200
    # Of all results the style's own is nearest to it, and nearer than the photograph.
    for i, style in enumerate(styles.values()):
        distances = [np.abs(moments(picture) - moments(style)).sum()
                     for picture in [*results, photograph]]
        assert np.argmin(distances) == i


def test_controls_are_shown(tmp_path):
    printed = run('controls.py', 'controls.jpg', cwd=tmp_path)
    assert printed == ['controls.jpg']
    sheet = cv2.imread(str(tmp_path / 'controls.jpg')).astype(float)
    assert (tmp_path / 'controls.jpg').stat().st_size <= 400_000
    # Six rows of six cells, 180 pixels wide; below each its caption.
    assert sheet.shape == (12 + 6 * 218, 12 + 6 * 192, 3)
    cells = [[sheet[12 + 218 * i:, 12 + 192 * j:][:180, :180] for j in range(6)]
             for i in range(6)]
    # The first row goes from the photograph to the style.
    distances = [np.abs(cell - cells[0][0]).mean() for cell in cells[0][2:]]
    assert distances == sorted(distances) and distances[0] < distances[-1] / 4
    # No two cells of a row are alike.
    for row in cells:
        for i, first in enumerate(row):
            assert all(np.abs(first - second).mean() > 3 for second in row[:i])


def moments(picture):
    """Mean and deviation of each channel, [6]."""
    return np.concatenate([picture.mean(axis=(0, 1)), picture.std(axis=(0, 1))])


def test_styles_are_rich_and_the_same_every_time(tmp_path, styles):
    again = run('draw_styles.py', tmp_path / 'again', cwd=tmp_path)
    assert len(styles) == 4
    for line, picture in zip(again, styles.values(), strict=True):
        assert picture.shape == (512, 512, 3)
        assert (cv2.imread(line) == picture).all()
        # Strokes: edges everywhere, not in a few outlines.
        edges = np.abs(np.diff(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)))
        blocks = edges[:, :504].reshape(64, 8, 63, 8).mean(axis=(1, 3))
        assert np.mean(blocks > 1.5) > 0.6


def test_styles_differ_in_colour(styles):
    found = [moments(style) for style in styles.values()]
    for i, first in enumerate(found):
        for second in found[:i]:
            assert np.abs(first - second).sum() > 60


def test_bundled_pictures_are_what_the_script_makes(tmp_path):
    run('bundle_examples.py', tmp_path, cwd=tmp_path)
    bundled = sorted((BUNDLED / 'examples').iterdir())
    assert [path.name for path in bundled] == sorted(path.name for path in tmp_path.iterdir())
    for path in bundled:
        made, expected = (cv2.imread(str(folder / path.name)).astype(float)
                          for folder in (tmp_path, path.parent))
        # Versions of JPEG's encoder differ a little.
        assert np.abs(made - expected).mean() < 2
