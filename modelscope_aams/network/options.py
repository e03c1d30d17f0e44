"""How a picture is stylized: the method, and what it can be told."""
import dataclasses
import math
from typing import Optional, Tuple

AAMS, ADAIN, WCT, AVATAR_NET = 'aams', 'adain', 'wct', 'avatar-net'
METHODS = (AAMS, ADAIN, WCT, AVATAR_NET)

#: The methods for which an option has a meaning, where these are not all.
MEANINGFUL_FOR = {
    'inter_weight': (AAMS, AVATAR_NET),
    'patch_size': (AAMS, AVATAR_NET),
    'scales': (AAMS,),
    'theta': (AAMS,),
    'attention_length': (AAMS,),
}

#: Sides of the patches that a style swap matches.
PATCH_SIZES = (1, 3, 5, 7)


@dataclasses.dataclass(frozen=True)
class TransferOptions:
    """How a picture is stylized.

    Attributes:
        method: ``'aams'`` (Yao et al. 2019), ``'adain'`` (Huang and Belongie 2017),
            ``'wct'`` (Li et al. 2017, one level) or ``'avatar-net'`` (Sheng et al. 2018).
        style_weight: 0 (the content itself, as the decoder gives it back) to 1 (full style):
            transferred features and the decoder's statistics are mixed with the content's
            own, see style_weight.weaken.
        inter_weight: 0 (the content's structure in the style's colours) to 1: how far
            strokes replace whitened content features. The published style weight.
        scales: sizes of the style for the swapped strokes, coarse matching first, each
            above 0 and at most 1; the content itself is the last, finest stroke.
        patch_size: side of the patches that are swapped, in positions of 8x8 pixels.
        theta: sharpness of the choice between strokes, at least 0.
        attention_length: longest side, in pixels, up to which every position attends to
            every other; those of larger contents attend to averages of 2x2 (up to twice
            the length), 3x3 and so on. None is always exact.

    Raises:
        ValueError: if a value is out of range, or is not the default of an option that has
            no meaning for the method (see MEANINGFUL_FOR).
    """
    inter_weight: float = 1.0
    scales: Tuple[float, ...] = (0.5, math.sqrt(0.5), 1.0)
    theta: float = 50.0
    attention_length: Optional[int] = 1600
    method: str = AAMS
    style_weight: float = 1.0
    patch_size: int = 5

    def __post_init__(self):
        object.__setattr__(self, 'scales', tuple(float(scale) for scale in self.scales))
        if self.method not in METHODS:
            raise ValueError(f'method is {self.method!r}; expected '
                             f'{", ".join(map(repr, METHODS))}')
        for name in ('style_weight', 'inter_weight'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is {getattr(self, name)}; expected 0 to 1')
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise ValueError(f'scales are {self.scales}; expected one or more numbers '
                             'above 0 and at most 1')
        if self.patch_size not in PATCH_SIZES:
            raise ValueError(f'patch_size is {self.patch_size}; expected one of '
                             f'{", ".join(map(str, PATCH_SIZES))}')
        if not 0 <= self.theta < math.inf:
            raise ValueError(f'theta is {self.theta}; expected a number of at least 0')
        if self.attention_length is not None and not self.attention_length >= 1:
            raise ValueError(f'attention_length is {self.attention_length}; expected a whole '
                             'number of pixels of at least 1, or None')
        for name, methods in MEANINGFUL_FOR.items():
            if self.method not in methods and getattr(self, name) != _DEFAULTS[name]:
                raise ValueError(f'{name} has no meaning for method {self.method!r}; '
                                 f'expected only with {" or ".join(map(repr, methods))}')

    @property
    def style_scales(self) -> Tuple[float, ...]:
        """The sizes of the style that the method swaps patches of, coarse matching first."""
        return {AAMS: self.scales, AVATAR_NET: (1.0,)}.get(self.method, ())


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(TransferOptions)}
