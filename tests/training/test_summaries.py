"""What TensorBoard is shown, read back from the file."""
import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modelscope_aams.training.loop import Trainer
from modelscope_aams.training.summaries import LossSummaries
from modelscope_aams.training.weights import load_network, network_builder

TERMS = ('reconstruction', 'perceptual', 'total_variation', 'attention_l1')


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={'tensors': 0})
    events.Reload()
    return {tag: [(event.step, tf.make_ndarray(event.tensor_proto))
                  for event in events.Tensors(tag)] for tag in events.Tags()['tensors']}


def test_run_writes_losses_psnr_and_pairs(photographs, held_out, tiny, tmp_path):
    recipe = tiny(steps=5, checkpoint_interval=3, optimiser__rate=1e-3,
                  optimiser__decay='cosine', optimiser__decay_steps=5)
    trainer = Trainer(network_builder(recipe), recipe, photographs, tmp_path, held_out,
                      verbose=0)
    score = trainer.train()
    tags = read(tmp_path / 'tensorboard')
    assert set(tags) == {'rate', 'loss/loss', *(f'loss/{term}' for term in TERMS),
                         'validation/psnr_db', 'picture and reconstruction'}
    for name in ('loss', *TERMS):
        steps, values = zip(*tags[f'loss/{name}'])
        assert steps == (1, 2, 3, 4, 5)
    terms = [[float(value) for _, value in tags[f'loss/{term}']] for term in TERMS]
    np.testing.assert_allclose([value for _, value in tags['loss/loss']],
                               np.sum(terms, axis=0), rtol=1e-4)
    rates = [float(value) for _, value in tags['rate']]
    np.testing.assert_allclose(
        rates, [5e-4 * (1 + np.cos(np.pi * step / 5)) for step in range(1, 6)], atol=1e-9)
    assert [step for step, _ in tags['validation/psnr_db']] == [3, 5]
    assert float(tags['validation/psnr_db'][-1][1]) == pytest.approx(score)
    assert [step for step, _ in tags['picture and reconstruction']] == [3, 5]
    width, height, *pairs = tags['picture and reconstruction'][-1][1]
    assert (int(width), int(height), len(pairs)) == (512, 256, 2)
    shown = cv2.imdecode(np.frombuffer(pairs[0], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    network = load_network(tmp_path)
    again = np.asarray(network(shown[None, :, :256].astype(np.float32))['picture'])[0]
    # The file of weights has half the precision of those which made the picture.
    difference = np.abs(np.clip(again, 0, 255) - shown[:, 256:])
    assert difference.mean() < 1 and np.abs(again - shown[:, :256]).mean() > 5


def test_entries_are_means_since_the_last(tmp_path):
    model = keras.Model(*[keras.Input((1,))] * 2)
    model.compile(optimizer=keras.optimizers.SGD(0.25))
    losses = [4.0, 2.0, 9.0, 1.0, 5.0, 3.0]
    writer = tf.summary.create_file_writer(str(tmp_path))
    callback = LossSummaries(writer, start=7, interval=3)
    callback.set_model(model)
    for batch in range(len(losses)):
        callback.on_train_batch_end(batch, {'loss': np.mean(losses[:batch + 1])})
    writer.close()
    tags = read(tmp_path)
    assert [step for step, _ in tags['loss/loss']] == [9, 12]
    np.testing.assert_allclose([value for _, value in tags['loss/loss']], [3.0, 5.0], rtol=1e-6)
    assert [float(value) for _, value in tags['rate']] == [0.25, 0.25]
