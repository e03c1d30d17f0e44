"""Trains on two devices of one machine, or on two machines: see test_distributed.py.

``python -m tests.training.workers MIRRORED RECIPE DATASET WORK_DIR``; with HOLD_AFTER=N in
the environment it stands still after N checkpoints, until it is killed.
"""
import json
import os
import pathlib
import signal
import sys

import tensorflow as tf

from modelscope_aams.training.cluster import mirrored
from modelscope_aams.training.loop import Trainer
from modelscope_aams.training.recipe import load_recipe
from modelscope_aams.training.weights import network_builder


def main(kind, recipe, dataset, work_dir):
    strategy = None
    if kind == 'mirrored':
        cpu, = tf.config.list_physical_devices('CPU')
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = mirrored(['CPU:0', 'CPU:1'])
    recipe = load_recipe(recipe)
    trainer = Trainer(network_builder(recipe), recipe, dataset, work_dir, verbose=0,
                      strategy=strategy)
    losses = []
    # What the progress bar and the log are told.
    trainer.objective.fit = _recording(trainer.objective.fit, losses)
    trainer.train()
    if trainer.is_chief:
        pathlib.Path(work_dir, 'losses.json').write_text(json.dumps(losses))


def _recording(fit, losses):
    hold_after = int(os.environ.get('HOLD_AFTER', 0))

    def recorded(*args, **kwargs):
        while hold_after and len(losses) == hold_after:
            signal.pause()
        history = fit(*args, **kwargs)
        losses.append({name: float(values[-1]) for name, values in history.history.items()})
        return history
    return recorded


if __name__ == '__main__':
    main(*sys.argv[1:])
