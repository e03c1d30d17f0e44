"""The published method as a frozen TensorFlow 1 graph, to compare with and to time against.

The graph computes each stage as it is specified and as the authors' code computes it: dense
convolutions for the style swap and for the smoothing of the attention mask, a singular value
decomposition, self-attention in one piece, every layer of VGG-19. Its operations are plain
ones that TensorFlow fuses and runs well. In three points it follows this project, so that
the two can be compared: what the weights' configuration says of the attention, the centres
that k-means starts from, and, if it is given, the kernel that smooths the attention mask.
"""
import json
import math
import pathlib

import tensorflow as tf

from modelscope_aams.checkpoints import BUNDLED, frozen_graph
from modelscope_aams.checkpoints.layout import Weights
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network.configuration import (
    DECODER_LAYERS, FEATURE_LAYERS, MEAN_PIXEL, MIRRORED, NORMALISED, POOL, VGG19_LAYERS)
from modelscope_aams.network.names import attention_name, decoder_name, encoder_name

v1 = tf.compat.v1

#: What the published model directories say of themselves.
CONFIGURATION = {'framework': 'tensorflow', 'task': 'image-style-transfer',
                 'pipeline': {'type': 'AAMS-style-transfer'}}

STYLE_SHORT_SIDE, STYLE_SIDE = 512, 448
SCALES = (1 / 2, 1 / math.sqrt(2), 1.0)
THETA = 50.0
PATCH, BORDER = 5, 2
CLUSTER_ROUNDS = 80
ENLARGED = ('inv_conv4_1', 'inv_conv3_1', 'inv_conv2_1')
MATCHED_TO = {'inv_conv3_2': 'conv3_1', 'inv_conv2_2': 'conv2_1', 'inv_conv1_2': 'conv1_1'}


def published_graph(weights: Weights, smoothing=None) -> v1.GraphDef:
    """Builds the graph; its names are the official ones.

    Inputs are ``content:0`` and ``style:0`` (float32 RGB 0..255, [rows, columns, 3], any
    size) and ``inter_weight:0`` (scalar); outputs ``stylized_output:0`` ([1, rows, columns, 3]
    before clipping), ``attention_map:0`` ([1, rows / 8, columns / 8, 512], the channels
    alike) and ``centroids:0`` ([4], ascending).

    Args:
        weights: all variables, conv3_4 among them; they become Const nodes.
        smoothing: [3, 3] kernel for the attention mask; without it one is drawn anew on
            every run, as published.
    """
    graph = tf.Graph()
    with graph.as_default():
        constants = {name: tf.constant(array, name=name)
                     for name, array in weights.arrays.items()}
        content, style = (v1.placeholder(tf.float32, (None, None, 3), name=name)
                          for name in ('content', 'style'))
        inter_weight = v1.placeholder(tf.float32, (), name='inter_weight')
        mirrored = weights.configuration.border == MIRRORED
        content_deep = _content_features(content, constants, mirrored)
        style_features = _encode(_prepared_style(style), constants)
        whitened, _, _ = _whitened(content_deep)
        style_whitened, colouring, mean = _whitened(style_features['conv4_1'])
        attention = _self_attention(
            _normalised(content_deep)
            if weights.configuration.attention_features == NORMALISED else whitened, constants)
        attended = whitened * attention + whitened
        saliency = _attention_map(attention, smoothing, weights.configuration.attention_peak)
        strokes = [_swapped(attended, style_whitened, scale) for scale in SCALES] + [attended]
        fused, centroids = _fused(strokes, saliency)
        fused = inter_weight * fused + (1 - inter_weight) * attended
        coloured = tf.matmul(tf.reshape(fused, [-1, fused.shape[-1]]), colouring) + mean
        coloured = tf.reshape(coloured, tf.shape(fused))
        if mirrored:
            coloured = tf.pad(coloured, [[0, 0], [1, 1], [1, 1], [0, 0]], 'REFLECT')
        picture = _decode(coloured, style_features, constants)
        if mirrored:
            picture = picture[:, 8:-8, 8:-8]
        tf.identity(picture, name='stylized_output')
        tf.identity(saliency, name='attention_map')
        tf.identity(centroids, name='centroids')
    return graph.as_graph_def()


