"""Contact sheets of what an evaluation kept."""
import pathlib
from typing import List

import numpy as np

from modelscope_aams.pictures.contact_sheet import Captioned, contact_sheet, thumbnail
from modelscope_aams.pictures.reading import read_rgb
from modelscope_aams.pictures.writing import write_rgb

from .records import Key
from .run import Plan, as_picture, picture_path, style_as_seen

SHEETS_NAME, OVERVIEW_NAME = 'sheets', 'overview.jpg'
#: Pixels along a side of the cells of a content's sheet, and of the overview's.
SIDE, OVERVIEW_SIDE = 256, 320
#: Contents in the overview.
OVERVIEW_CONTENTS = 6


def write_sheets(folder, plan: Plan):
    """Writes ``sheets/CONTENT.jpg``, a row a style, and ``overview.jpg``, a row a content.

    A row is content, style as seen, and each method's result at full style weight.
    """
    styles = {name: as_picture(style_as_seen(path)) for name, path in plan.styles.items()}
    folder = pathlib.Path(folder)
    for content in plan.contents:
        rows = [_row(folder, plan, content, style, picture, SIDE)
                for style, picture in styles.items()]
        write_rgb(folder / SHEETS_NAME / f'{content}.jpg', contact_sheet(rows, SIDE))
    contents = _spread(list(plan.contents), OVERVIEW_CONTENTS)
    names = list(styles)
    # Each content with another style, as far as there are enough.
    rows = [_row(folder, plan, content, style, styles[style], OVERVIEW_SIDE)
            for content, style in zip(contents, _spread(names, len(contents)) * len(contents))]
    write_rgb(folder / OVERVIEW_NAME, contact_sheet(rows, OVERVIEW_SIDE))


def _row(folder, plan, content, style, style_picture, side) -> List[Captioned]:
    def captioned(picture, caption):
        return Captioned(thumbnail(picture, side), caption)

    return [captioned(read_rgb(plan.contents[content]), content),
            captioned(style_picture, style),
            *(captioned(read_rgb(picture_path(
                folder, Key(content, style, method), plan.style_weights[-1])), method)
              for method in plan.options)]


def _spread(names, count) -> List[str]:
    """At most ``count`` of the names, evenly from first to last."""
    count = min(count, len(names))
    return [names[index] for index in np.linspace(0, len(names) - 1, count).round().astype(int)]
