"""One transfer for the page: from uploaded files to pictures."""
import pathlib
import re
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from modelscope_aams.network.progress import CONTENT, PAINTING, STYLE, TRANSFER, Progress
from modelscope_aams.pictures.contact_sheet import thumbnail
from modelscope_aams.pictures.heat_map import heat_map
from modelscope_aams.pictures.reading import COMMON_KINDS, PictureError, read_rgb
from modelscope_aams.pictures.stroke_map import stroke_map

#: Pixels that an uploaded picture may have, if nothing else is said.
MAX_PIXELS = 25_000_000

#: Stages beside those of the network.
READING, FINISHING = 'reading', 'finishing'
#: The share of the time at which each stage begins, about as it is for 800 pixels a side.
STARTS = {READING: 0.0, STYLE: 0.02, CONTENT: 0.15, TRANSFER: 0.3, PAINTING: 0.5,
          FINISHING: 0.95}

#: Longest side, in pixels, of the maps that are shown beside the result.
MAP_SIDE = 800


class Painted(NamedTuple):
    """What the page shows.

    Attributes:
        picture: uint8 RGB of the content's size.
        attention: uint8 RGB, at most MAP_SIDE pixels a side; None without attention.
        strokes: the same, see pictures.stroke_map; None for methods with one stroke.
        shares: of each stroke in the picture, coarse to fine, sum 1; empty without strokes.
        painted_at: (rows, columns) that it was painted at, to be enlarged; None if the
            picture's own.
    """
    picture: np.ndarray
    attention: Optional[np.ndarray] = None
    strokes: Optional[np.ndarray] = None
    shares: Tuple[float, ...] = ()
    painted_at: Optional[Tuple[int, int]] = None


def paint(style_transfer: Callable[..., Dict[str, Any]], content: np.ndarray,
          style: np.ndarray, options: Mapping[str, Any], progress: Progress) -> Painted:
    """Stylizes a picture.

    Args:
        style_transfer: an AAMSStyleTransferPipeline.
        content, style: uint8 RGB.
        options: of its call, ``max_length`` among them.
        progress: is told the network's stages, and FINISHING.
    """
    from modelscope_aams.network.preprocess import working_size
    result = style_transfer(_turned(content), style=_turned(style), progress=progress, **options)
    progress(FINISHING, 0)
    picture = _turned(result['output_img'])
    attention, weights = result.get('attention_map'), result.get('stroke_weights')
    small = thumbnail(content, MAP_SIDE)
    size = working_size(content.shape[:2], options['max_length'])
    return Painted(
        picture, None if attention is None else heat_map(small, attention),
        None if weights is None else stroke_map(small, weights),
        () if weights is None else tuple(weights.mean(axis=(0, 1), dtype=float).tolist()),
        None if size == content.shape[:2] else size)


def _turned(picture):
    """RGB to BGR, or back."""
    return np.ascontiguousarray(picture[..., ::-1])


def read_upload(path: str, name: str, max_pixels: Optional[int]) -> np.ndarray:
    """An uploaded file as uint8 RGB.

    Args:
        path: where it lies here.
        name: what its owner calls it, for the errors.

    Raises:
        PictureError: if it is no usable picture of COMMON_KINDS, or one of more than
            ``max_pixels``.
    """
    try:
        return read_rgb(path, max_pixels, COMMON_KINDS)
    except (PictureError, FileNotFoundError) as error:
        raise PictureError(str(error).replace(path, name)) from None


def share_done(stage: str, done: float) -> float:
    """About which share of the whole, 0..1, is done with a share of a stage."""
    start = STARTS[stage]
    end = min((other for other in STARTS.values() if other > start), default=1.0)
    return start + done * (end - start)


def result_name(content: str, style: str) -> str:
    """A file name for a result, from those of its content and style."""
    # In bytes as well: a letter may have four, and a name 255, with what it has while written.
    stems = [re.sub(r'[^\w]+', '-', pathlib.PurePath(name).stem).strip('-')[:40]
             .encode()[:80].decode(errors='ignore') for name in (content, style)]
    return '-in-'.join(stem or 'picture' for stem in stems) + '.png'
