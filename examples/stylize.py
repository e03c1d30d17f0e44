"""Photographs in the style of paintings out of the ordinary ModelScope call, offline.

    python examples/stylize.py [FOLDER [PHOTOGRAPH ...]]

The photographs come with scikit-image, the styles from draw_styles.py. Each photograph is
given each style; overview.jpg shows all results.
"""
import pathlib
import sys
import time

import cv2
import numpy as np
import skimage.data
from draw_styles import draw_styles
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

import modelscope_aams  # noqa: F401  (registers the model with ModelScope)
from modelscope_aams.pictures.contact_sheet import Captioned, contact_sheet
from modelscope_aams.pictures.reading import read_rgb
from modelscope_aams.pictures.writing import write_rgb

PHOTOGRAPHS = ('astronaut', 'chelsea', 'coffee', 'rocket')


def write_photographs(folder, names):
    """Writes photographs of scikit-image to ``folder``; returns {name: path}."""
    paths = {name: folder / f'content_{name}.png' for name in names}
    for name, path in paths.items():
        cv2.imwrite(str(path), getattr(skimage.data, name)()[..., ::-1])
    return paths


def main(folder='out', *names):
    folder = pathlib.Path(folder)
    styles = draw_styles(folder)
    contents = write_photographs(folder, names or PHOTOGRAPHS)
    style_transfer = pipeline(
        Tasks.image_style_transfer, model_id='damo/cv_aams_style-transfer_damo')
    results = {}
    for content_name, content in contents.items():
        for style_name, style in styles.items():
            start = time.perf_counter()
            result = style_transfer(dict(content=str(content), style=str(style)))
            path = folder / f'{content_name}_{style_name}.png'
            cv2.imwrite(str(path), result[OutputKeys.OUTPUT_IMG])
            print(f'{path}  {time.perf_counter() - start:.1f} s', flush=True)
            results[content_name, style_name] = path
    print(write_overview(folder / 'overview.jpg', contents, styles, results))


def write_overview(path, contents, styles, results):
    """Writes a sheet with a row for each style: the style, then its results."""
    rows = [[Captioned(read_rgb(style), style_name)]
            + [Captioned(read_rgb(results[name, style_name]), name) for name in contents]
            for style_name, style in styles.items()]
    photographs = [Captioned(read_rgb(content), name) for name, content in contents.items()]
    blank = Captioned(np.full((1, 1, 3), 255, np.uint8), '')
    write_rgb(path, contact_sheet([[blank, *photographs], *rows], side=200))
    return path


if __name__ == '__main__':
    main(*sys.argv[1:])
