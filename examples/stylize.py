"""Photographs in the style of paintings out of the ordinary ModelScope call, offline.

    python examples/stylize.py [FOLDER [PHOTOGRAPH ...]]

The photographs come with scikit-image, the styles from draw_styles.py. Each photograph is
given each style.
"""
import pathlib
import sys
import time

import cv2
import skimage.data
from draw_styles import draw_styles
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

import modelscope_aams  # noqa: F401  (registers the model with ModelScope)

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
    for content_name, content in contents.items():
        for style_name, style in styles.items():
            start = time.perf_counter()
            result = style_transfer(dict(content=str(content), style=str(style)))
            path = folder / f'{content_name}_{style_name}.png'
            cv2.imwrite(str(path), result[OutputKeys.OUTPUT_IMG])
            print(f'{path}  {time.perf_counter() - start:.1f} s', flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
