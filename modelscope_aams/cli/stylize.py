"""``aams stylize``: pictures in the style of others, through the ModelScope pipeline."""
import argparse
import contextlib
import json
import os
import pathlib
import sys
import time
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from modelscope_aams.network.options import METHODS, PATCH_SIZES
from modelscope_aams.pictures.contact_sheet import Captioned, contact_sheet, thumbnail
from modelscope_aams.pictures.heat_map import heat_map
from modelscope_aams.pictures.reading import read_grey, read_rgb
from modelscope_aams.pictures.writing import require_writable, write_rgb
from modelscope_aams.plugin.controls import style_shares
from modelscope_aams.plugin.options import CallOptions, require_attention

from .argument_types import length, number
from .logs import import_tensorflow_quietly, show_warnings_only
from .result_paths import check_outputs, plan_jobs

DONE, FAILED = 0, 1

#: Options of the pipeline's call, where they are given.
CALL_OPTIONS = ('method', 'style_weight', 'inter_weight', 'scales', 'patch_size', 'theta',
                'keep_colours', 'max_length', 'attention_length')
#: Pixels along a side of a contact sheet's cells.
SHEET_SIDE = 320


class Done(NamedTuple):
    """A content that was stylized; as JSON, its line of ``--json``."""
    content: str
    output: str
    width: int
    height: int
    seconds: float
    attention_map: Optional[str]


class Failed(NamedTuple):
    """A content that was not, and why; as JSON, its line of ``--json``."""
    content: str
    error: str


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'stylize', help='give pictures the style of others',
        description='Gives a picture, or every picture in a folder, the style of another '
                    'picture, or a mixture of several. Prints the path of each result.',
        epilog='Exit status: 0 if all is done, 1 if a picture failed (the others are done), '
               '2 for wrong usage.')
    parser.add_argument('content', metavar='CONTENT', help='picture, or folder of pictures')
    parser.add_argument('styles', metavar='STYLE', nargs='+',
                        help='picture whose style is taken, or several')
    parser.add_argument('-o', '--output', required=True, metavar='OUT',
                        help='file to write (its ending names the format), or a folder, '
                             'which is created')
    look = parser.add_argument_group('look (defaults: those of the model)')
    look.add_argument('--method', choices=METHODS, default=argparse.SUPPRESS,
                      help="'aams' (strokes by attention), 'adain', 'wct' or 'avatar-net'")
    look.add_argument('--style-weight', type=number(0, 1), metavar='W',
                      default=argparse.SUPPRESS, help='0 (content) to 1 (full style)')
    look.add_argument('--inter-weight', type=number(0, 1), metavar='W',
                      default=argparse.SUPPRESS,
                      help="0 (the content's structure in the style's colours) to 1 (strokes)")
    look.add_argument('--scales', type=number(0, 1, above=True), nargs='+', metavar='S',
                      default=argparse.SUPPRESS,
                      help='sizes of the style for the strokes, each above 0 and at most 1, '
                           'coarse strokes first')
    look.add_argument('--patch-size', type=int, choices=PATCH_SIZES, default=argparse.SUPPRESS,
                      help='side of the pieces of style that strokes are made of')
    look.add_argument('--theta', type=number(0), metavar='T', default=argparse.SUPPRESS,
                      help='sharpness of the choice between strokes')
    look.add_argument('--keep-colours', action=argparse.BooleanOptionalAction,
                      default=argparse.SUPPRESS, help="keep the content's colours")
    look.add_argument('--max-length', type=length, metavar='N', default=argparse.SUPPRESS,
                      help="work on at most N pixels a side; 'none' keeps every size")
    look.add_argument('--attention-length', type=length, metavar='N', default=argparse.SUPPRESS,
                      help="above N pixels a side attention is taken to averages, which is "
                           "faster; 'none' is always exact")
    control = parser.add_argument_group('control')
    control.add_argument('--style-weights', type=number(0), nargs='+', metavar='W',
                         help='share of each STYLE (default: equal)')
    control.add_argument('--mask', metavar='FILE',
                         help='grey picture shaped as CONTENT: white is stylized, black stays; '
                              'with several STYLEs, black gets the first and white the last')
    control.add_argument('--own-attention', metavar='FILE',
                         help='grey picture shaped as CONTENT, in place of the computed '
                              'attention: fine strokes where it is white')
    parser.add_argument('--model', metavar='DIR',
                        help='model directory or hub id (default: the bundled model)')
    parser.add_argument('--device', default='gpu', metavar='NAME',
                        help="'gpu' (the default; the CPU where there is none), 'cpu', 'gpu:1'")
    parser.add_argument('--attention-map', action='store_true',
                        help='write NAME.attention.png, a heat map, beside each result')
    parser.add_argument('--contact-sheet', metavar='FILE',
                        help='write content, style and result side by side to FILE')
    parser.add_argument('--json', action='store_true',
                        help='print one JSON object a picture, and nothing else, on the '
                             'standard output')
    parser.add_argument('--debug', action='store_true',
                        default=bool(os.environ.get('AAMS_DEBUG')),
                        help='show all log messages, and the traceback of an error '
                             '(also by AAMS_DEBUG=1)')
    parser.set_defaults(run=run, usage_error=parser.error)


