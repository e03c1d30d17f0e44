"""Training crops from a folder of pictures, each a pure function of seed and number."""
import logging
import pathlib
from typing import Dict, List, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from .recipe import Recipe

logger = logging.getLogger(__name__)

#: PIL modes of colour pictures with three channels.
THREE_CHANNELS = ('RGB', 'YCbCr', 'LAB', 'HSV')


class PictureFolder(NamedTuple):
    """The usable pictures of a folder, sorted, and why each other file is left out."""
    paths: List[pathlib.Path]
    left_out: Dict[pathlib.Path, str]


def scan_folder(folder) -> PictureFolder:
    """Finds every three-channel picture below ``folder`` by its header.

    Raises:
        ValueError: if there is no such folder, or no usable picture in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f'{folder} is not a folder; expected one with pictures')
    paths, left_out = [], {}
    for path in sorted(entry for entry in folder.rglob('*') if entry.is_file()):
        try:
            with Image.open(path) as picture:
                if picture.mode in THREE_CHANNELS:
                    paths.append(path)
                else:
                    left_out[path] = f'mode {picture.mode}, not three colour channels'
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError,
                Image.DecompressionBombError) as error:
            left_out[path] = f'unreadable: {error}'
    for path, reason in left_out.items():
        logger.warning('left out %s (%s)', path, reason)
    if not paths:
        raise ValueError(f'{folder} has no readable three-channel picture '
                         f'({len(left_out)} other files)')
    logger.info('%d pictures in %s, %d files left out', len(paths), folder, len(left_out))
    return PictureFolder(paths, left_out)


def load_rgb(path) -> np.ndarray:
    """A picture file as uint8 RGB [rows, columns, 3], turned as its EXIF says."""
    from PIL import ImageOps
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert('RGB'))


def resize_short_side(picture: np.ndarray, side: int) -> np.ndarray:
    """Scales [rows, columns, 3] so that its short side is ``side``."""
    rows, columns = picture.shape[:2]
    scale = side / min(rows, columns)
    if scale == 1:
        return picture
    size = (max(side, round(columns * scale)), max(side, round(rows * scale)))
    return cv2.resize(picture, size,
                      interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def centre_crop(picture: np.ndarray, side: int) -> np.ndarray:
    """The central [side, side, 3] of a picture that is at least as large."""
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top:top + side, left:left + side]


class Crops:
    """The endless sequence of training crops of a folder.

    ``crops[i]`` is the same on every machine and every run with the same files and
    recipe, so a run can go on anywhere. A file that fails to decode is named once and
    the next one takes its place.
    """

    def __init__(self, paths, recipe: Recipe):
        self.paths, self.recipe = list(paths), recipe
        self.undecodable: Dict[pathlib.Path, str] = {}

    def __getitem__(self, number: int) -> np.ndarray:
        """Crop ``number``: float32 RGB 0..255, [crop, crop, 3]."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, 1, number])
        picture = self._decode(number)
        short_side = recipe.resize or max(recipe.crop, min(picture.shape[:2]))
        picture = resize_short_side(picture, short_side)
        top = rng.integers(picture.shape[0] - recipe.crop + 1)
        left = rng.integers(picture.shape[1] - recipe.crop + 1)
        crop = picture[top:top + recipe.crop, left:left + recipe.crop]
        if recipe.flip and rng.random() < 0.5:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop, dtype=np.float32)

    def _decode(self, number):
        epoch, position = divmod(number, len(self.paths))
        order = np.random.default_rng([self.recipe.seed, 0, epoch]).permutation(len(self.paths))
        for offset in range(len(self.paths)):
            path = self.paths[order[(position + offset) % len(self.paths)]]
            if path in self.undecodable:
                continue
            try:
                return load_rgb(path)
            except (OSError, ValueError, SyntaxError) as error:
                self.undecodable[path] = str(error)
                logger.warning('left out %s (unreadable: %s)', path, error)
        raise ValueError('none of the pictures could be decoded')
