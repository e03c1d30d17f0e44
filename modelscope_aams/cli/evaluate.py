"""``aams evaluate``: how well methods stylize, measured over all pairs of two folders."""
import pathlib
import sys
import time

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.extras import require_extra
from modelscope_aams.network.options import MEANINGFUL_FOR, METHODS

from .argument_types import device, length, number
from .export import read_model
from .logs import import_tensorflow_quietly, show_errors_only

STYLE_WEIGHTS = (0.2, 0.4, 0.6, 0.8, 1.0)


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'evaluate', help='measure methods over all pairs of contents and styles',
        description='Stylizes every content with every style by every method at several style '
                    'weights, measures style, content, luminance and attention, and writes '
                    'tables, plots and contact sheets. Prints the path of the report. A run '
                    'that was stopped goes on where it was when it is started again.')
    parser.add_argument('--content', required=True, metavar='DIR', type=pathlib.Path,
                        help='folder of photographs, or one')
    parser.add_argument('--style', required=True, metavar='DIR', type=pathlib.Path,
                        help='folder of paintings, or one')
    parser.add_argument('--out', metavar='DIR', type=pathlib.Path,
                        default=pathlib.Path('evaluation'),
                        help='folder to write, new or of the same evaluation (default: '
                             'evaluation)')
    parser.add_argument('--methods', nargs='+', choices=METHODS, default=METHODS,
                        metavar='METHOD', help=f'of {", ".join(METHODS)} (default: all)')
    parser.add_argument('--max-length', type=length, metavar='N', default=512,
                        help="work on at most N pixels a side; 'none' keeps every size "
                             '(default: 512)')
    parser.add_argument('--style-weights', type=number(0, 1), nargs='+', metavar='W',
                        default=STYLE_WEIGHTS,
                        help='style weights of the sweep; the largest counts as full '
                             f'(default: {" ".join(map(str, STYLE_WEIGHTS))})')
    parser.add_argument('--keep-sweep', action='store_true',
                        help='keep the pictures of all style weights, not of the full one only')
    parser.add_argument('--vgg', metavar='FILE', type=pathlib.Path,
                        help='weights of VGG-16\'s conv4_2, conv4_3 and conv5_1: a Keras .h5 '
                             'file, an .npz file, or a folder of .npz or .npy files; without '
                             'them the VGG figures stop at conv4_1')
    parser.add_argument('--at-content', type=number(0), metavar='D', default=0.89,
                        help='report style distances at this content distance (default: 0.89)')
    parser.add_argument('--model', metavar='DIR|FILE', type=pathlib.Path, default=BUNDLED,
                        help='model directory or weights file (default: the bundled weights)')
    parser.add_argument('--device', type=device, default='gpu', metavar='NAME',
                        help="'gpu' (the default; the CPU where there is none), 'cpu', 'gpu:1'")
    parser.set_defaults(run=run)


def run(arguments):
    require_extra('evaluate', 'the evaluation')

    show_errors_only()
    import_tensorflow_quietly()
    import tensorflow as tf

    from modelscope_aams.checkpoints.layout import build_network
    from modelscope_aams.checkpoints.reading import read_weights
    from modelscope_aams.evaluation.feature_networks import VGG16, efficientnet_lite0
    from modelscope_aams.evaluation.measuring import VERSION, Gauge
    from modelscope_aams.evaluation.plots import write_trade_off
    from modelscope_aams.evaluation.records import Records
    from modelscope_aams.evaluation.report import all_rows, read, write_reports
    from modelscope_aams.evaluation.run import (
        Plan, evaluate, fingerprint, fingerprints, named_pictures)
    from modelscope_aams.evaluation.sheets import write_sheets
    from modelscope_aams.evaluation.vgg_weights import read_vgg, shipped_vgg
    from modelscope_aams.network.options import TransferOptions
    from modelscope_aams.network.transfer import StyleTransfer
    from modelscope_aams.plugin.model import tensorflow_device

    path, model_options = read_model(arguments.model, tuple(MEANINGFUL_FOR))
    weights = read_weights(path)
    plan = Plan(
        named_pictures(arguments.content), named_pictures(arguments.style),
        {method: TransferOptions(method=method, **{
            name: value for name, value in model_options.items()
            if method in MEANINGFUL_FOR[name]})
         for method in dict.fromkeys(arguments.methods)},
        tuple(sorted(set(arguments.style_weights))), arguments.max_length)
    vgg_arrays = shipped_vgg() if arguments.vgg is None else read_vgg(arguments.vgg)
    vgg, efficientnet = VGG16(vgg_arrays), efficientnet_lite0()
    settings = {
        'version of the measures': VERSION,
        'contents': fingerprints(plan.contents), 'styles': fingerprints(plan.styles),
        'options': {method: repr(options) for method, options in plan.options.items()},
        'style weights': plan.style_weights, 'largest side': plan.max_length,
        'network': [fingerprint(weights.arrays), repr(weights.configuration)],
        'VGG weights': fingerprint(vgg_arrays)}
    records = Records(arguments.out, settings)
    start = time.perf_counter()
    gpus = len(tf.config.list_physical_devices('GPU'))
    with tf.device(tensorflow_device(arguments.device, gpus)):
        pictures = evaluate(plan, StyleTransfer(build_network(weights)),
                            Gauge(vgg, efficientnet), records, arguments.out,
                            arguments.keep_sweep)
    seconds = time.perf_counter() - start
    rows = all_rows(plan, records)
    readings = read(rows, list(plan.options), arguments.at_content)
    write_trade_off(arguments.out, readings)
    write_sheets(arguments.out, plan)
    write_reports(arguments.out, plan, rows, readings, settings, vgg.features)
    if pictures:
        print(f'{pictures} pictures, {seconds / pictures:.2f} s each to stylize and measure',
              file=sys.stderr)
    print(arguments.out / 'report.md')
