"""The autoencoder with its loss, as a Keras model that ``fit`` can train on any backend."""
import keras
from keras import ops

from modelscope_aams.network import losses
from modelscope_aams.network.encoder import subtract_mean

from .recipe import LossWeights

TERMS = ('reconstruction', 'perceptual', 'total_variation', 'attention_l1')


class ReconstructionObjective(keras.Model):
    """Stage one: pictures have to come back through encoder, attention and decoder.

    Args:
        network: an AttentionAutoencoder; its encoder stays as it is.
        weights: weight of each term of the loss.
        replicas: in how many parts a batch is split over devices; the gradients of the
            parts are summed.
    """

    def __init__(self, network, weights=LossWeights(), replicas=1, **kwargs):
        super().__init__(**kwargs)
        self.network, self.weights_of_loss, self.replicas = network, weights, replicas
        self.trackers = {term: keras.metrics.Mean(name=term) for term in TERMS}

    def build(self, input_shape=None):
        self.built = True

    def call(self, images, training=False):
        return self.network(images)

    def terms(self, images, result):
        """The weighted loss terms, scalars by name, for one batch of RGB 0..255."""
        weights = self.weights_of_loss
        target = subtract_mean(images)
        output = subtract_mean(result['picture'])
        features = self.network.encoder(output)
        return {
            'reconstruction': weights.reconstruction * losses.mean_square(output, target),
            'perceptual': weights.perceptual * losses.perceptual(
                features, result['features'], weights.perceptual_relative),
            'total_variation': weights.total_variation * losses.total_variation(output),
            'attention_l1': weights.attention * losses.attention_sparsity(
                result['attention'], weights.attention_reduction),
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        terms = self.terms(x, y_pred)
        for term, value in terms.items():
            self.trackers[term].update_state(value)
        # A sum over the batch is already shared out over the parts; a mean is not.
        means = sum(value for term, value in terms.items() if not self._is_sum(term))
        sums = sum((value for term, value in terms.items() if self._is_sum(term)),
                   ops.zeros(()))
        return means / self.replicas + sums

    def _is_sum(self, term):
        return term == 'attention_l1' and self.weights_of_loss.attention_reduction == 'sum'
