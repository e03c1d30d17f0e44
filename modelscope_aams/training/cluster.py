"""Which devices and machines take part in a run, and which process writes its files."""
import json
import os

import tensorflow as tf


def _task_configuration():
    try:
        configuration = json.loads(os.environ.get('TF_CONFIG') or '{}')
    except json.JSONDecodeError as error:
        raise ValueError(f'the environment variable TF_CONFIG is not JSON: {error}') from None
    if not isinstance(configuration, dict):
        raise ValueError(f'the environment variable TF_CONFIG is {configuration!r}; '
                         'expected a JSON object with cluster and task')
    return configuration


def machines() -> int:
    """How many processes train together, by TF_CONFIG."""
    cluster = _task_configuration().get('cluster', {})
    return max(1, len(cluster.get('worker', ())) + len(cluster.get('chief', ())))


def is_chief() -> bool:
    """Whether this process writes files: the chief or first worker, or the only process."""
    configuration = _task_configuration()
    task = configuration.get('task', {})
    first = 'chief' if configuration.get('cluster', {}).get('chief') else 'worker'
    return machines() == 1 or (task.get('type') == first and int(task.get('index', 0)) == 0)


def choose_strategy() -> tf.distribute.Strategy:
    """All machines of TF_CONFIG, or else all GPUs of this one, or else one device.

    TensorFlow demands that the first comes before anything is computed.
    """
    if machines() > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices('GPU')
    if len(devices) > 1:
        return mirrored([device.name for device in devices])
    return tf.distribute.get_strategy()


def mirrored(devices) -> tf.distribute.Strategy:
    """Several devices of one machine, by name."""
    # TensorFlow's default, collective operations, was seen to pair the wrong ones where a
    # step has several; copies to one device and back have no such choice.
    return tf.distribute.MirroredStrategy(
        devices, cross_device_ops=tf.distribute.ReductionToOneDevice())


def mean_over_replicas(tensor):
    """Mean of a tensor over all devices; to be called where each has its own."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, tensor)


def on_all_machines(strategy: tf.distribute.Strategy, number: int):
    """The ``number`` of every device of every machine, as a list; waits for all of them."""
    def gather():
        own = tf.constant([number], tf.int64)
        return tf.distribute.get_replica_context().all_gather(own, axis=0)

    gathered = strategy.run(tf.function(gather))
    return strategy.experimental_local_results(gathered)[0].numpy().tolist()
