"""What a call of the pipeline may be told, and configuration.json as well."""
import dataclasses
import numbers
from typing import Any, Mapping, Optional

from modelscope_aams.network.transfer import TransferOptions


@dataclasses.dataclass(frozen=True)
class CallOptions(TransferOptions):
    """The options of one call; those of the transfer itself are inherited.

    Attributes:
        max_length: longest side, in pixels, at which a content is stylized; larger ones
            are scaled down first, and the result back up. None keeps the content's size.
        return_attention_map: put ``attention_map`` into the result.
        return_stroke_weights: put ``stroke_weights`` into the result.
    """
    max_length: Optional[int] = 800
    return_attention_map: bool = False
    return_stroke_weights: bool = False

    def __post_init__(self):
        for name in ('inter_weight', 'theta'):
            self._expect(name, _is_number, 'a number')
        self._expect('scales', lambda value: isinstance(value, (list, tuple))
                     and all(map(_is_number, value)), 'a list of numbers')
        for name in ('max_length', 'attention_length'):
            self._expect(name, lambda value: value is None or isinstance(
                value, numbers.Integral) and _is_number(value) and value > 0,
                         'a whole number of pixels of at least 1, or None')
        for name in ('return_attention_map', 'return_stroke_weights'):
            self._expect(name, lambda value: isinstance(value, bool), 'True or False')
        super().__post_init__()

    def _expect(self, name, is_right, expected):
        value = getattr(self, name)
        if not is_right(value):
            raise ValueError(f'{name} is {value!r}; expected {expected}')

    def updated(self, values: Mapping[str, Any]) -> 'CallOptions':
        """These options with ``values`` in place of some.

        Raises:
            TypeError: if there is no option of such a name.
            ValueError: if a value is of the wrong kind or out of range.
        """
        known = [field.name for field in dataclasses.fields(self)]
        unknown = [name for name in values if name not in known]
        if unknown:
            raise TypeError(f'unknown option {", ".join(unknown)}; known are {", ".join(known)}')
        return dataclasses.replace(self, **values)


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
