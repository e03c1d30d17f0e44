"""The losses against the reference, against hand-made ones, and on another backend."""
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from modelscope_aams.network import losses
from modelscope_aams.network.configuration import FEATURE_LAYERS
from modelscope_aams.training.objective import ReconstructionObjective, Split
from tests.reference_weights import DATA
from tests.training import one_step

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope='module')
def network():
    return one_step.reference_network()


def test_published_losses_at_the_reference_weights(network):
    terms = one_step.loss_terms(one_step.PUBLISHED, network, one_step.reference_batch())
    with np.load(DATA / 'reference_training.npz') as reference:
        for name, value in terms.items():
            assert value == pytest.approx(float(reference[name]), rel=1e-4), name
        assert sum(terms.values()) == pytest.approx(float(reference['total']), rel=1e-4)


def test_loss_is_the_sum_of_its_terms(network):
    images = one_step.reference_batch()
    objective = ReconstructionObjective(network, one_step.OURS)
    terms = one_step.loss_terms(one_step.OURS, network, images)
    loss = objective.compute_loss(x=images, y_pred=objective(images))
    assert float(loss) == pytest.approx(sum(terms.values()), rel=1e-6)


def test_shares_of_the_parts_add_up(network):
    images = one_step.reference_batch()
    whole = ReconstructionObjective(network, one_step.PUBLISHED)
    part = ReconstructionObjective(network, one_step.PUBLISHED, Split(parts=2))
    shares = [part.compute_loss(x=images[[n]], y_pred=part(images[[n]])) for n in (0, 1)]
    loss = whole.compute_loss(x=images, y_pred=whole(images))
    assert float(sum(shares)) == pytest.approx(float(loss), rel=1e-5)
    for term, tracker in whole.trackers.items():
        assert float(part.trackers[term].result()) == pytest.approx(
            float(tracker.result()), rel=1e-5), term


def test_total_variation_of_a_ramp():
    rows, columns = np.meshgrid(np.arange(5.0), np.arange(7.0), indexing='ij')
    ramp = (3 * rows - 2 * columns)[None, :, :, None].astype(np.float32)
    assert float(losses.total_variation(ramp)) == pytest.approx(3 + 2)


def test_relative_layers_count_alike():
    rng = np.random.default_rng(0)
    targets = {layer: (rng.standard_normal((2, 6, 5, 3)) * 10 ** n + 100).astype(np.float32)
               for n, layer in enumerate(FEATURE_LAYERS)}
    features = {layer: np.full_like(value, value.mean()) for layer, value in targets.items()}
    scales = losses.variances(targets)
    for layer in FEATURE_LAYERS:
        assert float(scales[layer]) == pytest.approx(targets[layer].var(), rel=1e-4)
    assert float(losses.perceptual(features, targets, scales)) == pytest.approx(4, rel=1e-4)


def test_sparsity_sums_or_averages():
    attention = np.array([[1.0, -2.0], [3.0, -4.0]], np.float32)
    assert float(losses.attention_sparsity(attention, 'sum')) == 10
    assert float(losses.attention_sparsity(attention, 'mean')) == 2.5


def test_torch_equals_tensorflow(tmp_path):
    path = tmp_path / 'torch.npz'
    subprocess.run([sys.executable, '-m', 'tests.training.one_step', str(path)], cwd=ROOT,
                   env={**os.environ, 'KERAS_BACKEND': 'torch'}, check=True)
    with np.load(path) as file:
        torch = dict(file)
    assert torch.pop('backend') == 'torch'
    tensorflow = one_step.run()
    assert set(torch) == set(tensorflow)
    for name, value in tensorflow.items():
        error = np.linalg.norm(np.float64(torch[name]) - value)
        if name == 'step/self_attention/f_conv/conv2d/bias':
            # The softmax takes no notice of it: its gradient is noise around nothing.
            kernel = np.linalg.norm(tensorflow[name.replace('bias', 'kernel')])
            assert np.linalg.norm([torch[name], value]) < 1e-4 * kernel
        elif name.startswith('step/vgg_19/'):
            assert error == 0, name
        else:
            size = np.linalg.norm(np.float64(value))
            # Logits of some hundreds enlarge in the gradients what float32 rounds off.
            assert error <= (5e-3 if name.startswith('step/') else 1e-4) * size, name
            assert size > 0, name
