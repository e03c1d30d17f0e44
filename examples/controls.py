"""One picture of what each control does, drawn by the ordinary ModelScope call.

    python examples/controls.py [FILE]

Without FILE it is controls.jpg beside this script. Photographs and styles are those of
stylize.py.
"""
import pathlib
import sys
import tempfile

import cv2
import numpy as np
import skimage.data
from draw_styles import draw_styles
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks
from PIL import Image

import modelscope_aams  # noqa: F401  (registers the model with ModelScope)
from modelscope_aams.network.options import METHODS
from modelscope_aams.pictures.contact_sheet import Captioned, contact_sheet
from modelscope_aams.pictures.heat_map import heat_map
from modelscope_aams.pictures.reading import read_rgb

#: Pixels along a side of what is stylized, and of what is shown.
SIDE, SHOWN = 320, 180
QUALITY = 78


class Studio:
    """Photographs and styles by name, and what the pipeline makes of them."""

    def __init__(self, folder):
        self.styles = {name: str(path) for name, path in draw_styles(folder).items()}
        self.stylize = pipeline(
            Tasks.image_style_transfer, model_id='damo/cv_aams_style-transfer_damo')

    def photograph(self, name):
        return Captioned(square(getattr(skimage.data, name)()), name)

    def style(self, name):
        return Captioned(read_rgb(self.styles[name]), name)

    def result(self, caption, photograph, *styles, **options):
        """The photograph in the style, or the styles, of that name."""
        found = self.stylize(np.ascontiguousarray(photograph.picture[..., ::-1]),
                             [self.styles[name] for name in styles], **options)
        return Captioned(found[OutputKeys.OUTPUT_IMG][..., ::-1], caption)

    def told(self, photograph, *styles, **options):
        """The result, under the options that it was told."""
        caption = ', '.join(f'{name}={value}' for name, value in options.items())
        return self.result(caption, photograph, *styles, **options)


def square(rgb):
    """The central square of a picture, SIDE pixels wide."""
    side = min(rgb.shape[:2])
    top, left = ((length - side) // 2 for length in rgb.shape[:2])
    return cv2.resize(rgb[top:top + side, left:left + side], (SIDE, SIDE),
                      interpolation=cv2.INTER_AREA)


def disc(across, down, radius, softness):
    """A plane [SIDE, SIDE]: 1 in a disc, 0 outside; the lengths are shares of SIDE."""
    y, x = (np.indices((SIDE, SIDE), np.float32) + 0.5) / SIDE
    distance = np.hypot(x - across, y - down)
    return np.clip((radius - distance) / softness + 0.5, 0, 1)


def as_picture(plane, caption):
    return Captioned(np.repeat(np.uint8(np.rint(plane * 255))[..., None], 3, axis=2), caption)


def style_weight(studio):
    cat = studio.photograph('chelsea')
    return [cat, studio.style('oil'), *(
        studio.told(cat, 'oil', style_weight=weight) for weight in (0, 0.33, 0.67, 1))]


def several_styles(studio):
    cup, pair = studio.photograph('coffee'), ('watercolour', 'woodcut')
    mask = np.float32((np.arange(SIDE) + 0.5) / SIDE)[None].repeat(SIDE, axis=0)
    mask = np.clip((mask - 0.5) * 4 + 0.5, 0, 1)
    return [cup, *map(studio.style, pair), studio.told(cup, *pair, style_weights=[0.5, 0.5]),
            as_picture(mask, 'a mask'), studio.result('mask=…', cup, *pair, mask=mask)]


def colours_and_mask(studio):
    woman, style = studio.photograph('astronaut'), 'dots'
    mask = 1 - disc(0.44, 0.17, 0.24, 0.1)
    return [woman, studio.style(style), studio.result('as it is', woman, style),
            studio.told(woman, style, keep_colours=True), as_picture(mask, 'a mask'),
            studio.result('mask=…', woman, style, mask=mask)]


def strokes(studio):
    cat, style = studio.photograph('chelsea'), 'woodcut'
    return [*(studio.told(cat, style, scales=[scale]) for scale in (0.25, 0.5, 1.0)),
            *(studio.told(cat, style, patch_size=size) for size in (1, 3, 7))]


def attention(studio):
    cup, style = studio.photograph('coffee'), 'oil'
    own = disc(0.25, 0.3, 0.25, 0.1)
    computed = studio.stylize(cup.picture[..., ::-1].copy(), studio.styles[style],
                              return_attention_map=True)['attention_map']
    return [cup, studio.style(style),
            Captioned(heat_map(cup.picture, computed), 'computed attention'),
            studio.result('as it is', cup, style), as_picture(own, 'a map of your own'),
            studio.result('attention=…', cup, style, attention=own)]


def methods(studio):
    woman, style = studio.photograph('astronaut'), 'oil'
    return [woman, studio.style(style), *(
        studio.told(woman, style, method=method) for method in METHODS)]


def main(path=pathlib.Path(__file__).with_name('controls.jpg')):
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(pathlib.Path(folder))
        rows = [row(studio) for row in (style_weight, several_styles, colours_and_mask, strokes,
                                        attention, methods)]
    Image.fromarray(contact_sheet(rows, SHOWN)).save(path, quality=QUALITY, optimize=True)
    print(path)


if __name__ == '__main__':
    main(*sys.argv[1:])
