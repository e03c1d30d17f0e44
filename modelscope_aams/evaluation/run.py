"""All contents, styles, methods and style weights: stylized, measured, kept."""
import collections
import concurrent.futures
import hashlib
import itertools
import os
import pathlib
import sys
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import cachetools
import numpy as np
import torch
from tqdm import tqdm

from modelscope_aams.network.preprocess import prepare_content, prepare_style
from modelscope_aams.network.regions import whole
from modelscope_aams.pictures.folder import pictures_in
from modelscope_aams.pictures.reading import read_rgb
from modelscope_aams.pictures.writing import write_rgb

from .measuring import ContentSide, Gauge, StyleSide
from .records import Key, Records

#: Styles whose features are kept, at most 14 MB each.
STYLES_KEPT = 64
#: Pictures that are measured at a time, at most; those of 512x512 take 200 MB each.
MEASURED_AT_ONCE = 8


class Plan(NamedTuple):
    """What is evaluated.

    Attributes:
        contents, styles: paths of pictures by name.
        options: a TransferOptions by the method's name.
        style_weights: rising; the last is called full.
        max_length: longest side to work at, in pixels, or None.
    """
    contents: Mapping[str, pathlib.Path]
    styles: Mapping[str, pathlib.Path]
    options: Mapping[str, object]
    style_weights: Tuple[float, ...]
    max_length: Optional[int]

    def keys(self) -> List[Key]:
        """All that there is to measure, in order."""
        return [Key(*names) for names in itertools.product(
            self.contents, self.styles, self.options)]


def named_pictures(path) -> Dict[str, pathlib.Path]:
    """A picture, or those of a folder, by names without endings where these are distinct.

    Raises:
        ValueError: if a folder holds no pictures.
    """
    paths = pictures_in(path) if pathlib.Path(path).is_dir() else [pathlib.Path(path)]
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else path.name: path for path in paths}


def fingerprints(pictures: Mapping[str, pathlib.Path]) -> Dict[str, str]:
    """SHA-256 of each picture's pixels, by name.

    Raises:
        PictureError, OSError: for the first that cannot be read.
    """
    return {name: fingerprint({'pixels': read_rgb(path)}) for name, path in pictures.items()}


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of named arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f'{name} {array.dtype} {array.shape}\n'.encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def picture_path(folder, key: Key, style_weight: float) -> pathlib.Path:
    """Where a stylized picture is kept in the evaluation's folder."""
    return (pathlib.Path(folder) / 'pictures' / key.method / key.content
            / f'{key.style}__{style_weight:g}.png')


def content_as_seen(path, max_length: Optional[int]) -> np.ndarray:
    """A content as it is stylized and measured: float32 RGB, its sides multiples of GRANULE.

    The network drops what exceeds these, so that goes here; results then have the content's
    size, pixel for pixel.
    """
    return np.ascontiguousarray(whole(prepare_content(read_rgb(path), max_length).picture))


def style_as_seen(path) -> np.ndarray:
    """A style as the methods see it, float32 RGB [448, 448, 3]."""
    return prepare_style(read_rgb(path).astype(np.float32)).numpy()


def as_picture(stylized: np.ndarray) -> np.ndarray:
    """The network's output to uint8."""
    return np.clip(np.rint(stylized), 0, 255).astype(np.uint8)


def evaluate(plan: Plan, transfer, gauge: Gauge, records: Records, folder,
             keep_sweep: bool = False) -> int:
    """Stylizes and measures what has no record yet, and adds the records.

    Args:
        transfer: a StyleTransfer.
        folder: the pictures at full style weight are kept in it, see picture_path.
        keep_sweep: keep those of all style weights.

    Returns:
        How many pictures were made.
    """
    every = plan.keys()
    pending = [key for key in every if key not in records]
    bar = tqdm(total=len(every), initial=len(every) - len(pending), unit='transfer',
               file=sys.stderr)
    waiting = collections.deque()

    def finish_one():
        key, measurements = waiting.popleft()
        records.add(key, [measurement.result() for measurement in measurements])
        bar.update()

    with bar, measuring_threads() as pool:
        for key, results, style, content in stylizations(plan, transfer, gauge, pool, pending):
            measurements = []
            for weight in plan.style_weights:
                result = as_picture(next(results).picture)
                full = weight == plan.style_weights[-1]
                attention_map = transfer.attention(result) if full else None
                measurements.append(pool.submit(
                    _measured, gauge, weight, result, style, content, attention_map))
                if full or keep_sweep:
                    write_rgb(picture_path(folder, key, weight), result)
            waiting.append((key, measurements))
            # While the last one's pictures are measured, the next one's are made.
            if len(waiting) > 1:
                finish_one()
        while waiting:
            finish_one()
    return len(pending) * len(plan.style_weights)


def measuring_threads() -> concurrent.futures.ThreadPoolExecutor:
    """Threads that each measure one picture at a time.

    PyTorch takes one processor core in each: threads that share a picture wait for each
    other, for long where other programs run, and their number changes the last digits.
    """
    return concurrent.futures.ThreadPoolExecutor(
        min(os.cpu_count() or 1, MEASURED_AT_ONCE), initializer=torch.set_num_threads,
        initargs=(1,))


def stylizations(plan: Plan, transfer, gauge: Gauge, pool, keys: Sequence[Key]
                 ) -> Iterator[Tuple[Key, Iterator, StyleSide, ContentSide]]:
    """Each key with its results by style weight, and with its style and content as measured.

    Contents and styles are read and prepared once, as far as STYLES_KEPT allows.
    """
    prepared, measured = (cachetools.LRUCache(STYLES_KEPT) for _ in range(2))
    for name, of_content in itertools.groupby(keys, lambda key: key.content):
        picture = content_as_seen(plan.contents[name], plan.max_length)
        content = pool.submit(gauge.content, picture, transfer.attention(picture)).result()
        for key in of_content:
            options, path = plan.options[key.method], plan.styles[key.style]
            place = key.style, options.style_scales, options.patch_size
            if place not in prepared:
                prepared[place] = transfer.prepare_style(read_rgb(path), *place[1:])
            if key.style not in measured:
                measured[key.style] = pool.submit(gauge.style, style_as_seen(path)).result()
            results = transfer.stylize_at(plan.style_weights, picture, prepared[place], options)
            yield key, results, measured[key.style], content


def _measured(gauge, weight, *pictures):
    return {'style_weight': weight, **gauge.measure(*pictures)}
