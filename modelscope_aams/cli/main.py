"""The ``aams`` command: its parser, and what becomes of errors."""
import argparse
import os
import sys

from . import evaluate, export, serve, studio, stylize, train, validate

#: One module per subcommand, each with add_parser(subparsers) and run(arguments).
COMMANDS = (stylize, evaluate, train, validate, export, serve, studio)

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors take one line."""

    def error(self, message):
        self.exit(WRONG_USAGE, f'{self.prog}: {message}\n')


def build_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands; its result has ``run``, to be called with itself."""
    parser = Parser(prog='aams', description='Style transfer with attention-aware strokes.')
    subparsers = parser.add_subparsers(metavar='COMMAND', required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv=None) -> int:
    """Runs one subcommand; returns the exit status.

    0: done; 1: failed, for a reason that one line on the standard error names;
    2: wrong usage; 130: interrupted. An error that nobody expected keeps its traceback,
    and with AAMS_DEBUG=1 in the environment every error does.
    """
    # TensorFlow and Keras read these when they are first imported, later on.
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
    os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.run(arguments) or DONE
    except (ValueError, OSError) as error:
        if getattr(arguments, 'debug', os.environ.get('AAMS_DEBUG')):
            raise
        print(f'aams: {" ".join(str(error).split())}', file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print('aams: interrupted', file=sys.stderr)
        return INTERRUPTED


if __name__ == '__main__':
    sys.exit(main())