def _content_features(content, constants, mirrored):
    """conv4_1 features [1, rows / 8, columns / 8, 512] of a picture [rows, columns, 3]."""
    if not mirrored:
        return _encode(content, constants)['conv4_1']
    rows, columns = (tf.shape(content)[i] // 8 for i in range(2))
    beyond = tf.pad(content, [[16, 16], [16, 16], [0, 0]], 'REFLECT')
    return _encode(beyond, constants)['conv4_1'][:, 2:2 + rows, 2:2 + columns]


def write_published_model(directory, weights: Weights = None, smoothing=None) -> pathlib.Path:
    """Writes a model directory like the official ones, which ModelScope's own pipeline runs.

    Args:
        directory: to write to; it is made if it is not there.
        weights: see :func:`published_graph`; those that come with the package by default.
        smoothing: see there.

    Returns:
        ``directory``.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    graph = published_graph(weights or read_weights(BUNDLED), smoothing).SerializeToString()
    (directory / frozen_graph.FILE_NAME).write_bytes(graph)
    (directory / 'configuration.json').write_text(json.dumps(CONFIGURATION, indent=2) + '\n')
    return directory


def cluster_centres(points, count):
    """k-means of numbers [n] from evenly spaced centres, ascending [count].

    The map has few different values, so that one may lie exactly between two centres: it
    goes to the upper one, as in this project. In float64, lest rounding decide there.
    """
    points = tf.cast(points, tf.float64)
    low, high = tf.reduce_min(points), tf.reduce_max(points)
    start = low + (high - low) * (tf.range(count, dtype=tf.float64) + 0.5) / count

    def move(centres):
        distances = tf.abs(points - centres[::-1, None])
        nearest = count - 1 - tf.argmin(distances, axis=0, output_type=tf.int32)
        sizes = tf.math.unsorted_segment_sum(tf.ones_like(points), nearest, count)
        totals = tf.math.unsorted_segment_sum(points, nearest, count)
        return [tf.where(sizes > 0, tf.math.divide_no_nan(totals, sizes), centres)]

    centres, = tf.while_loop(lambda _: True, move, [start], maximum_iterations=CLUSTER_ROUNDS)
    return tf.sort(tf.cast(centres, tf.float32))


def _prepared_style(style):
    """The central square of a style [rows, columns, 3] scaled to a short side of 512."""
    shape = tf.cast(tf.shape(style)[:2], tf.float64)
    size = tf.cast(shape * STYLE_SHORT_SIDE / tf.reduce_min(shape), tf.int32)
    resized = tf.raw_ops.ResizeBilinear(images=style[None], size=size)[0]
    top, left = tf.unstack((size - STYLE_SIDE) // 2)
    return tf.ensure_shape(resized[top:top + STYLE_SIDE, left:left + STYLE_SIDE],
                           [STYLE_SIDE, STYLE_SIDE, 3])


def _convolved(features, kernel, bias, relu=True):
    result = tf.nn.bias_add(tf.nn.conv2d(features, kernel, 1, 'SAME'), bias)
    return tf.nn.relu(result) if relu else result


def _encode(picture, constants):
    """RGB 0..255 [rows, columns, 3] to {layer: features [1, h, w, c]} at FEATURE_LAYERS."""
    features, x = {}, (picture - tf.constant(MEAN_PIXEL))[None]
    for entry in VGG19_LAYERS:
        if entry == POOL:
            x = tf.nn.avg_pool2d(x, 2, 2, 'VALID')
            continue
        scope = encoder_name(entry[0])
        x = _convolved(x, constants[f'{scope}/weights'], constants[f'{scope}/biases'])
        if entry[0] in FEATURE_LAYERS:
            features[entry[0]] = x
    return features


def _whitened(features):
    """Whitened features [1, h, w, c], colouring kernel [c, c], mean [c]."""
    channels = features.shape[-1]
    flat = tf.reshape(tf.cast(features, tf.float64), [-1, channels])
    mean = tf.reduce_mean(flat, axis=0)
    centred = flat - mean
    count = tf.cast(tf.shape(flat)[0], tf.float64)
    covariance = tf.matmul(centred, centred, transpose_a=True) / count
    variances, left, right = tf.linalg.svd(covariance)
    kept = variances > 1e-5
    deviations = tf.sqrt(tf.where(kept, variances, 1.0))
    left = tf.where(kept, left, 0.0)
    whitening = tf.matmul(left / deviations, right, transpose_b=True)
    colouring = tf.matmul(left * deviations, right, transpose_b=True)
    whitened = tf.cast(tf.matmul(centred, whitening), tf.float32)
    return (tf.reshape(whitened, tf.shape(features)), tf.cast(colouring, tf.float32),
            tf.cast(mean, tf.float32))


def _normalised(features):
    mean, variance = tf.nn.moments(features, [1, 2], keepdims=True)
    return (features - mean) / tf.sqrt(variance + 1e-7)


def _self_attention(features, constants):
    """o = softmax(g fᵀ) h over all positions at once, [1, h, w, c]."""
    def projected(letter):
        scope = attention_name(letter)
        x = _convolved(features, constants[f'{scope}/kernel'], constants[f'{scope}/bias'],
                       relu=False)
        return tf.reshape(x, [-1, x.shape[-1]])

    weights = tf.nn.softmax(tf.matmul(projected('g'), projected('f'), transpose_b=True))
    return tf.reshape(tf.matmul(weights, projected('h')), tf.shape(features))


def _attention_map(attention, smoothing, peak):
    """Saliency [1, h, w, c] in 0..1, the same in every channel."""
    magnitude = tf.abs(attention)
    mask = tf.cast(magnitude > 2 * tf.reduce_mean(magnitude), tf.float32)
    if smoothing is None:
        kernel = v1.truncated_normal([3, 3], mean=6.0, stddev=5.0)
        kernel /= tf.reduce_sum(kernel)
    else:
        kernel = tf.constant(smoothing, tf.float32)
    channels = attention.shape[-1]
    kernel = tf.tile(kernel[:, :, None, None], [1, 1, channels, channels])
    smooth = tf.nn.conv2d(mask, kernel, 1, 'SAME')
    smooth -= tf.reduce_min(smooth)
    most = scale = tf.reduce_max(smooth)
    if peak < 100:
        plane = tf.sort(tf.reshape(smooth[..., 0], [-1]))
        rank = tf.math.ceil(tf.cast(tf.size(plane), tf.float32) * (peak / 100))
        scale = plane[tf.maximum(tf.cast(rank, tf.int32), 1) - 1]
        scale = tf.where(scale > 0, scale, most)
    return tf.clip_by_value(tf.math.divide_no_nan(smooth, scale), 0.0, 1.0)


def _swapped(content, style, scale):
    """Each 5x5 patch of content [1, h, w, c] replaced by its nearest of style's, [1, h, w, c].

    One convolution with all normalised style patches as its kernel, one transposed
    convolution of the one-hot maximum with the patches themselves.
    """
    channels = content.shape[-1]
    shape = tf.shape(content)
    size = tf.cast(tf.floor(scale * tf.cast(tf.shape(style)[1:3], tf.float32)), tf.int32)
    patches = tf.image.extract_patches(tf.raw_ops.ResizeBilinear(images=style, size=size),
                                       [1, PATCH, PATCH, 1], [1] * 4, [1] * 4, 'SAME')
    patches = tf.reshape(patches, [-1, PATCH * PATCH * channels])
    kernel = tf.reshape(tf.transpose(patches), [PATCH, PATCH, channels, -1])
    norms = tf.norm(patches, axis=1)
    mirrored = tf.pad(content, [[0, 0], [BORDER, BORDER], [BORDER, BORDER], [0, 0]], 'REFLECT')
    similarity = tf.nn.conv2d(mirrored, kernel / (norms + 1e-7), 1, 'VALID')
    chosen = tf.one_hot(tf.argmax(similarity, axis=-1), tf.shape(kernel)[-1])
    outer = shape + [0, 2 * BORDER, 2 * BORDER, 0]
    pasted = tf.nn.conv2d_transpose(chosen, kernel, outer, 1, 'VALID')
    covering = tf.nn.conv2d_transpose(
        tf.ones_like(content[..., :1]), tf.ones([PATCH, PATCH, 1, 1]),
        tf.concat([outer[:3], [1]], 0), 1, 'VALID')
    return tf.slice(pasted, [0, BORDER, BORDER, 0], shape) / tf.slice(
        covering, [0, BORDER, BORDER, 0], tf.concat([shape[:3], [1]], 0))


def _fused(strokes, saliency):
    """The strokes [1, h, w, c] weighed by saliency; with the centroids [strokes]."""
    # All channels are alike; their mean would round.
    plane = saliency[..., :1]
    centroids = cluster_centres(tf.reshape(plane, [-1]), len(strokes))
    weights = tf.nn.softmax(THETA * (1 - tf.abs(plane - centroids)))
    return tf.add_n([stroke * weights[..., i:i + 1]
                     for i, stroke in enumerate(strokes)]), centroids


def _decode(features, style_features, constants):
    """Coloured features [1, h, w, 512] to RGB [1, 8 h, 8 w, 3], not clipped."""
    x, last = features, DECODER_LAYERS[-1][0]
    for layer, _ in DECODER_LAYERS:
        scope = decoder_name(layer)
        x = _convolved(x, constants[f'{scope}/kernel'], constants[f'{scope}/bias'],
                       relu=layer != last)
        if layer in MATCHED_TO:
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            style_mean, style_variance = tf.nn.moments(
                style_features[MATCHED_TO[layer]], [1, 2], keepdims=True)
            x = tf.sqrt(style_variance) * ((x - mean) / tf.sqrt(variance + 1e-10)) + style_mean
        if layer in ENLARGED:
            x = tf.raw_ops.ResizeNearestNeighbor(images=x, size=2 * tf.shape(x)[1:3])
    return x + 127.5
