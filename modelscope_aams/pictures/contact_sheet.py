"""Pictures side by side in rows, each with a caption."""
from typing import NamedTuple, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: Pixels between cells and around them, and of a caption's line.
GAP, CAPTION_HEIGHT = 12, 26
FONT_SIZE = 15
PAPER, INK = (255, 255, 255), (40, 40, 40)


class Captioned(NamedTuple):
    """A picture, uint8 RGB [rows, columns, 3], and the line to write below it."""
    picture: np.ndarray
    caption: str


def thumbnail(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture shrunk so that no side exceeds ``side``; a smaller one as it is."""
    rows, columns = picture.shape[:2]
    scale = side / max(rows, columns)
    if scale >= 1:
        return picture
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def contact_sheet(rows: Sequence[Sequence[Captioned]], side: int = 320) -> np.ndarray:
    """Lays pictures out in rows of square cells, captions below.

    Args:
        rows: pictures of any sizes; a row may be shorter than others.
        side: pixels along a cell's side.

    Returns:
        The sheet as uint8 RGB.
    """
    if not any(rows):
        raise ValueError('a contact sheet needs at least one picture')
    columns = max(len(row) for row in rows)
    down, along = side + CAPTION_HEIGHT + GAP, side + GAP
    sheet = Image.new('RGB', (GAP + columns * along, GAP + len(rows) * down), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for i, row in enumerate(rows):
        for j, (picture, caption) in enumerate(row):
            left, top = GAP + j * along, GAP + i * down
            small = Image.fromarray(thumbnail(picture, side))
            sheet.paste(small, (left + (side - small.width) // 2,
                                top + (side - small.height) // 2))
            draw.text((left + side / 2, top + side + CAPTION_HEIGHT / 2),
                      _fitting(caption, font, side), INK, font, anchor='mm')
    return np.array(sheet)


def _fitting(caption: str, font, width: int) -> str:
    """The caption, its middle left out as far as it takes to fit in ``width`` pixels."""
    caption = ' '.join(caption.split())
    if font.getlength(caption) <= width:
        return caption
    kept = len(caption)
    while kept and font.getlength(shortened := _without_middle(caption, kept)) > width:
        kept -= 1
    return shortened


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return f'{text[:kept - tail]}…{text[len(text) - tail:]}'
