"""The optimiser of a recipe."""
import keras
import tensorflow as tf

from .recipe import Optimiser


class WholeBatchAdam(keras.optimizers.Adam):
    """Adam that clips the gradient of the whole batch, over however many devices.

    Keras clips the part of each device before it sums them, so that the result would
    depend on the number of devices.
    """

    def apply(self, grads, trainable_variables=None):
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        if replicas > 1 and self.global_clipnorm:
            whole = context.all_reduce(tf.distribute.ReduceOp.SUM, list(grads))
            scale = tf.minimum(1.0, self.global_clipnorm / tf.linalg.global_norm(whole))
            # Keras sums over the devices once more, and finds nothing left to clip.
            grads = [gradient * (scale / replicas) for gradient in whole]
        super().apply(grads, trainable_variables)


def build_optimiser(settings: Optimiser, steps: int) -> keras.optimizers.Optimizer:
    """Adam as the recipe says, for a run of ``steps``."""
    rate = float(settings.rate)
    if settings.decay == 'cosine':
        rate = keras.optimizers.schedules.CosineDecay(rate, settings.decay_steps or steps)
    return WholeBatchAdam(rate, settings.beta_1, settings.beta_2, settings.epsilon,
                          global_clipnorm=settings.clip_norm)
