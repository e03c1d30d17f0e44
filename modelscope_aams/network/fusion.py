"""Multi-stroke fusion: which stroke a position gets (Yao et al. 2019, section 3.5)."""
import tensorflow as tf

MOST_ROUNDS = 100


def cluster_centres(values, count):
    """Lloyd's k-means of numbers, from evenly spaced centres, so always with one result.

    Args:
        values: float32 [n].
        count: number of clusters.

    Returns:
        float32 [count], ascending. An empty cluster keeps its centre.
    """
    ordered = tf.sort(tf.cast(values, tf.float64))
    sums = tf.concat([tf.zeros([1], tf.float64), tf.cumsum(ordered)], axis=0)
    low, high = ordered[0], ordered[-1]
    start = low + (high - low) * (tf.range(count, dtype=tf.float64) + 0.5) / count

    def move(centres, _):
        borders = (centres[1:] + centres[:-1]) / 2
        inner = tf.searchsorted(ordered, borders)
        edges = tf.concat([[0], inner, [tf.size(ordered)]], axis=0)
        sizes = tf.cast(edges[1:] - edges[:-1], tf.float64)
        totals = tf.gather(sums, edges[1:]) - tf.gather(sums, edges[:-1])
        moved = tf.where(sizes > 0, tf.math.divide_no_nan(totals, sizes), centres)
        return moved, tf.reduce_any(moved != centres)

    centres, _ = tf.while_loop(lambda _, moving: moving, move, (start, True),
                               maximum_iterations=MOST_ROUNDS)
    return tf.cast(centres, tf.float32)


def stroke_weights(attention_map, centres, theta):
    """Weight of each stroke at each position: softmax of θ · (1 − |map − centre|).

    Args:
        attention_map: [rows, columns], 0..1.
        centres: [strokes], ascending; the first belongs to the coarsest stroke.
        theta: sharpness; 0 mixes all strokes evenly.

    Returns:
        [rows, columns, strokes], sum 1 over the last axis.
    """
    distance = tf.abs(attention_map[..., None] - centres)
    return tf.nn.softmax(theta * (1.0 - distance), axis=-1)


def fuse(strokes, weights):
    """Σ weight · stroke over a list of [rows, columns, c]; weights [rows, columns, strokes]."""
    return tf.add_n([stroke * weights[..., i:i + 1] for i, stroke in enumerate(strokes)])
