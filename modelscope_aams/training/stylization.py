"""The second stage: the network trained on its own transferred features.

As Huang and Belongie (2017) train a decoder on features that AdaIN gave a style, here those
of all the methods: what they make of a photograph and a painting is decoded, and the result
has to have the painting's statistics and the transferred features.
"""
import numpy as np
import tensorflow as tf

from modelscope_aams.network import losses
from modelscope_aams.network.adain import channel_moments
from modelscope_aams.network.configuration import FEATURE_LAYERS
from modelscope_aams.network.encoder import subtract_mean
from modelscope_aams.network.feature_transforms import TRANSFORMS, StyleFeatures
from modelscope_aams.network.options import METHODS, TransferOptions
from modelscope_aams.network.style_swap import style_patches
from modelscope_aams.network.style_weight import weaken, weaken_moments
from modelscope_aams.network.whitening import whiten

from .objective import Objective, Split
from .pictures import Crops
from .recipe import Stylization

#: Names of the parts of a sample.
CONTENT, STYLE, DRAW = 'content', 'style', 'draw'
#: Weakest inter_weight that is drawn, and the share of samples that draw one.
WEAKEST_INTER_WEIGHT, PARTIAL_INTER_WEIGHT = 0.5, 0.3


class StylePairs:
    """The endless sequence of training samples; each is a pure function of its number.

    Args:
        contents, styles: crops of photographs and of paintings.
        settings: what is drawn how often.
        seed: decides the draws.
    """

    def __init__(self, contents: Crops, styles: Crops, settings: Stylization, seed: int):
        self.contents, self.styles, self.settings, self.seed = contents, styles, settings, seed
        self.specs = {CONTENT: contents.specs, STYLE: styles.specs,
                      DRAW: tf.TensorSpec([3], tf.float32)}

    def __getitem__(self, number: int):
        """Two crops, float32 RGB 0..255, and (index of METHODS, style and inter weight)."""
        return {CONTENT: self.contents[number], STYLE: self.styles[number],
                DRAW: self.draw(number)}

    def draw(self, number: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, 2, number])
        shares = np.array([self.settings.method_shares[method] for method in METHODS])
        method = rng.choice(len(METHODS), p=shares / shares.sum())
        style_weight = inter_weight = 1.0
        if rng.random() < self.settings.reconstructed:
            style_weight = 0.0
        elif rng.random() < self.settings.partial:
            style_weight = rng.uniform(self.settings.weakest, 1)
        if rng.random() < PARTIAL_INTER_WEIGHT:
            inter_weight = rng.uniform(WEAKEST_INTER_WEIGHT, 1)
        return np.array([method, style_weight, inter_weight], np.float32)


class StylizationObjective(Objective):
    """The loss of stylized crops, for the decoder alone; attention stays as it is.

    Args:
        network: an AttentionAutoencoder.
        settings: weights of the terms.
        split: see Objective.
    """

    def __init__(self, network, settings: Stylization, split=Split(), **kwargs):
        super().__init__(network, ('style', 'correlations', 'content', 'reconstruction',
                                   'perceptual', 'total_variation'), split, **kwargs)
        network.attention.trainable = False
        self.settings = settings
        self.transforms = [TRANSFORMS[method](network, banded=False) for method in METHODS]

    def call(self, sample, training=False):
        """What is decoded and what it should be like, from a batch of StylePairs."""
        contents, styles = (self._features(sample[part]) for part in (CONTENT, STYLE))
        weights = sample[DRAW][:, 1, None, None, None]
        own, wanted = ({layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS}
                       for features in (contents, styles))
        targets = weaken_moments(wanted, own, weights)
        deep = FEATURE_LAYERS[-1]
        transferred = tf.stack([
            self._transferred(contents[deep][i:i + 1], styles[deep][i:i + 1], sample[DRAW][i])
            for i in range(contents[deep].shape[0])])
        # At full weight weaken would change nothing but by rounding.
        transferred = tf.stop_gradient(tf.where(
            weights == 1, transferred, weaken(transferred, contents[deep], weights)))
        picture = self.network.decoder(
            transferred, {layer: targets[layer] for layer in FEATURE_LAYERS[:-1]})
        return {'picture': picture, 'transferred': transferred, 'targets': targets,
                'contents': contents, 'styles': styles}

    def terms(self, sample, result):
        """See Objective."""
        settings, style_weight = self.settings, sample[DRAW][:, 1]
        output = subtract_mean(result['picture'])
        features = {layer: tf.cast(value, tf.float32)
                    for layer, value in self.network.encoder(output).items()}
        moments = {layer: channel_moments(features[layer]) for layer in FEATURE_LAYERS}
        transferred, deep = result['transferred'], FEATURE_LAYERS[-1]
        spread = tf.math.reduce_variance(transferred, axis=(1, 2, 3))
        content = tf.reduce_mean(
            tf.square(features[deep] - transferred), axis=(1, 2, 3)) / spread
        whole = tf.cast(style_weight == 1, tf.float32)
        back = tf.cast(style_weight == 0, tf.float32)
        error = tf.reduce_mean(
            tf.square(output - subtract_mean(sample[CONTENT])), axis=(1, 2, 3))
        perceptual = tf.add_n([
            tf.reduce_mean(tf.square(features[layer] - result['contents'][layer]),
                           axis=(1, 2, 3))
            / tf.math.reduce_variance(result['contents'][layer], axis=(1, 2, 3))
            for layer in FEATURE_LAYERS])
        return {
            'style': settings.style * losses.channel_statistics(moments, result['targets']),
            'correlations': settings.correlations * tf.reduce_mean(
                whole * losses.correlations(features, result['styles'])),
            'content': settings.content * tf.reduce_mean(content),
            'reconstruction': settings.reconstruction * tf.reduce_mean(back * error),
            'perceptual': settings.perceptual * tf.reduce_mean(back * perceptual),
            'total_variation': settings.total_variation * losses.total_variation(output),
        }

    def _features(self, images):
        features = self.network.encoder(subtract_mean(images))
        return {layer: tf.cast(value, tf.float32) for layer, value in features.items()}

    def _transferred(self, content, style, draw):
        """One content's features [rows, columns, c] with a style's statistics, as drawn."""
        theta = tf.constant(TransferOptions.theta)

        def apply(transform, scales):
            whitened, colouring = whiten(tf.reshape(style, [-1, style.shape[-1]]))
            whitened = tf.reshape(whitened, style.shape[1:])
            features = StyleFeatures(
                colouring, {FEATURE_LAYERS[-1]: channel_moments(style)},
                tuple(style_patches(whitened, scale) for scale in scales))
            return tf.ensure_shape(
                transform.apply(transform.prepare(content), features, draw[2], theta).features,
                content.shape[1:])

        branches = [
            lambda transform=transform, method=method: apply(
                transform, TransferOptions(method=method).style_scales)
            for method, transform in zip(METHODS, self.transforms)]
        # Crops that come back need no transfer.
        return tf.cond(draw[1] > 0, lambda: tf.switch_case(tf.cast(draw[0], tf.int32), branches),
                       lambda: content[0])

