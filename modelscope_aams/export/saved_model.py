"""The transfer as a SavedModel, for TensorFlow Serving and programs with TensorFlow alone."""
import tensorflow as tf

from modelscope_aams.checkpoints.atomic import write_directory_atomically
from modelscope_aams.checkpoints.layout import Weights
from modelscope_aams.network.options import TransferOptions

from .graph import SIGNATURE, stylization


def export(path, weights: Weights, options: TransferOptions = TransferOptions()):
    """Writes the directory; its one signature, 'serving_default', is graph.stylization's."""
    module = tf.Module()
    module.stylize = tf.function(stylization(weights, options), input_signature=SIGNATURE,
                                 autograph=False)
    write_directory_atomically(
        path, lambda folder: tf.saved_model.save(module, folder, signatures=module.stylize))
