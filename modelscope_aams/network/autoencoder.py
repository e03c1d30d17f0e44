"""The trained network: fixed encoder, self-attention, decoder."""
from typing import Dict

import keras
import numpy as np
from keras import ops

from . import names
from .adain import channel_moments
from .attention import SelfAttention
from .configuration import FEATURE_LAYERS, NetworkConfiguration
from .decoder import Decoder
from .encoder import Encoder, subtract_mean

NORMALISE_EPSILON = 1e-7


class AttentionAutoencoder(keras.Model):
    """Self-attention autoencoder (Yao et al. 2019, section 3.2), on any Keras 3 backend.

    Called on [batch, rows, columns, 3] RGB 0..255 (rows and columns multiples of 8) it
    returns a dict: ``picture`` the reconstruction in the same range, ``attention`` the
    residual o at conv4_1, ``features`` the encoder's features.

    Args:
        configuration: the layers to build; the default has the official layout.
        dtype: Keras dtype policy of the encoder's and decoder's convolutions.
    """

    def __init__(self, configuration=NetworkConfiguration(), dtype='float32', name='aams',
                 **kwargs):
        super().__init__(name=name, **kwargs)
        self.configuration = configuration
        self.encoder = Encoder(configuration.encoder_layers, dtype=dtype)
        self.attention = SelfAttention(dtype='float32')
        self.decoder = Decoder(dtype=dtype)
        for part in (self.encoder, self.attention, self.decoder):
            part.build()
        self.built = True

    def call(self, images):
        features = self.encoder(subtract_mean(images))
        deep = ops.cast(features['conv4_1'], 'float32')
        mean, variance = channel_moments(deep)
        normal = (deep - mean) / ops.sqrt(variance + NORMALISE_EPSILON)
        attention = self.attention(normal)
        coloured = (normal * attention + normal) * ops.sqrt(variance) + mean
        moments = {layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS[:-1]}
        return {'picture': self.decoder(coloured, moments), 'attention': attention,
                'features': features}

    def named_variables(self) -> Dict[str, keras.Variable]:
        """Every variable by its name in the official TensorFlow 1 checkpoints."""
        variables = {}
        for layers, official, kernel, bias in (
                (self.encoder.convolutions, names.encoder_name, 'weights', 'biases'),
                (self.attention.projections, names.attention_name, 'kernel', 'bias'),
                (self.decoder.convolutions, names.decoder_name, 'kernel', 'bias')):
            for layer, convolution in layers.items():
                variables[f'{official(layer)}/{kernel}'] = convolution.kernel
                variables[f'{official(layer)}/{bias}'] = convolution.bias
        return variables

    def arrays(self) -> Dict[str, np.ndarray]:
        """The weights as float32 arrays by official name."""
        return {name: ops.convert_to_numpy(variable).astype('float32')
                for name, variable in self.named_variables().items()}

    def assign(self, arrays: Dict[str, np.ndarray]):
        """Sets the variables named in ``arrays``, which has to hold each of this network."""
        for name, variable in self.named_variables().items():
            variable.assign(arrays[name])
