"""Every hyper-parameter of training, with the published recipe as default."""
import dataclasses
import json
import math
import pathlib
from typing import Any, Dict, Mapping, Optional

from modelscope_aams.network.configuration import (
    VGG19_LAYERS, NetworkConfiguration, from_mapping, require_mapping)
from modelscope_aams.network.options import METHODS

#: Folder of the recipes that can be loaded by name.
RECIPES = pathlib.Path(__file__).parent / 'recipes'


def _check_whole(settings, least, *names):
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f'{name} is {value!r}; expected a whole number, {least} or more')


def _check_number(settings, least, below, *names):
    for name in names:
        value = getattr(settings, name)
        if (not isinstance(value, (int, float)) or isinstance(value, bool)
                or not least <= value < below):
            upper = '' if below == math.inf else f' and below {below}'
            raise ValueError(f'{name} is {value!r}; expected a number, {least} or more{upper}')


def _check_choice(settings, choices, *names):
    for name in names:
        value = getattr(settings, name)
        if value not in choices or type(value) not in map(type, choices):
            raise ValueError(f'{name} is {value!r}; expected {" or ".join(map(repr, choices))}')


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the loss terms (Yao et al. 2019, section 4; see network.losses).

    Attributes:
        perceptual_relative: divide the feature loss of each layer by its variance over
            the batch, so that all four layers count alike.
        attention_reduction: 'sum' of |o| over the batch (published), whose weight against
            the other terms grows with batch and crop, or 'mean', whose does not.
    """
    reconstruction: float = 10.0
    perceptual: float = 1.0
    perceptual_relative: bool = False
    total_variation: float = 10.0
    attention: float = 6.0
    attention_reduction: str = 'sum'

    def __post_init__(self):
        _check_number(self, 0, math.inf, 'reconstruction', 'perceptual', 'total_variation',
                      'attention')
        _check_choice(self, (False, True), 'perceptual_relative')
        _check_choice(self, ('sum', 'mean'), 'attention_reduction')


@dataclasses.dataclass(frozen=True)
class Stylization:
    """The second stage: the decoder learns from its own transferred features.

    For every crop a method, a style weight and strokes are drawn; no gradient passes
    through the transfer. Terms of the loss are means over the batch.

    Attributes:
        aams, adain, wct, avatar_net: how often each method is drawn, relative to the others.
        reconstructed: share of crops with style weight 0, which have to come back.
        partial: share of the others whose style weight lies evenly between ``weakest``
            and 1; the rest have 1.
        weakest: see ``partial``.
        style: weight of network.losses.channel_statistics.
        correlations: weight of network.losses.correlations where the style weight is 1.
        content: weight of the squared difference between the conv4_1 features of the
            result and the transferred ones, divided by their variance.
        reconstruction, perceptual: weights, for reconstructed crops, of the first stage's
            terms.
        total_variation: weight of network.losses.total_variation.
    """
    aams: float = 0.55
    adain: float = 0.15
    wct: float = 0.15
    avatar_net: float = 0.15
    reconstructed: float = 0.2
    partial: float = 0.3
    weakest: float = 0.2
    style: float = 10.0
    correlations: float = 0.0
    content: float = 1.0
    reconstruction: float = 0.01
    perceptual: float = 1.0
    total_variation: float = 0.002

    def __post_init__(self):
        _check_number(self, 0, math.inf, *(field.name for field in dataclasses.fields(self)))
        for name in ('reconstructed', 'partial', 'weakest'):
            if getattr(self, name) > 1:
                raise ValueError(f'{name} is {getattr(self, name)}; expected 0 to 1')
        if not any(self.method_shares.values()):
            raise ValueError('aams, adain, wct and avatar_net are all 0; expected one above')

    @property
    def method_shares(self) -> Dict[str, float]:
        """How often each of network.options.METHODS is drawn."""
        return {method: getattr(self, method.replace('-', '_')) for method in METHODS}


@dataclasses.dataclass(frozen=True)
class Optimiser:
    """Adam (Kingma and Ba 2015).

    Attributes:
        decay: the rate stays 'constant' or falls as a 'cosine' to 0.
        decay_steps: the step at which a falling rate is 0; None is the last step.
        clip_norm: the largest norm of the whole gradient, or None.
    """
    rate: float = 1e-4
    decay: str = 'constant'
    decay_steps: Optional[int] = None
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1.0
    clip_norm: Optional[float] = None

    def __post_init__(self):
        _check_number(self, 0, math.inf, 'rate', 'epsilon')
        _check_number(self, 0, 1, 'beta_1', 'beta_2')
        _check_choice(self, ('constant', 'cosine'), 'decay')
        if self.decay_steps is not None:
            _check_whole(self, 1, 'decay_steps')
        if self.clip_norm is not None:
            _check_number(self, 0, math.inf, 'clip_norm')
            if self.clip_norm == 0:
                raise ValueError('clip_norm is 0; expected a number above 0, or null')


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
        summary_interval: steps between two entries of the losses in the TensorBoard log.
        seed: decides initial weights, order, crops and flips.
        fresh_attention: a run from whole weights draws the attention anew. Trained beside
            an unready decoder it vanishes under its loss before it marks anything.
        loss: see LossWeights.
        stylization: the second stage, which trains the decoder on stylized crops and has
            its own loss; null is the first stage.
        optimiser: see Optimiser.
        network: what the trained weights' file says of the attention map, see
            NetworkConfiguration.
    """
    steps: int = 80000
    batch_size: int = 8
    resize: Optional[int] = 512
    crop: int = 256
    flip: bool = False
    precision: str = 'float32'
    checkpoint_interval: int = 1000
    summary_interval: int = 50
    seed: int = 0
    fresh_attention: bool = False
    loss: LossWeights = LossWeights()
    stylization: Optional[Stylization] = None
    optimiser: Optimiser = Optimiser()
    network: NetworkConfiguration = NetworkConfiguration()

    def __post_init__(self):
        _check_whole(self, 1, 'steps', 'batch_size', 'crop', 'checkpoint_interval',
                     'summary_interval')
        _check_whole(self, 0, 'seed')
        _check_choice(self, (False, True), 'flip', 'fresh_attention')
        _check_choice(self, ('float32', 'mixed_bfloat16'), 'precision')
        if self.crop % 8:
            raise ValueError(f'crop is {self.crop}; expected a multiple of 8')
        if self.resize is not None:
            _check_whole(self, self.crop, 'resize')
        if self.stylization is not None and self.fresh_attention:
            raise ValueError('fresh_attention with stylization, which does not train the '
                             'attention; expected one of them')
        if self.network.encoder_layers != VGG19_LAYERS:
            raise ValueError('network.encoder_layers come with the weights; '
                             'expected none in a recipe')

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> 'Recipe':
        """Builds one from JSON-like ``values``; what they leave out is as published.

        Raises:
            ValueError: for a name that it does not know, or a value that cannot be.
        """
        values = require_mapping(values, 'recipe')
        for name, part in (('loss', LossWeights), ('stylization', Stylization),
                           ('optimiser', Optimiser), ('network', NetworkConfiguration)):
            if name in values and (name, values[name]) != ('stylization', None):
                values[name] = from_mapping(part, values[name], f'recipe.{name}')
        return from_mapping(cls, values, 'recipe')

    def as_mapping(self) -> Dict[str, Any]:
        """What ``from_mapping`` makes this recipe of, ready for JSON."""
        values = dataclasses.asdict(self)
        # They come with the encoder's weights; there is nothing to choose.
        del values['network']['encoder_layers']
        return values


