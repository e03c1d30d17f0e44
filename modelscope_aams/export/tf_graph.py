"""The transfer as a frozen graph, which the pipeline built into ModelScope runs."""
import json
import pathlib

import tensorflow as tf

from modelscope_aams.checkpoints.atomic import write_atomically, write_directory_atomically
from modelscope_aams.checkpoints.frozen_graph import FILE_NAME
from modelscope_aams.checkpoints.layout import Weights
from modelscope_aams.network.options import TransferOptions

from .graph import SIGNATURE, stylization


def export(path, weights: Weights, options: TransferOptions = TransferOptions()):
    """Writes a model directory as the published ones, or for a path ``*.pb`` the graph alone.

    This project's own pipeline reads the weights back from either, and from the directory
    the options.
    """
    if pathlib.Path(path).suffix == '.pb':
        content = graph(weights, options).SerializeToString()
        write_atomically(path, lambda file: pathlib.Path(file).write_bytes(content))
    else:
        write_directory_atomically(path, lambda folder: write_model(folder, weights, options))


def write_model(folder, weights: Weights, options: TransferOptions):
    """Puts the files of a published model directory into a folder that is there."""
    folder = pathlib.Path(folder)
    (folder / FILE_NAME).write_bytes(graph(weights, options).SerializeToString())
    (folder / 'configuration.json').write_text(
        json.dumps(configuration(options), indent=2) + '\n', encoding='utf-8')


def graph(weights: Weights, options: TransferOptions = TransferOptions()):
    """The GraphDef; its placeholders and outputs have the names of graph.stylization's."""
    stylize, built = stylization(weights, options), tf.Graph()
    with built.as_default():
        stylize(*(tf.compat.v1.placeholder(spec.dtype, spec.shape, spec.name)
                  for spec in SIGNATURE))
    return built.as_graph_def()


def configuration(options: TransferOptions = TransferOptions()) -> dict:
    """What configuration.json says of a directory with such a graph."""
    return {'framework': 'tensorflow', 'task': 'image-style-transfer',
            'pipeline': {'type': 'AAMS-style-transfer', 'scales': list(options.scales),
                         'theta': options.theta}}
