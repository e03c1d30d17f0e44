"""What depends on a style alone, kept for the styles used last."""
import hashlib
import threading
from typing import Any, Callable, Hashable, Tuple

import cachetools
import numpy as np

#: How many styles are kept, and how many bytes of them, if nothing else is said.
STYLES, BYTES = 8, 512 << 20


class StyleCache:
    """Calls ``prepare(pixels, *options)``, or gives what it gave for the same before.

    The same are equal pixels, wherever they come from, with equal options. The style whose
    last use is longest ago goes first. Safe to call from many threads: what several ask for
    at once is prepared once, as the others wait for it, and different styles do not wait for
    each other. What fails is raised and not kept; who waited for it tries anew.

    Args:
        prepare: what is called with a style, [rows, columns, channels], and hashable options.
        size_of: the bytes of what ``prepare`` gives.
        styles: how many are kept at most; 0 switches the cache off.
        max_bytes: how many bytes they have together at most; 0 switches the cache off. A
            style that is larger by itself is not kept.
    """

    def __init__(self, prepare: Callable[..., Any], size_of: Callable[[Any], int],
                 styles: int = STYLES, max_bytes: int = BYTES):
        self._kept = _Bounded(styles, max_bytes, size_of)
        # With a condition, the library lets one caller prepare as the others wait.
        self._condition = threading.Condition()
        self._prepared = prepare if not styles or not max_bytes else cachetools.cached(
            self._kept, style_key, condition=self._condition)(prepare)

    def __call__(self, pixels: np.ndarray, *options: Hashable):
        # A copy, as who changes the picture meanwhile must not spoil it for others.
        return self._prepared(pixels.copy(), *options)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return self._kept.currsize

    def clear(self):
        """Forgets every style."""
        with self._condition:
            self._kept.clear()


class _Bounded(cachetools.LRUCache):
    """The library's cache, which has one bound, with a second one: of the number of entries."""

    def __init__(self, entries, max_bytes, size_of):
        super().__init__(max_bytes, size_of)
        self._entries = entries

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        while len(self) > self._entries:
            self.popitem()


def style_key(pixels: np.ndarray, *options: Hashable) -> Tuple[Hashable, ...]:
    """Equal for equal pixels with equal options, and for nothing else."""
    content = memoryview(np.ascontiguousarray(pixels)).cast('B')
    return (hashlib.blake2b(content, digest_size=32).digest(), pixels.shape, pixels.dtype.str,
            *options)
