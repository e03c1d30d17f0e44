"""The autoencoder with its loss, as a Keras model that ``fit`` can train on any backend."""
import keras

from modelscope_aams.network import losses
from modelscope_aams.network.encoder import subtract_mean

from .recipe import LossWeights

TERMS = ('reconstruction', 'perceptual', 'total_variation', 'attention_l1')


class ReconstructionObjective(keras.Model):
    """Stage one: pictures have to come back through encoder, attention and decoder.

    Args:
        network: an AttentionAutoencoder; its encoder stays as it is.
        weights: weight of each term of the loss.
        replicas: in how many equal parts a batch is split over devices; the gradients of
            the parts are summed, and the sum is the gradient of the whole batch.
        average: takes the mean of a tensor over the parts.
    """

    def __init__(self, network, weights=LossWeights(), replicas=1,
                 average=lambda values: values, **kwargs):
        super().__init__(**kwargs)
        self.network, self.weights_of_loss = network, weights
        self.replicas, self.average = replicas, average
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
        targets = result['features']
        scales = losses.variances(targets, self.average) if weights.perceptual_relative else None
        return {
            'reconstruction': weights.reconstruction * losses.mean_square(output, target),
            'perceptual': weights.perceptual * losses.perceptual(
                self.network.encoder(output), targets, scales),
            'total_variation': weights.total_variation * losses.total_variation(output),
            'attention_l1': weights.attention * losses.attention_sparsity(
                result['attention'], weights.attention_reduction),
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """This part's share of the loss: the shares of all parts add up to the whole."""
        # A sum over the part is its share of the whole batch's; a mean is not.
        shares = {term: value if self._is_sum(term) else value / self.replicas
                  for term, value in self.terms(x, y_pred).items()}
        for term, share in shares.items():
            self.trackers[term].update_state(share * self.replicas)
        return sum(shares.values())

    def _is_sum(self, term):
        return term == 'attention_l1' and self.weights_of_loss.attention_reduction == 'sum'
