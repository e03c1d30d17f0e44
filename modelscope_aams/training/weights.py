"""What training starts from and what it leaves: weights, and a model directory of them."""
import json
import pathlib
from typing import Callable

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.checkpoints.atomic import write_atomically
from modelscope_aams.checkpoints.layout import (
    Weights, build_network, fitting_configuration, network_weights)
from modelscope_aams.checkpoints.native import save_weights
from modelscope_aams.checkpoints.reading import read_encoder, read_weights
from modelscope_aams.network.names import ATTENTION_SCOPE

from .recipe import Recipe

#: Names of the files of a model directory.
WEIGHTS_NAME, CONFIGURATION_NAME = 'aams.safetensors', 'configuration.json'


def load_network(path=None):
    """The network with the weights of a file or model directory, or the bundled ones."""
    return build_network(read_weights(BUNDLED if path is None else path))


def network_builder(recipe: Recipe, encoder=None, initial=None) -> Callable:
    """A function without arguments that builds the network to train.

    Args:
        recipe: gives precision, and what is noted of the attention map.
        encoder: file with the encoder's weights; None takes the bundled weights. Attention
            and decoder are fresh, from Keras's seed.
        initial: file or model directory with the weights of all parts, used instead. The
            attention is fresh all the same if the recipe says so.

    Raises:
        CheckpointError: if a file cannot be used; here, before anything is built.
        ValueError: if the recipe is one of stylization and there are no ``initial`` weights.
    """
    if recipe.stylization is not None and initial is None:
        raise ValueError('a recipe with stylization trains whole weights further; expected '
                         'weights or a model to begin with')
    if initial is not None:
        arrays = read_weights(initial).arrays
        if recipe.fresh_attention:
            arrays = {name: array for name, array in arrays.items()
                      if not name.startswith(f'{ATTENTION_SCOPE}/')}
    else:
        arrays = read_encoder(BUNDLED if encoder is None else encoder)

    def build():
        from modelscope_aams.network.autoencoder import AttentionAutoencoder
        configuration = fitting_configuration(Weights(arrays, recipe.network))
        network = AttentionAutoencoder(configuration, dtype=recipe.precision)
        network.assign({**network.arrays(), **arrays})
        return network

    return build


def save_model(folder, network, recipe: Recipe) -> pathlib.Path:
    """Makes ``folder`` a model directory of the network; returns the weights' path.

    Its configuration is that of the bundled model with the recipe as ``train``.
    """
    folder = pathlib.Path(folder)
    configuration = json.loads((BUNDLED / CONFIGURATION_NAME).read_text(encoding='utf-8'))
    configuration['train'] = recipe.as_mapping()
    text = json.dumps(configuration, indent=2, ensure_ascii=False) + '\n'
    write_atomically(folder / CONFIGURATION_NAME,
                     lambda path: pathlib.Path(path).write_text(text, encoding='utf-8'))
    save_weights(folder / WEIGHTS_NAME, network_weights(network))
    return folder / WEIGHTS_NAME
