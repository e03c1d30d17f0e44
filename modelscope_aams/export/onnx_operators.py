"""TensorFlow operators that tf2onnx 1.17 does not know, or not as this network uses them.

Each function replaces one node of its graph, as tf2onnx's ``custom_op_handlers`` do.
"""
import numpy as np


def _floor_division(context, node, name, arguments):
    """Division of integers that rounds down; ONNX's own rounds towards zero."""
    remainder = context.make_node('Mod', node.input).output[0]
    multiple = context.make_node('Sub', [node.input[0], remainder]).output[0]
    _replace(context, node, 'Div', [multiple, node.input[1]])


def _floor_remainder(context, node, name, arguments):
    """Remainder of integers with the divisor's sign, as ONNX's has."""
    _replace(context, node, 'Mod', node.input)


def _lower_bound(context, node, name, arguments):
    """searchsorted of [1, n] and values [1, m]: how many of the sorted are less than each."""
    ordered, values = node.input
    axis = context.make_const(f'{name}/axis', np.array([-1])).name
    upright = context.make_node('Unsqueeze', [values, axis]).output[0]
    less = context.make_node('Less', [ordered, upright]).output[0]
    ones = context.make_node('Cast', [less], attr={'to': node.output_dtypes[0]}).output[0]
    _replace(context, node, 'ReduceSum', [ones, axis], keepdims=0)


def _normalised(context, node, name, arguments):
    """Batch normalisation of [batch, rows, columns, c] by given statistics, each [c].

    tf2onnx's own needs the statistics to be constants.
    """
    features, scale, offset, mean, variance = node.input
    epsilon = context.make_const(f'{name}/epsilon', np.float32(node.get_attr_value('epsilon')))
    variance = context.make_node('Add', [variance, epsilon.name]).output[0]
    deviation = context.make_node('Sqrt', [variance]).output[0]
    factor = context.make_node('Div', [scale, deviation]).output[0]
    centred = context.make_node('Sub', [features, mean]).output[0]
    scaled = context.make_node('Mul', [centred, factor]).output[0]
    _replace(context, node, 'Add', [scaled, offset])


def _replace(context, node, kind, inputs, **attributes):
    """Puts an operator of ONNX in place of a node, for the first of its outputs."""
    outputs, shapes, types = node.output[:1], node.output_shapes[:1], node.output_dtypes[:1]
    context.remove_node(node.name)
    context.make_node(kind, inputs, attr=attributes, outputs=outputs, shapes=shapes,
                      dtypes=types, name=node.name)


#: By TensorFlow's name.
HANDLERS = {'FloorDiv': (_floor_division, []), 'FloorMod': (_floor_remainder, []),
            'LowerBound': (_lower_bound, []), 'FusedBatchNormV3': (_normalised, [])}
