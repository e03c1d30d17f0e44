"""The whole transfer as one graph, with the inputs and outputs of the official one."""
from typing import Callable, Dict

import keras
import tensorflow as tf

from modelscope_aams.checkpoints.description import DESCRIPTION, described
from modelscope_aams.checkpoints.layout import Weights, build_network
from modelscope_aams.network.configuration import VGG19_LAYERS
from modelscope_aams.network.transfer import StyleTransfer, TransferOptions

STYLIZED, ATTENTION_MAP, CENTROIDS = 'stylized_output', 'attention_map', 'centroids'
#: What goes in: two pictures, RGB 0..255 [rows, columns, 3], and the style weight.
SIGNATURE = (tf.TensorSpec([None, None, 3], tf.float32, name='content'),
             tf.TensorSpec([None, None, 3], tf.float32, name='style'),
             tf.TensorSpec([], tf.float32, name='inter_weight'))


def stylization(weights: Weights, options: TransferOptions = TransferOptions(),
                **kwargs) -> Callable[..., Dict[str, tf.Tensor]]:
    """What stylizes a picture, in one function to be traced.

    Traced, it holds the weights as constants by their official names, used or not, and the
    network's configuration as one more, so that checkpoints.frozen_graph reads them back.

    Args:
        weights: those of the network.
        options: scales and theta, which are fixed in the graph; the style weight goes in.
        kwargs: passed on to StyleTransfer.

    Returns:
        A function of tensors as in SIGNATURE (sides of the content at least 24), which gives
        ``stylized_output`` RGB [1, h, w, 3], nominally 0..255, not clipped, ``attention_map``
        [1, h / 8, w / 8, 512], 0..1, the same in every channel, and ``centroids`` [strokes];
        h and w are the content's sides without what is left over from multiples of 8.
    """
    network = build_network(weights)
    transfer = StyleTransfer(network, **kwargs)

    def stylize(content, style, inter_weight):
        constants = {name: tf.constant(array, name=name)
                     for name, array in weights.arrays.items()}
        tf.constant(described(weights.configuration), name=DESCRIPTION)
        with keras.StatelessScope([(variable, constants[name]) for name, variable
                                   in network.named_variables().items()]):
            stylized = transfer.transfer(
                transfer.attended_content(content),
                transfer.style_features(style, tf.constant(options.scales, tf.float32)),
                inter_weight, tf.constant(options.theta, tf.float32))
        attention_map = tf.repeat(stylized.attention_map[None, :, :, None],
                                  VGG19_LAYERS[-1][1], axis=-1)
        return {STYLIZED: tf.identity(stylized.picture[None], STYLIZED),
                ATTENTION_MAP: tf.identity(attention_map, ATTENTION_MAP),
                CENTROIDS: tf.identity(stylized.centroids, CENTROIDS)}

    return stylize
