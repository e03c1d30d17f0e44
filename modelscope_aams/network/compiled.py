"""Python functions on tensors, each traced into a graph once."""
import threading
from typing import Callable, Hashable

import tensorflow as tf


class CompiledFunctions:
    """Keeps the traced form of each function by its key; safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._compiled = {}

    def __call__(self, key: Hashable, function: Callable, *signature) -> Callable:
        """``function``, traced once for arguments of all sizes that ``signature`` allows.

        Where a graph is being traced already, it becomes part of that.
        """
        if not tf.executing_eagerly():
            return function
        with self._lock:
            if key not in self._compiled:
                # Rewriting the source for control flow takes seconds, and there is none in it.
                compiled = tf.function(function, input_signature=signature, autograph=False)
                # Left to the first call, every thread that came meanwhile would count as a
                # trace, and TensorFlow warns of many.
                compiled.get_concrete_function()
                self._compiled[key] = compiled
            return self._compiled[key]

    @property
    def traces(self) -> int:
        """How many graphs were traced so far."""
        with self._lock:
            return sum(function.experimental_get_tracing_count()
                       for function in self._compiled.values())


def maps(channels: int) -> tf.TensorSpec:
    """A feature map [1, rows, columns, channels] of any size."""
    return tf.TensorSpec([1, None, None, channels], tf.float32)


def statistic(channels: int) -> tf.TensorSpec:
    """One value a channel, [1, 1, 1, channels]."""
    return tf.TensorSpec([1, 1, 1, channels], tf.float32)
