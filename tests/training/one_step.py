"""One optimiser step of the reference weights on the reference batch, on any Keras backend.

``python -m tests.training.one_step FILE`` writes what came of it as .npz.
"""
import sys

import keras
import numpy as np
from keras import ops

from modelscope_aams.network.autoencoder import AttentionAutoencoder
from modelscope_aams.network.configuration import FEATURE_LAYERS, NetworkConfiguration
from modelscope_aams.training.objective import ReconstructionObjective
from modelscope_aams.training.recipe import LossWeights
from tests.reference_weights import DATA, reference_arrays

PUBLISHED = LossWeights()
OURS = LossWeights(reconstruction=0.002, perceptual_relative=True, total_variation=0.1,
                   attention=100.0, attention_reduction='mean')


def reference_network():
    network = AttentionAutoencoder(NetworkConfiguration().without('conv3_4'))
    network.assign(reference_arrays())
    return network


def reference_batch():
    with np.load(DATA / 'reference_training.npz') as file:
        return file['batch_rgb'].astype(np.float32)


def loss_terms(weights, network, images):
    objective = ReconstructionObjective(network, weights)
    images = ops.convert_to_tensor(images)
    terms = objective.terms(images, objective(images))
    return {name: float(ops.convert_to_numpy(value)) for name, value in terms.items()}


def run():
    """Arrays by name: what the network gives, the losses, the gradients, and the new weights."""
    network, images = reference_network(), reference_batch()
    output = network(ops.convert_to_tensor(images))
    result = {f'features/{layer}': output['features'][layer] for layer in FEATURE_LAYERS}
    result.update(picture=output['picture'], attention=output['attention'])
    result = {name: ops.convert_to_numpy(value) for name, value in result.items()}
    for name, weights in (('published', PUBLISHED), ('ours', OURS)):
        for term, value in loss_terms(weights, network, images).items():
            result[f'{name}/{term}'] = np.array(value)
    objective = ReconstructionObjective(network, OURS)
    # Plain gradient descent, whose step is the gradient.
    objective.compile(optimizer=keras.optimizers.SGD(1.0), jit_compile=False)
    objective.build()
    before = network.arrays()
    objective.train_on_batch(images)
    for name, array in network.arrays().items():
        result[f'step/{name}'] = array - before[name]
    return result


if __name__ == '__main__':
    np.savez(sys.argv[1], backend=keras.backend.backend(), **run())
