"""What argparse makes of the text of an argument, or says of it."""
import argparse
import math
import re
from typing import Callable, Optional

_MODEL_ID = re.compile(r'[\w.-]+/[\w.-]+')
_DEVICE = re.compile(r'(cpu|gpu|cuda)(:\d+)?')
# More are of no use, and Python itself refuses some thousands.
_MOST_DIGITS = 18


def number(lowest, highest=math.inf, above=False) -> Callable[[str], float]:
    """An argparse type: a number from ``lowest`` (or ``above`` it) to ``highest``."""
    def convert(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (lowest < value if above else lowest <= value) or not value <= highest \
                or math.isinf(value):
            start = f'above {lowest}' if above else f'from {lowest}'
            end = '' if math.isinf(highest) else f' to {highest}'
            raise argparse.ArgumentTypeError(f'{text!r} is no number {start}{end}')
        return value
    return convert


def whole(lowest, highest=None) -> Callable[[str], int]:
    """An argparse type: a whole number of at least ``lowest`` and at most ``highest``."""
    def convert(text):
        value = int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else -1
        if value < lowest or highest is not None and value > highest:
            end = '' if highest is None else f' to {highest}'
            raise argparse.ArgumentTypeError(f'{text!r} is no whole number from {lowest}{end}')
        return value
    return convert


def length(text) -> Optional[int]:
    """An argparse type: a number of pixels, or None for ``none``."""
    if text.lower() == 'none':
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number of pixels nor 'none'")
    return int(text)


def device(text) -> str:
    """An argparse type: the name of a device."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no device; expected 'gpu', 'gpu:1' or 'cpu'")
    return text


def model_id(text) -> str:
    """An argparse type: an id on a hub."""
    if not _MODEL_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f'{text!r} is no id; expected OWNER/NAME')
    return text
