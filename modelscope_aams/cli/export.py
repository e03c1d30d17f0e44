"""``aams export``: the whole transfer as a file for other programs."""
import argparse
import importlib
import json
import os
import pathlib

from modelscope_aams.checkpoints import BUNDLED

from .argument_types import model_id, number
from .logs import import_tensorflow_quietly, show_errors_only

#: What each format makes.
FORMATS = {'tf-graph': 'a directory, or a file that ends in .pb', 'saved-model': 'a directory',
           'onnx': 'a file that ends in .onnx', 'hub': 'a directory'}
FILE_ENDINGS = {'tf-graph': '.pb', 'onnx': '.onnx'}
#: Options of the transfer that are fixed in what is written.
FIXED_OPTIONS = ('scales', 'theta')


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'export', help='write the network for programs without this package',
        description='Writes the whole transfer, weights and all, as one graph. Inputs: content '
                    'and style, float32 RGB 0..255 [rows, columns, 3] of any size (the content '
                    'from 24 pixels a side), and inter_weight, the style weight. Outputs: '
                    'stylized_output [1, rows, columns, 3], not clipped, attention_map and '
                    'centroids. Prints the path.')
    parser.add_argument('output', metavar='OUT', type=pathlib.Path,
                        help='what to write, not there yet')
    parser.add_argument('--format', required=True, choices=FORMATS,
                        help="'tf-graph': model directory for the pipeline built into "
                             "ModelScope (the graph alone if OUT ends in .pb); 'saved-model': "
                             "directory for TensorFlow Serving; 'onnx': file that ends in .onnx; "
                             "'hub': whole model repository for a ModelScope hub, with this "
                             "project's weights, the graph, a model card and example pictures")
    parser.add_argument('--model', metavar='DIR|FILE', type=pathlib.Path, default=BUNDLED,
                        help='model directory or weights file (default: the bundled weights)')
    parser.add_argument('--scales', type=number(0, 1, above=True), nargs='+', metavar='S',
                        default=argparse.SUPPRESS,
                        help='sizes of the style for the strokes, coarse strokes first '
                             '(default: those of the model)')
    parser.add_argument('--theta', type=number(0), metavar='T', default=argparse.SUPPRESS,
                        help='sharpness of the choice between strokes (default: that of the '
                             'model)')
    parser.add_argument('--model-id', type=model_id, metavar='OWNER/NAME',
                        help="id on the hub, which the model card names ('hub' alone)")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(arguments):
    output = pathlib.Path(os.path.abspath(arguments.output))
    of_format = {'model_id': arguments.model_id} if arguments.model_id else {}
    try:
        if of_format and arguments.format != 'hub':
            raise ValueError(f'--model-id has no meaning for the format {arguments.format}; '
                             'expected only with hub')
        check_output(output, arguments.format)
    except ValueError as error:
        arguments.usage_error(str(error))

    show_errors_only()
    import_tensorflow_quietly()
    from modelscope_aams.checkpoints.reading import read_weights
    from modelscope_aams.network.options import TransferOptions
    exporter = importlib.import_module(
        f'modelscope_aams.export.{arguments.format.replace("-", "_")}')

    weights, options = read_model(arguments.model)
    options.update({name: getattr(arguments, name) for name in FIXED_OPTIONS
                    if name in arguments})
    exporter.export(output, read_weights(weights), TransferOptions(**options), **of_format)
    print(arguments.output)


def check_output(path: pathlib.Path, format):
    """Raises ValueError if ``path`` cannot become an export of that format."""
    is_file = path.suffix == FILE_ENDINGS.get(format)
    if not is_file and (format == 'onnx' or path.suffix in FILE_ENDINGS.values()):
        raise ValueError(f'{path} is no name for the format {format}, which makes '
                         f'{FORMATS[format]}')
    if not path.parent.is_dir():
        raise ValueError(f'{path.parent} is no directory; make it first')
    if os.path.lexists(path) and (is_file or not path.is_dir() or any(path.iterdir())):
        raise ValueError(f'{path} is there already; choose another output')


def read_model(path: pathlib.Path, names=FIXED_OPTIONS):
    """What to read the weights from, and those of the options that a model directory names.

    Raises:
        ValueError: if the directory's configuration.json cannot be used.
    """
    configuration = path / 'configuration.json'
    if not configuration.is_file():
        return path, {}
    from modelscope_aams.plugin.model import weights_path
    from modelscope_aams.plugin.options import CallOptions
    try:
        sections = json.loads(configuration.read_text(encoding='utf-8'))
        weights = sections.get('model', {}).get('weights')
        options = sections.get('pipeline', {})
        options = {name: options[name] for name in names if name in options}
        CallOptions().updated(options)
        return weights_path(path, weights), options
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f'{configuration}: {error}') from None
