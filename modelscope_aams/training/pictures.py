"""Training crops from a folder of pictures, each a pure function of seed and number."""
import collections
import functools
import logging
import os
import pathlib
import warnings
from typing import Dict, List, NamedTuple, Optional

import cv2
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from .recipe import Recipe

logger = logging.getLogger(__name__)

#: PIL modes of pictures with three colour channels.
THREE_CHANNELS = ('RGB', 'YCbCr', 'HSV')

#: Sides that differ more than so many times leave nothing to crop but an enlarged strip.
MOST_ELONGATED = 16

#: Files left out that a message names; a run's work folder has the whole list.
NAMED = 5


class PictureFolder(NamedTuple):
    """The usable pictures of a folder, sorted, and why each other file is left out."""
    paths: List[pathlib.Path]
    left_out: Dict[pathlib.Path, str]


def scan_folder(folder) -> PictureFolder:
    """Finds every three-channel picture below ``folder``, to any depth, by its header.

    Nothing that a file holds is an error: what cannot be used is left out and named.
    Links to folders are not followed.

    Raises:
        ValueError: if there is no such folder, or no usable picture in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f'{folder} is not a folder; expected one with pictures')
    paths, left_out = [], {}
    for path in _files(folder):
        reason = _fault(path)
        if reason is None:
            paths.append(pathlib.Path(path))
        else:
            left_out[pathlib.Path(path)] = reason
    logger.info('%d pictures in %s, %s', len(paths), folder, summary(left_out))
    if not paths:
        raise ValueError(f'{folder} has no readable three-channel picture '
                         f'({len(left_out)} other files)')
    return PictureFolder(paths, left_out)


def summary(left_out: Dict[pathlib.Path, str]) -> str:
    """How many files are left out, how many for which kind of reason, and the first few."""
    if not left_out:
        return 'no file left out'
    kinds = collections.Counter(reason.split(':')[0] for reason in left_out.values())
    listed = ', '.join(f'{count} {kind}' for kind, count in kinds.most_common())
    names = ', '.join(str(path) for path in list(left_out)[:NAMED])
    more = f' and {len(left_out) - NAMED} more' if len(left_out) > NAMED else ''
    return f'{len(left_out)} files left out ({listed}): {names}{more}'


def _files(folder) -> List[str]:
    found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    return sorted((path for path in found if os.path.isfile(path)),
                  key=lambda path: path.split(os.sep))


def _fault(path: str) -> Optional[str]:
    """Why a file cannot be used, as far as its header tells; None if it can."""
    try:
        with warnings.catch_warnings():
            # A picture over Pillow's limit for warnings can be used all the same.
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                mode, size = picture.mode, picture.size
    # Pillow's readers let many kinds of errors out of a broken file.
    except Exception as error:
        return f'unreadable: {error}'
    if mode not in THREE_CHANNELS:
        return f'not of three colour channels: mode {mode}'
    if max(size) > MOST_ELONGATED * min(size):
        return f'too narrow: {size[0]}x{size[1]}'
    return None


def load_rgb(path) -> np.ndarray:
    """A picture file as uint8 RGB [rows, columns, 3], turned as its EXIF says."""
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
        # Threads ask for crops of the same epoch, or of two where one ends.
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    @property
    def specs(self) -> tf.TensorSpec:
        """Shape and type of a crop."""
        return tf.TensorSpec([self.recipe.crop, self.recipe.crop, 3], tf.float32)

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

    def _shuffled(self, epoch):
        return np.random.default_rng([self.recipe.seed, 0, epoch]).permutation(len(self.paths))

    def _decode(self, number):
        epoch, position = divmod(number, len(self.paths))
        order = self._order(epoch)
        for offset in range(len(self.paths)):
            path = self.paths[order[(position + offset) % len(self.paths)]]
            if path in self.undecodable:
                continue
            try:
                return load_rgb(path)
            # Pillow's decoders let many kinds of errors out of a broken file.
            except Exception as error:
                reason = f'unreadable: {error}'
                # Of several threads that come to it at once, one names it.
                if self.undecodable.setdefault(path, reason) is reason:
                    logger.warning('left out %s (%s)', path, reason)
        raise ValueError(f'none of {len(self.paths)} pictures can be decoded')
