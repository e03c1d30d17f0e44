"""The transfer as an ONNX file, for runtimes other than TensorFlow."""
import pathlib

import tensorflow as tf

from modelscope_aams.checkpoints.atomic import write_atomically
from modelscope_aams.checkpoints.description import DESCRIPTION, described
from modelscope_aams.checkpoints.layout import Weights
from modelscope_aams.extras import require_extra
from modelscope_aams.network.options import TransferOptions

from .graph import ATTENTION_MAP, CENTROIDS, SIGNATURE, STYLIZED, stylization
from .onnx_operators import HANDLERS
from .whitening import square_roots

#: What the file asks of a runtime: ONNX's operators of 2022.
OPSET = 18
#: Names of the sizes that are open, in inputs and outputs.
SIZES = {'content': ('rows', 'columns', None), 'style': ('style_rows', 'style_columns', None),
         'inter_weight': (),
         STYLIZED: (None, 'stylized_rows', 'stylized_columns', None),
         ATTENTION_MAP: (None, 'map_rows', 'map_columns', None), CENTROIDS: (None,)}


def export(path, weights: Weights, options: TransferOptions = TransferOptions()):
    """Writes the file; its inputs and outputs are those of graph.stylization.

    Raises:
        ValueError: if packages are missing.
    """
    require_extra('export', 'ONNX export')
    content = _converted(weights, options).SerializeToString()
    write_atomically(path, lambda temporary: pathlib.Path(temporary).write_bytes(content))


def _converted(weights, options):
    import onnx
    import tf2onnx
    function = tf.function(
        stylization(weights, options, banded=False, square_roots=square_roots),
        input_signature=SIGNATURE, autograph=False)
    model, _ = tf2onnx.convert.from_function(function, SIGNATURE, opset=OPSET,
                                             custom_op_handlers=HANDLERS)
    for value in (*model.graph.input, *model.graph.output):
        for dimension, size in zip(value.type.tensor_type.shape.dim, SIZES[value.name]):
            if size:
                dimension.dim_param = size
    model.metadata_props.add(key=DESCRIPTION, value=described(weights.configuration))
    # Of an operator that it cannot convert, tf2onnx says so and goes on.
    onnx.checker.check_model(model, full_check=True)
    return model
