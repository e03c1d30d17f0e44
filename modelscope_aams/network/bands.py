"""Feature maps of large pictures in bands of rows, so that full-size layers are never whole.

A map is a list of its bands from top to bottom, each [1, rows, columns, channels]; one band
is the whole map.
"""
from typing import Callable, List, Optional, Sequence

import tensorflow as tf

#: Values of a layer's map that are computed at a time, in float32 (256 MiB): with 64
#: channels those of a megapixel.
BAND_VALUES = 1 << 26


def band_rows(columns: int, values_per_pixel: int) -> int:
    """How many input rows of so many columns make a band, an even number.

    Args:
        values_per_pixel: of the largest map along the way, for each input pixel.
    """
    return max(2, BAND_VALUES // (columns * values_per_pixel) // 2 * 2)


def joined(bands: Sequence[tf.Tensor]) -> tf.Tensor:
    """The whole map."""
    return bands[0] if len(bands) == 1 else tf.concat(bands, axis=1)


def map_bands(function: Callable[[tf.Tensor], tf.Tensor], bands: List[tf.Tensor],
              rows: Optional[int], halo: int, scale: float = 1) -> List[tf.Tensor]:
    """``function`` of a map, band by band.

    Args:
        function: of some rows of the map, with convolutions that pad with zeros. So it is
            given ``halo`` rows more, except at the map's own border, and what it makes of
            them is dropped.
        bands: the map. Bands that are done with leave the list, to free their memory.
        rows: input rows to a band, even; None takes the map whole.
        scale: rows of the result for each input row: 0.5 (an odd last row is dropped), 1 or 2.
    """
    if len(bands) == 1 and (rows is None or bands[0].shape[1] <= rows):
        return [function(bands[0])]
    # Even, so that halving joins the same rows in every band.
    halo += halo % 2
    count = sum(band.shape[1] for band in bands)
    results, gone = [], 0
    for top in range(0, count, rows):
        bottom = min(top + rows, count)
        first = max(0, top - halo)
        while gone + bands[0].shape[1] <= first:
            gone += bands.pop(0).shape[1]
        result = function(_rows_of(bands, first - gone, min(count, bottom + halo) - gone))
        skipped = int((top - first) * scale)
        results.append(result[:, skipped:skipped + int((bottom - top) * scale)])
    return results


def _rows_of(bands, top, bottom):
    """Rows ``top`` to ``bottom`` of a map."""
    parts, start = [], 0
    for band in bands:
        end = start + band.shape[1]
        if start < bottom and top < end:
            parts.append(band[:, max(top - start, 0):bottom - start])
        start = end
    return joined(parts)


def in_halves(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, halo: int,
              halved: bool) -> tf.Tensor:
    """``function`` of [1, rows, columns, c], taken of its upper and lower half as a batch of two.

    The processor's kernels for 256 channels then run up to a quarter faster. As in
    map_bands, the halves overlap by ``halo`` rows on either side.

    Args:
        halved: whether ``function`` halves the rows (an odd last one is dropped) or keeps them.
    """
    halo += halo % 2
    rows = tf.shape(x)[1]
    # Both halves begin at an even row, and join at one.
    second = tf.maximum(rows // 2 - halo, 0) // 2 * 2
    middle = tf.minimum(second + halo, rows // 2 * 2)
    size = rows - second
    result = function(tf.concat([x[:, :size], x[:, second:]], axis=0))
    if halved:
        middle, second = middle // 2, second // 2
    return tf.concat([result[:1, :middle], result[1:, middle - second:]], axis=1)