def recipe_names():
    """Names of the recipes that come with the package, sorted."""
    return sorted(path.stem for path in RECIPES.glob('*.json'))


def load_recipe(name_or_path, settings: Optional[Mapping[str, Any]] = None) -> Recipe:
    """A recipe by its name or from a JSON file.

    Args:
        name_or_path: one of recipe_names(), or the path of a file.
        settings: values put in place of the recipe's, parts by dots: 'optimiser.rate'.

    Raises:
        ValueError: if there is none, or a setting is unknown or wrong.
    """
    path = pathlib.Path(name_or_path)
    if str(name_or_path) in recipe_names():
        path = RECIPES / f'{name_or_path}.json'
    elif not path.is_file():
        raise ValueError(f'no recipe {name_or_path}; expected {", ".join(recipe_names())} '
                         'or a JSON file')
    try:
        values = require_mapping(json.loads(path.read_text(encoding='utf-8')), 'recipe')
        return Recipe.from_mapping(override(values, settings or {}))
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def override(values: Mapping[str, Any], settings: Mapping[str, Any]) -> Dict[str, Any]:
    """``values`` with other ``settings``, whose names reach into parts by dots."""
    values = dict(values)
    for name, value in settings.items():
        first, dot, rest = name.partition('.')
        values[first] = (override(require_mapping(values.get(first, {}), first), {rest: value})
                         if dot else value)
    return values
