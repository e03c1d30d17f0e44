"""Our pipeline against the published graph in ModelScope's own: time, memory, hardware limit.

    python -m benchmarks.inference [--sizes ROWS ...] [--repeat N] [--json FILE] ...

Both sides run in processes of their own that are asked in turn, so that whatever else the
machine does meets both. Progress goes to stderr, a table to stdout; the last line of stdout
is one JSON object with every figure. All pictures are square photographs that come with
scikit-image; a style that is new is a crop that was not seen before.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import time

import cv2
import numpy as np

from .worker import OURS, PUBLISHED, Worker

PHOTOGRAPHS = ('astronaut', 'chelsea', 'coffee', 'rocket')
STYLE_CROP = 384
#: So often at most a fresh process of each side is timed.
FIRST_RESULTS = 3
#: Calls of which the fastest counts in measuring growth, up to so many megapixels.
CALLS = ((1.0, 4), (5.0, 2), (float('inf'), 1))
#: Pictures after which the most memory is read.
PEAK_CALLS = 4
LARGE = 4096
GIB = 2 ** 30

#: What has to be reached: name of the figure, its bound, and whether it is the least or most.
GOALS = (
    ('new_style_ratio_512', 5.0, 'least'), ('new_style_ratio_800', 5.0, 'least'),
    ('known_style_ratio_512', 6.0, 'least'), ('known_style_ratio_800', 6.0, 'least'),
    ('roofline_share_new_style_800', 0.85, 'least'),
    ('roofline_share_known_style_800', 0.85, 'least'),
    ('peak_memory_ratio_800', 0.6, 'most'),
    ('first_result_ratio_512', 1.0, 'most'),
    ('retraces', 0, 'most'),
    ('pixels_within_one_level_512', 0.99, 'least'),
    ('pixels_within_one_level_800', 0.99, 'least'),
    ('growth_over_model_2048', 1.0, 'most'),
    ('peak_gib_2048', 6.0, 'most'), (f'peak_gib_{LARGE}', 10.0, 'most'),
)


def main(arguments=None):
    options = _options(arguments)
    # For the workers too, which inherit it.
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    os.environ.setdefault('MODELSCOPE_LOG_LEVEL', '40')
    os.environ.setdefault('CUDA_VISIBLE_DEVICES', '-1')
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    pictures = Pictures()
    with tempfile.TemporaryDirectory(prefix='published-model-') as model:
        _progress('writing the published graph')
        _write_baseline(model)
        figures = {'machine': _machine(), 'repeat': options.repeat}
        largest = max(options.sizes)
        for size in sorted(set(options.sizes)):
            figures.update(_comparison(model, pictures, size, options))
        figures.update(_peaks(model, pictures, largest))
    points, configuration = _full_sizes(pictures, options.growth)
    figures.update(_growth(points, configuration, figures['product_gflop_per_second'] * 1e9,
                           out / 'growth.png'))
    figures['goals'] = _goals(figures)
    _print_table(figures)
    line = json.dumps(_rounded(figures))
    if options.json:
        pathlib.Path(options.json).write_text(line + '\n', encoding='utf-8')
    print(line)


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.inference', description=__doc__.split('\n')[0])
    side = _whole_number(32)
    parser.add_argument('--sizes', type=side, nargs='+', default=[512, 800], metavar='SIDE',
                        help='sides at which both are compared (default: 512 800)')
    parser.add_argument('--growth', type=side, nargs='+',
                        default=[512, 800, 1200, 1600, 2048], metavar='SIDE',
                        help='sides at which growth is measured (default: 512 to 2048)')
    parser.add_argument('--large', action='store_true',
                        help=f'measure growth up to {LARGE} as well')
    parser.add_argument('--repeat', type=_whole_number(1), default=5, metavar='N',
                        help='rounds of which medians are taken (default: 5)')
    parser.add_argument('--json', metavar='FILE', help='write the JSON object there as well')
    parser.add_argument('--out', default='out', metavar='FOLDER',
                        help='where the plot of growth is written (default: out)')
    options = parser.parse_args(arguments)
    if options.large:
        options.growth = [*options.growth, LARGE]
    return options


def _whole_number(least):
    def parsed(text):
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f'{text}: expected at least {least}')
        return number
    parsed.__name__ = 'whole number'
    return parsed


class Pictures:
    """Photographs of any side, and styles that are new each time; uint8 BGR."""

    def __init__(self):
        from examples.draw_styles import draw_dots
        import skimage.data
        self._photographs = [_square(getattr(skimage.data, name)())[..., ::-1]
                             for name in PHOTOGRAPHS]
        self._drawn = draw_dots()[..., ::-1]
        self._styles = 0

    def content(self, side, index=0):
        photograph = self._photographs[index % len(self._photographs)]
        return cv2.resize(photograph, (side, side), interpolation=(
            cv2.INTER_AREA if side < len(photograph) else cv2.INTER_CUBIC))

    def new_style(self):
        top, left = divmod(self._styles, len(self._drawn) - STYLE_CROP + 1)
        self._styles += 1
        return np.ascontiguousarray(self._drawn[top:top + STYLE_CROP, left:left + STYLE_CROP])


def _square(picture):
    """The largest square in the middle of a picture."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return np.ascontiguousarray(picture[top:top + side, left:left + side])


