"""Writes the example pictures that the page offers and a hub's repository shows.

    python examples/bundle_examples.py [FOLDER]

Photographs of scikit-image that are in the public domain or CC0 (chelsea: Stefan van der Walt;
coffee: Rachel Michetti; rocket: SpaceX), and styles from draw_styles.py.
"""
import pathlib
import sys
import tempfile

import cv2
import skimage.data
from draw_styles import draw_styles

FOLDER = pathlib.Path(__file__).parents[1] / 'modelscope_aams' / 'bundled' / 'examples'
PHOTOGRAPHS = ('chelsea', 'coffee', 'rocket')
STYLE_SIDE = 448
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]


def main(folder=FOLDER):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    for name in PHOTOGRAPHS:
        photograph = getattr(skimage.data, name)()[..., ::-1]
        cv2.imwrite(str(folder / f'content_{name}.jpg'), photograph, QUALITY)
    with tempfile.TemporaryDirectory() as drawn:
        for name, path in draw_styles(pathlib.Path(drawn)).items():
            style = cv2.resize(cv2.imread(str(path)), (STYLE_SIDE, STYLE_SIDE),
                               interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f'style_{name}.jpg'), style, QUALITY)


if __name__ == '__main__':
    main(*sys.argv[1:])
