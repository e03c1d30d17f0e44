"""The autoencoder with its loss, as a Keras model that ``fit`` can train on any backend."""
from typing import Callable, NamedTuple

import keras
from keras import ops

from modelscope_aams.network import losses
from modelscope_aams.network.encoder import subtract_mean

from .recipe import LossWeights

class Split(NamedTuple):
    """How a batch is split over devices.

    Attributes:
        parts: of equal size, one per device. Their gradients are summed, and the sum is
            the gradient of the whole batch.
        machines: that the devices are in.
        average: takes the mean of a tensor over the parts.
    """
    parts: int = 1
    machines: int = 1
    average: Callable = lambda tensor: tensor


class Objective(keras.Model):
    """A network with its loss: subclasses give ``call`` and ``terms``.

    Args:
        network: an AttentionAutoencoder; its encoder stays as it is.
        terms: names of the loss terms.
        split: how each batch is split over devices.
    """

    def __init__(self, network, terms, split=Split(), **kwargs):
        super().__init__(**kwargs)
        self.network, self.split = network, split
        self.trackers = {term: keras.metrics.Mean(name=term) for term in terms}

    def build(self, input_shape=None):
        self.built = True

    def terms(self, batch, result):
        """The weighted loss terms, scalars by name, for a batch and what ``call`` made of it."""
        raise NotImplementedError

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """This part's share of the loss: the shares of all parts add up to the whole."""
        # A sum over the part is its share of the whole batch's; a mean is not.
        shares = {term: value if self._is_sum(term) else value / self.split.parts
                  for term, value in self.terms(x, y_pred).items()}
        for term, share in shares.items():
            self.trackers[term].update_state(share * self.split.parts)
        return sum(shares.values())

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Running means of loss and terms by name."""
        values = self.get_metrics_result()
        if self.split.machines > 1:
            # Over machines Keras takes their mean along a first dimension.
            values = {name: ops.expand_dims(value, 0) for name, value in values.items()}
        return values

    def _is_sum(self, term):
        return False


class ReconstructionObjective(Objective):
    """Stage one: pictures have to come back through encoder, attention and decoder.

    Args:
        network: an AttentionAutoencoder.
        weights: weight of each term of the loss.
        split: see Objective.
    """

    def __init__(self, network, weights=LossWeights(), split=Split(), **kwargs):
        super().__init__(network, ('reconstruction', 'perceptual', 'total_variation',
                                   'attention_l1'), split, **kwargs)
        self.weights_of_loss = weights

    def call(self, images, training=False):
        return self.network(images)

    def terms(self, images, result):
        """See Objective; ``images`` are RGB 0..255."""
        weights = self.weights_of_loss
        target = subtract_mean(ops.convert_to_tensor(images, dtype='float32'))
        output = subtract_mean(result['picture'])
        targets = result['features']
        scales = None
        if weights.perceptual_relative:
            scales = losses.variances(targets, self.split.average)
        return {
            'reconstruction': weights.reconstruction * losses.mean_square(output, target),
            'perceptual': weights.perceptual * losses.perceptual(
                self.network.encoder(output), targets, scales),
            'total_variation': weights.total_variation * losses.total_variation(output),
            'attention_l1': weights.attention * losses.attention_sparsity(
                result['attention'], weights.attention_reduction),
        }

    def _is_sum(self, term):
        return term == 'attention_l1' and self.weights_of_loss.attention_reduction == 'sum'