def _write_baseline(directory):
    # TensorFlow is imported in functions, as workers import this module.
    from modelscope_aams.network.attention_map import GAUSSIAN

    from .published_graph import write_published_model
    write_published_model(directory, smoothing=GAUSSIAN)


def _comparison(model, pictures, size, options):
    """Medians of both sides in turn, their first results, and our tracing."""
    times = {name: [] for name in ('baseline', 'new_style', 'known_style')}
    firsts, rates, same = [], [], []
    with Worker(PUBLISHED, model) as baseline:
        baseline_first = _first_result(baseline, pictures, size)
        with Worker(OURS) as ours:
            firsts.append((baseline_first, _first_result(ours, pictures, size)))
            with_roofline = size == max(options.sizes)
            for index in range(options.repeat):
                content, style = pictures.content(size, index), pictures.new_style()
                seconds, expected = baseline.stylize(content, style)
                times['baseline'].append(seconds)
                for name in 'new_style', 'known_style':
                    rates += ours.product_rate() if with_roofline else []
                    seconds, found = ours.stylize(content, style)
                    times[name].append(seconds)
                rates += ours.product_rate() if with_roofline else []
                same.append(_within_one_level(found, expected))
                _progress(f'{size}, round {index + 1} of {options.repeat}: ' + ', '.join(
                    f'{name} {seconds[-1]:.2f} s' for name, seconds in times.items()))
            traces = _traces_by_size(ours, pictures, size)
            configuration = ours.configuration()
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    figures = {**{f'{name}_seconds_{size}': seconds for name, seconds in medians.items()},
               f'new_style_ratio_{size}': medians['baseline'] / medians['new_style'],
               f'known_style_ratio_{size}': medians['baseline'] / medians['known_style'],
               f'pixels_within_one_level_{size}': min(same)}
    if with_roofline:
        figures.update(_roofline(size, medians, rates, configuration))
    if size == min(options.sizes):
        for _ in range(1, min(options.repeat, FIRST_RESULTS)):
            with Worker(PUBLISHED, model) as baseline:
                first = _first_result(baseline, pictures, size)
            with Worker(OURS) as ours:
                firsts.append((first, _first_result(ours, pictures, size)))
        baseline_first, first = map(statistics.median, zip(*firsts))
        figures.update({f'baseline_first_result_seconds_{size}': baseline_first,
                        f'first_result_seconds_{size}': first,
                        f'first_result_ratio_{size}': first / baseline_first,
                        'traces_by_size': traces, 'retraces': traces[-1] - traces[0]})
    return figures


def _peaks(model, pictures, size):
    """Most memory of both sides, each in a fresh process that does the same: new styles."""
    peaks = {}
    for name, worker in (('baseline', Worker(PUBLISHED, model)), ('new_style', Worker(OURS))):
        with worker:
            for index in range(PEAK_CALLS):
                worker.stylize(pictures.content(size, index), pictures.new_style())
            peaks[name] = worker.peak() / GIB
    return {**{f'{name}_peak_gib_{size}': peak for name, peak in peaks.items()},
            f'peak_memory_ratio_{size}': peaks['new_style'] / peaks['baseline']}


