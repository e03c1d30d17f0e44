import numpy as np
import pytest

from modelscope_aams.pictures.contact_sheet import (
    CAPTION_HEIGHT, GAP, Captioned, contact_sheet, thumbnail)

SIDE = 64


def plain(rows, columns, colour):
    return np.full((rows, columns, 3), colour, np.uint8)


def caption_area(sheet, column, row=0):
    top = GAP + row * (SIDE + CAPTION_HEIGHT + GAP) + SIDE
    left = GAP + column * (SIDE + GAP)
    return sheet[top:top + CAPTION_HEIGHT, left:left + SIDE]


def test_every_picture_is_in_the_middle_of_its_cell():
    colours = [(200, 10, 10), (10, 200, 10), (10, 10, 200)]
    rows = [[Captioned(plain(40, 160, colours[0]), 'a'), Captioned(plain(90, 30, colours[1]), 'b')],
            [Captioned(plain(8, 8, colours[2]), 'c')]]
    sheet = contact_sheet(rows, SIDE)
    assert sheet.shape == (GAP + 2 * (SIDE + CAPTION_HEIGHT + GAP), GAP + 2 * (SIDE + GAP), 3)
    middle = GAP + SIDE // 2
    assert tuple(sheet[middle, middle]) == colours[0]
    assert tuple(sheet[middle, middle + SIDE + GAP]) == colours[1]
    assert tuple(sheet[middle + SIDE + CAPTION_HEIGHT + GAP, middle]) == colours[2]
    # Smaller pictures are not enlarged, and the cell of the short row is empty.
    assert (sheet == colours[2]).all(axis=-1).sum() == 8 * 8
    assert (sheet[-(SIDE + CAPTION_HEIGHT + GAP):, -(SIDE + GAP):] == 255).all()


def test_captions_are_written_below():
    picture = plain(9, 9, 0)
    sheet = contact_sheet([[Captioned(picture, 'style'), Captioned(picture, '')]], SIDE)
    assert caption_area(sheet, 0).min() < 120
    assert caption_area(sheet, 1).min() == 255


def test_a_long_caption_keeps_its_ends_and_its_cell():
    long = Captioned(plain(9, 9, 0), 'a name that is much too long for its cell.jpg')
    sheet = contact_sheet([[long, Captioned(plain(9, 9, 0), '')]], SIDE)
    assert caption_area(sheet, 0).min() < 120
    assert caption_area(sheet, 1).min() == 255
    assert sheet[GAP + SIDE:, :GAP].min() == 255


def test_a_thumbnail_keeps_proportions_and_never_enlarges():
    assert thumbnail(plain(100, 50, 1), SIDE).shape == (64, 32, 3)
    assert thumbnail(plain(3, 4000, 1), SIDE).shape == (1, 64, 3)
    assert thumbnail(plain(20, 30, 1), SIDE).shape == (20, 30, 3)


def test_nothing_to_show_is_an_error():
    with pytest.raises(ValueError, match='at least one picture'):
        contact_sheet([[]])
