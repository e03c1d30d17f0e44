"""What a command says while it works, on the standard error."""
import logging
import os


def show_progress_messages():
    """Shows this package's messages from INFO up; of all others, warnings."""
    logging.basicConfig(level=logging.WARNING, format='%(message)s')
    logging.getLogger('modelscope_aams').setLevel(logging.INFO)


def show_errors_only():
    """Of every library's messages, shows errors."""
    logging.basicConfig(level=logging.ERROR, format='%(message)s')


def show_warnings_only():
    """Of ModelScope's messages, shows those from WARNING up, without its stamp."""
    for handler in logging.getLogger('modelscope').handlers:
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter('%(message)s'))


def import_tensorflow_quietly():
    """Imports TensorFlow without what its native part says then, whatever its log level.

    That goes to the process's standard error, past Python's; so does nothing else meanwhile.
    """
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow as tf
        # Looking for GPUs says a lot where there are none.
        tf.config.list_physical_devices('GPU')
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
