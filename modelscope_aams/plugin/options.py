"""What a call of the pipeline may be told, and configuration.json as well."""
import dataclasses
import numbers
from typing import Any, Mapping, Optional

from modelscope_aams.network.options import AAMS, MEANINGFUL_FOR, TransferOptions


@dataclasses.dataclass(frozen=True)
class CallOptions(TransferOptions):
    """The options of one call; those of the transfer itself are inherited.

    Attributes:
        max_length: longest side, in pixels, at which a content is stylized; larger ones
            are scaled down first, and the result back up. None keeps the content's size.
        keep_colours: give the result the content's colours, see pictures.colours.
        return_attention_map: put ``attention_map`` into the result; for 'aams' alone.
        return_stroke_weights: put ``stroke_weights`` into the result; for 'aams' alone.
    """
    max_length: Optional[int] = 800
    keep_colours: bool = False
    return_attention_map: bool = False
    return_stroke_weights: bool = False

    def __post_init__(self):
        self._expect('method', lambda value: isinstance(value, str), 'a name')
        for name in ('style_weight', 'inter_weight', 'theta'):
            self._expect(name, is_number, 'a number')
        self._expect('scales', lambda value: isinstance(value, (list, tuple))
                     and all(map(is_number, value)), 'a list of numbers')
        self._expect('patch_size', _is_whole, 'a whole number')
        for name in ('max_length', 'attention_length'):
            self._expect(name, lambda value: value is None or _is_whole(value) and value > 0,
                         'a whole number of pixels of at least 1, or None')
        for name in ('keep_colours', 'return_attention_map', 'return_stroke_weights'):
            self._expect(name, lambda value: isinstance(value, bool), 'True or False')
        super().__post_init__()
        for name in ('return_attention_map', 'return_stroke_weights'):
            if getattr(self, name):
                require_attention(name, self.method)

    def _expect(self, name, is_right, expected):
        value = getattr(self, name)
        if not is_right(value):
            raise ValueError(f'{name} is {value!r}; expected {expected}')

    def updated(self, values: Mapping[str, Any]) -> 'CallOptions':
        """These options with ``values`` in place of some.

        If these name another method, what has no meaning for it goes back to its default.

        Raises:
            TypeError: if there is no option of such a name.
            ValueError: if a value is of the wrong kind or out of range, or has no meaning
                for the method.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        unknown = [name for name in values if name not in defaults]
        if unknown:
            raise TypeError(f'unknown option {", ".join(unknown)}; '
                            f'known are {", ".join(defaults)}')
        method = values.get('method', self.method)
        dropped = {name: defaults[name] for name, methods in MEANINGFUL_FOR.items()
                   if method not in methods}
        return dataclasses.replace(self, **{**dropped, **values})


def require_attention(name: str, method: str):
    """Raises ValueError, which names ``name``, if ``method`` computes no attention."""
    if method != AAMS:
        raise ValueError(f'{name} has no meaning for method {method!r}; '
                         f'expected only with {AAMS!r}')


def is_number(value) -> bool:
    """Whether ``value`` is a real number; True and False are not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_whole(value):
    return isinstance(value, numbers.Integral) and is_number(value)
