"""What describes a network: its encoder's layers and how its attention map is taken."""
import dataclasses
from typing import Any, Dict, Mapping, Tuple

POOL = 'pool'

#: VGG-19 up to conv4_1 (Simonyan and Zisserman 2014): (name, output channels) or POOL.
VGG19_LAYERS = (
    ('conv1_1', 64), ('conv1_2', 64), POOL,
    ('conv2_1', 128), ('conv2_2', 128), POOL,
    ('conv3_1', 256), ('conv3_2', 256), ('conv3_3', 256), ('conv3_4', 256), POOL,
    ('conv4_1', 512),
)

#: The layers whose features are used, after their ReLU, from fine to coarse.
FEATURE_LAYERS = ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1')

#: Decoder convolutions in the order they run: (name, output channels).
DECODER_LAYERS = (
    ('inv_conv4_1', 256),
    ('inv_conv3_4', 256), ('inv_conv3_3', 256), ('inv_conv3_2', 256),
    ('inv_conv3_1', 128), ('inv_conv2_2', 128),
    ('inv_conv2_1', 64), ('inv_conv1_2', 64),
    ('inv_conv1_1', 3),
)

#: Width of the self-attention's f and g projections.
ATTENTION_CHANNELS = 256

#: Mean of the ImageNet training images, RGB, 0..255.
MEAN_PIXEL = (123.68, 116.78, 103.94)

WHITENED, NORMALISED = 'whitened', 'normalised'
ZEROS, MIRRORED = 'zeros', 'mirrored'


def require_mapping(values, where: str) -> Dict[str, Any]:
    """A copy of ``values``; a ValueError that names ``where`` if they are no named values."""
    if not isinstance(values, Mapping):
        raise ValueError(f'{where} is {values!r}; expected named settings')
    return dict(values)


def from_mapping(cls, values: Mapping[str, Any], where: str):
    """Builds the dataclass ``cls`` from JSON-like ``values``; what they leave out is default.

    Raises:
        ValueError: names ``where`` if these are no named values, or one is unknown.
    """
    values = require_mapping(values, where)
    known = {field.name for field in dataclasses.fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f'{where}: unknown setting {", ".join(unknown)}; '
                         f'known are {", ".join(sorted(known))}')
    return cls(**values)


@dataclasses.dataclass(frozen=True)
class NetworkConfiguration:
    """Properties of a set of weights, kept beside them in the native file.

    Attributes:
        encoder_layers: convolutions, as (name, channels), and ``'pool'`` in the order
            they run; the names in FEATURE_LAYERS have to be among them.
        attention_features: what the self-attention sees when a picture is stylized:
            ``'whitened'`` (the paper) or ``'normalised'`` (mean 0 and deviation 1 in
            each channel, which is what it is trained on).
        attention_peak: percentile of the attention map that is scaled to 1; 100 is
            the maximum (the paper), less keeps a lone bright spot from darkening the rest.
        border: what convolutions see beyond a content's border: ``'zeros'`` (the paper),
            whose features whitening makes a frame of, or ``'mirrored'`` content.
    """
    encoder_layers: Tuple[Any, ...] = VGG19_LAYERS
    attention_features: str = WHITENED
    attention_peak: float = 100.0
    border: str = ZEROS

    def __post_init__(self):
        try:
            layers = tuple(layer if layer == POOL else (str(layer[0]), int(layer[1]))
                           for layer in self.encoder_layers)
        except (TypeError, ValueError, LookupError):
            raise ValueError(f'encoder_layers is {self.encoder_layers!r}; expected a list of '
                             f"(name, channels) and '{POOL}'") from None
        object.__setattr__(self, 'encoder_layers', layers)
        names = [layer[0] for layer in layers if layer != POOL]
        missing = [name for name in FEATURE_LAYERS if name not in names]
        if missing:
            raise ValueError(f'encoder_layers lacks {", ".join(missing)}; '
                             f'all of {", ".join(FEATURE_LAYERS)} are needed')
        if self.attention_features not in (WHITENED, NORMALISED):
            raise ValueError(f"attention_features is {self.attention_features!r}; expected "
                             f"'{WHITENED}' or '{NORMALISED}'")
        if (not isinstance(self.attention_peak, (int, float))
                or not 50 <= self.attention_peak <= 100):
            raise ValueError(f'attention_peak is {self.attention_peak!r}; expected a '
                             'percentile from 50 to 100')

        if self.border not in (ZEROS, MIRRORED):
            raise ValueError(f"border is {self.border!r}; expected '{ZEROS}' or '{MIRRORED}'")

    def without(self, layer: str) -> 'NetworkConfiguration':
        """The same network without one encoder layer."""
        kept = tuple(entry for entry in self.encoder_layers
                     if entry == POOL or entry[0] != layer)
        return dataclasses.replace(self, encoder_layers=kept)
