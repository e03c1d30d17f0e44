"""Every hyper-parameter of training, with the published recipe as default."""
import dataclasses
from typing import Any, Mapping, Optional


def _checked(cls, values: Mapping[str, Any], where: str):
    known = {field.name for field in dataclasses.fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f'{where}: unknown setting {", ".join(unknown)}; '
                         f'known are {", ".join(sorted(known))}')
    return dict(values)


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the loss terms (Yao et al. 2019, section 4; see network.losses)."""
    reconstruction: float = 10.0
    perceptual: float = 1.0
    perceptual_relative: bool = False
    total_variation: float = 10.0
    attention: float = 6.0
    attention_reduction: str = 'sum'

    def __post_init__(self):
        if self.attention_reduction not in ('sum', 'mean'):
            raise ValueError(f'attention_reduction is {self.attention_reduction!r}; '
                             "expected 'sum' or 'mean'")


@dataclasses.dataclass(frozen=True)
class Optimiser:
    """Adam (Kingma and Ba 2015); ``decay`` is 'constant' or 'cosine' (to 0 at the last step)."""
    rate: float = 1e-4
    decay: str = 'constant'
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1.0
    clip_norm: Optional[float] = None

    def __post_init__(self):
        if self.decay not in ('constant', 'cosine'):
            raise ValueError(f"decay is {self.decay!r}; expected 'constant' or 'cosine'")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        steps: optimiser steps in all.
        batch_size: crops per step, over all devices and machines together.
        resize: short side that a picture is scaled to; null keeps its size (one shorter
            than ``crop`` is enlarged to it).
        crop: side of the random square crops, a multiple of 8.
        flip: mirror half of the crops.
        precision: Keras dtype policy of encoder and decoder, 'float32' or 'mixed_bfloat16'.
        checkpoint_interval: steps between two checkpoints.
        seed: decides initial weights, order, crops and flips.
    """
    steps: int = 80000
    batch_size: int = 8
    resize: Optional[int] = 512
    crop: int = 256
    flip: bool = False
    precision: str = 'float32'
    checkpoint_interval: int = 1000
    seed: int = 0
    loss: LossWeights = LossWeights()
    optimiser: Optimiser = Optimiser()

    def __post_init__(self):
        for name in ('steps', 'batch_size', 'crop', 'checkpoint_interval'):
            value = getattr(self, name)
            if not (isinstance(value, int) and value > 0):
                raise ValueError(f'{name} is {value!r}; expected a whole number above 0')
        if self.crop % 8:
            raise ValueError(f'crop is {self.crop}; expected a multiple of 8')
        if self.resize is not None and self.resize < self.crop:
            raise ValueError(f'resize is {self.resize}, less than crop, {self.crop}')
        if self.precision not in ('float32', 'mixed_bfloat16'):
            raise ValueError(f"precision is {self.precision!r}; expected 'float32' or "
                             "'mixed_bfloat16'")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> 'Recipe':
        """Builds one from JSON-like ``values``; a name it does not know is an error."""
        values = _checked(cls, values, 'train')
        for name, part in (('loss', LossWeights), ('optimiser', Optimiser)):
            if name in values:
                values[name] = part(**_checked(part, values[name], f'train.{name}'))
        return cls(**values)