def run(arguments) -> int:
    try:
        check_control(arguments)
        jobs = plan_jobs(arguments.content, arguments.output, arguments.attention_map)
        sheets = [arguments.contact_sheet] if arguments.contact_sheet else []
        for sheet in sheets:
            require_writable(sheet)
        planes = [path for path in (arguments.mask, arguments.own_attention) if path]
        check_outputs(
            [*sheets, *(path for job in jobs for path in job[1:] if path)],
            [*arguments.styles, *planes, *(job.content for job in jobs)])
    except (ValueError, OSError) as error:
        arguments.usage_error(str(error))

    printed = sys.stdout
    # The name of a file need not be text that can be encoded.
    printed.reconfigure(errors='backslashreplace')

    def show(report):
        if arguments.json:
            print(json.dumps(report._asdict()), file=printed, flush=True)
        elif isinstance(report, Done):
            print(report.output, file=printed, flush=True)

    # Whatever a library prints while it works is no part of the output.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            styles = [read_rgb(style) for style in arguments.styles]
            stylize = _stylizer(arguments, styles)
        except Exception as error:
            if arguments.debug:
                raise
            print(f'aams: {_line(error)}', file=sys.stderr)
            for job in jobs:
                show(Failed(str(job.content), _line(error)))
            return FAILED
        return _stylize_all(jobs, styles, stylize, show, arguments)


def check_control(arguments):
    """Raises ValueError if arguments exclude each other, as far as that shows before work."""
    if arguments.mask and arguments.style_weights:
        raise ValueError('--mask and --style-weights exclude each other')
    if arguments.style_weights:
        style_shares(arguments.style_weights, len(arguments.styles))
    # Without a method, that of the model counts.
    if 'method' in arguments:
        for name, value in (('--attention-map', arguments.attention_map),
                            ('--own-attention', arguments.own_attention)):
            if value:
                require_attention(name, arguments.method)
        CallOptions().updated(call_options(arguments))


def call_options(arguments) -> Dict[str, Any]:
    """The options of the pipeline's call that are given."""
    options = {name: getattr(arguments, name) for name in CALL_OPTIONS if name in arguments}
    if arguments.attention_map:
        options['return_attention_map'] = True
    return options


def _line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


def _stylizer(arguments, styles):
    """A function of a content that gives its result and attention map (or None), all RGB."""
    if not arguments.debug:
        show_warnings_only()
        import_tensorflow_quietly()
    from modelscope.outputs import OutputKeys
    from modelscope.pipelines import pipeline
    from modelscope.utils.constant import Tasks

    import modelscope_aams  # noqa: F401  (registers the pipeline)

    # Not model=: what ModelScope cannot read of that, it takes for a model of transformers.
    style_transfer = pipeline(
        Tasks.image_style_transfer, model_id=arguments.model, device=arguments.device)
    given = call_options(arguments)
    given['style'] = [_turned(style) for style in styles]
    given['style_weights'] = arguments.style_weights
    for name, path in (('mask', arguments.mask), ('attention', arguments.own_attention)):
        given[name] = read_grey(path) if path else None

    def stylize(content):
        result = style_transfer(_turned(content), **given)
        return _turned(result[OutputKeys.OUTPUT_IMG]), result.get('attention_map')

    return stylize


def _turned(picture):
    """RGB to BGR, or back."""
    return np.ascontiguousarray(picture[..., ::-1])


def _stylize_all(jobs, styles, stylize, show, arguments) -> int:
    from tqdm import tqdm

    status, rows = DONE, []
    bar = tqdm(jobs, unit='picture', file=sys.stderr,
               disable=not os.path.isdir(arguments.content))
    for job in bar:
        try:
            start = time.perf_counter()
            content = read_rgb(job.content)
            result, attention = stylize(content)
            write_rgb(job.output, result)
            if job.attention_map:
                write_rgb(job.attention_map, heat_map(content, attention))
            seconds = time.perf_counter() - start
        except Exception as error:
            if arguments.debug:
                raise
            status = FAILED
            message = _line(error)
            named = message if str(job.content) in message else f'{job.content}: {message}'
            tqdm.write(f'aams: {named}', file=sys.stderr)
            show(Failed(str(job.content), message))
            continue
        height, width = result.shape[:2]
        show(Done(str(job.content), str(job.output), width, height, round(seconds, 3),
                  job.attention_map and str(job.attention_map)))
        if arguments.contact_sheet:
            rows.append(_sheet_row((content, job.content), *zip(styles, arguments.styles),
                                   (result, job.output)))
    if rows:
        write_rgb(arguments.contact_sheet, contact_sheet(rows, SHEET_SIDE))
    return status


def _sheet_row(*pictures):
    return [Captioned(thumbnail(picture, SHEET_SIDE), pathlib.Path(path).name)
            for picture, path in pictures]
