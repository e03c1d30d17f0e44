"""What TensorBoard shows of a run."""
import keras
import numpy as np
import tensorflow as tf

#: Validation pictures shown.
SHOWN_PAIRS = 4


class LossSummaries(keras.callbacks.Callback):
    """Writes the mean of each loss since the last entry, every ``interval`` steps.

    Args:
        writer: of TensorFlow's summaries.
        start: steps before this call of ``fit``.
        interval: in steps, counted from the start of the run.
    """

    def __init__(self, writer, start: int, interval: int):
        super().__init__()
        self.writer, self.start, self.interval = writer, start, interval
        self.count, self.totals = 0, {}

    def on_train_batch_end(self, batch, logs=None):
        count = batch + 1
        step = self.start + count
        if step % self.interval:
            return
        # Keras hands over means over all steps of this call.
        totals = {name: float(value) * count for name, value in logs.items()}
        with self.writer.as_default(step):
            for name, total in totals.items():
                mean = (total - self.totals.get(name, 0.0)) / (count - self.count)
                tf.summary.scalar(f'loss/{name}', mean)
            tf.summary.scalar('rate', keras.ops.convert_to_numpy(
                self.model.optimizer.learning_rate))
        self.count, self.totals = count, totals


def write_validation(writer, step: int, psnr_db: float, pairs):
    """Writes the PSNR and the first few pairs of picture and reconstruction."""
    with writer.as_default(step):
        tf.summary.scalar('validation/psnr_db', psnr_db)
        tf.summary.image('picture and reconstruction',
                         np.stack([np.concatenate(pair, axis=1) for pair in pairs]),
                         max_outputs=SHOWN_PAIRS)
    writer.flush()
