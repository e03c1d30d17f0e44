"""What a command says while it works, on the standard error."""
import logging


def show_progress_messages():
    """Shows this package's messages from INFO up; of all others, warnings."""
    logging.basicConfig(level=logging.WARNING, format='%(message)s')
    logging.getLogger('modelscope_aams').setLevel(logging.INFO)


def show_warnings_only():
    """Of ModelScope's messages, shows those from WARNING up, without its stamp."""
    for handler in logging.getLogger('modelscope').handlers:
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter('%(message)s'))