def _first_result(worker, pictures, size):
    """Seconds from the start of the process to its first picture."""
    worker.stylize(pictures.content(size), pictures.new_style())
    seconds = time.perf_counter() - worker.started
    _progress(f'{size}, first result, {worker.side}: {seconds:.1f} s')
    return seconds


def _traces_by_size(worker, pictures, size):
    """How often functions have been traced before and after pictures of two other sizes."""
    traces = [worker.traces()]
    for rows, columns in ((size, size * 3 // 4), (size // 2 + 4, size)):
        worker.stylize(pictures.content(size)[:rows, :columns], pictures.new_style())
        traces.append(worker.traces())
    return traces


def _within_one_level(found, expected):
    difference = np.abs(found.astype(np.int16) - expected).max(axis=-1)
    return float(np.mean(difference <= 1))


def _roofline(size, seconds, rates, configuration):
    """The share of the measured time that the operations take at the products' rate."""
    from .arithmetic import picture_operations, published_operations, style_operations
    rate = statistics.median(rates)
    known = sum(picture_operations(configuration, size, size).values())
    published = published_operations(size, size, configuration.border)
    operations = {'baseline': sum(published.values()),
                  'new_style': known + sum(style_operations(configuration).values()),
                  'known_style': known}
    figures = {'product_gflop_per_second': rate / 1e9,
               'product_gflop_per_second_range': [min(rates) / 1e9, max(rates) / 1e9]}
    for name, count in operations.items():
        figures[f'gflop_{name}_{size}'] = count / 1e9
        figures[f'roofline_share_{name}_{size}'] = count / rate / seconds[name]
    return figures


def _full_sizes(pictures, sides):
    """growth.Point for each side in a process of its own, and our network's configuration."""
    from .growth import Point
    points = []
    for side in sorted(sides):
        with Worker(OURS) as worker:
            style = pictures.new_style()
            worker.stylize(pictures.content(min(256, side)), style)
            content = pictures.content(side)
            calls = next(count for most, count in CALLS if side ** 2 / 1e6 <= most)
            seconds = min(worker.stylize(content, style, max_length=None)[0]
                          for _ in range(calls))
            points.append(Point(side, seconds, worker.peak()))
            configuration = worker.configuration()
        _progress(f'{side}, full size: {seconds:.2f} s, {points[-1].peak_bytes / GIB:.2f} GiB')
    return points, configuration


def _growth(points, configuration, rate, path):
    """Time per megapixel beside the model's, and peak memory; a plot of both."""
    from . import growth
    growth.plot(path, points, configuration, rate)
    figures = {}
    for point in points:
        allowed = growth.modelled_pace(point.side, points[0], configuration, rate)
        figures[f'full_size_seconds_{point.side}'] = point.seconds
        figures[f'seconds_per_megapixel_{point.side}'] = point.pace
        figures[f'modelled_seconds_per_megapixel_{point.side}'] = allowed
        figures[f'growth_over_model_{point.side}'] = point.pace / allowed
        figures[f'peak_gib_{point.side}'] = point.peak_bytes / GIB
    return {**figures, 'growth_plot': str(path)}


def _goals(figures):
    """Each goal that was measured: the figure, its bound and whether it is met."""
    goals = {}
    for name, bound, kind in GOALS:
        if name in figures:
            met = figures[name] >= bound if kind == 'least' else figures[name] <= bound
            goals[name] = {'figure': figures[name], f'at_{kind}': bound, 'met': met}
    return goals


def _machine():
    import modelscope
    import tensorflow as tf
    return {'processor': _processor(), 'cores': len(os.sched_getaffinity(0)),
            'system': platform.platform(), 'python': platform.python_version(),
            'tensorflow': tf.__version__, 'modelscope': modelscope.__version__}


def _processor():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        names = [line.split(':', 1)[1].strip() for line in file if line.startswith('model name')]
    return names[0] if names else platform.machine()


def _print_table(figures):
    for name, value in figures.items():
        if isinstance(value, float):
            print(f'{name:45} {value:10.3f}')
    print()
    for name, goal in figures['goals'].items():
        kind = 'least' if 'at_least' in goal else 'most'
        print(f'{name:45} {goal["figure"]:10.3f}  at {kind} {goal[f"at_{kind}"]:g}'
              f'  {"met" if goal["met"] else "NOT MET"}')


def _rounded(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value


def _progress(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == '__main__':
    main()
