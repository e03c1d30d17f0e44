"""All figures of a stylized picture, from one pass through each network."""
from typing import Dict, List, NamedTuple, Optional

import numpy as np
import torch

from .distances import (
    Moments, attention_consistency, content_distance, layer_style_distance, luminance, moments,
    normalised, structural_similarity)
from .feature_networks import VGG16, EfficientNetLite0, Features
from .patches import patch_distance, patch_quantiles

#: Counted up with every change of a figure: those of two versions are never mixed.
VERSION = 1
#: What is measured of each picture, in the order of tables.
MEASURES = ('style_vgg', 'style_efficientnet', 'patch', 'content_vgg', 'content_efficientnet',
            'ssim', 'attention')
#: The layer of each network at which contents are compared.
CONTENT_LAYERS = {'vgg': 'conv4_1', 'efficientnet': 'block10'}
#: The layers of VGG whose patches are compared.
PATCH_LAYERS = ('conv3_1', 'conv4_1')


class StyleSide(NamedTuple):
    """What results are compared with of a style.

    Attributes:
        moments: by network, one entry a layer.
        quantiles: patch_quantiles, one entry for each of PATCH_LAYERS.
    """
    moments: Dict[str, List[Moments]]
    quantiles: List[torch.Tensor]


class ContentSide(NamedTuple):
    """What results are compared with of a content.

    Attributes:
        features: by network, the normalised features of its CONTENT_LAYERS.
        luminance: [rows, columns].
        attention_map: [rows / 8, columns / 8].
    """
    features: Dict[str, torch.Tensor]
    luminance: np.ndarray
    attention_map: np.ndarray


class Gauge:
    """Measures pictures, RGB [rows, columns, 3] in 0..255."""

    def __init__(self, vgg: VGG16, efficientnet: EfficientNetLite0):
        self.networks = {'vgg': vgg, 'efficientnet': efficientnet}

    def _features(self, picture) -> Dict[str, Features]:
        return {name: network(picture) for name, network in self.networks.items()}

    @torch.inference_mode()
    def style(self, picture: np.ndarray) -> StyleSide:
        """Of a style as the methods see it."""
        return _style_side(self._features(picture))

    @torch.inference_mode()
    def content(self, picture: np.ndarray, attention_map: np.ndarray) -> ContentSide:
        """Of a content as it is stylized, with its attention map."""
        return ContentSide(_content_features(self._features(picture)), luminance(picture),
                           attention_map)

    @torch.inference_mode()
    def measure(self, result: np.ndarray, style: StyleSide, content: ContentSide,
                attention_map: Optional[np.ndarray] = None) -> Dict:
        """The MEASURES of a result of the content's size.

        Args:
            attention_map: the result's; without it ``attention`` is None.

        Returns:
            The measures, and under ``style_vgg_layers`` and ``style_efficientnet_layers``
            what each layer adds.
        """
        features = self._features(result)
        seen, structure = _style_side(features), _content_features(features)
        by_layer = {name: [layer_style_distance(*pair) for pair in zip(
            seen.moments[name], style.moments[name])] for name in self.networks}
        return {
            **{f'style_{name}': float(np.mean(parts)) for name, parts in by_layer.items()},
            'patch': float(np.mean([patch_distance(*pair) for pair in zip(
                seen.quantiles, style.quantiles)])),
            **{f'content_{name}': content_distance(structure[name], content.features[name])
               for name in self.networks},
            'ssim': structural_similarity(luminance(result), content.luminance),
            'attention': None if attention_map is None else attention_consistency(
                attention_map, content.attention_map),
            **{f'style_{name}_layers': parts for name, parts in by_layer.items()},
        }


def _style_side(features: Dict[str, Features]) -> StyleSide:
    return StyleSide(
        {name: [moments(layer) for layer in layers.values()] for name, layers in features.items()},
        [patch_quantiles(features['vgg'][layer]) for layer in PATCH_LAYERS])


def _content_features(features: Dict[str, Features]) -> Dict[str, torch.Tensor]:
    return {name: normalised(layers[CONTENT_LAYERS[name]]) for name, layers in features.items()}
