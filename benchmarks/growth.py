"""How time and memory grow with the picture: a model, and a plot of it with what was measured."""
from typing import List, NamedTuple

from modelscope_aams.network.options import TransferOptions
from modelscope_aams.network.transfer import attention_reduction

from .arithmetic import picture_operations

#: Stages whose operations may grow faster than the picture: with the square of its positions,
#: or with its positions times the style's.
QUADRATIC = ('attention/products', 'matching')


class Point(NamedTuple):
    """What one size of picture took.

    Attributes:
        side: rows and columns of the picture.
        seconds: for a picture whose style is known.
        peak_bytes: most memory that its process held.
    """
    side: int
    seconds: float
    peak_bytes: int

    @property
    def megapixels(self):
        return self.side ** 2 / 1e6

    @property
    def pace(self):
        """Seconds per megapixel."""
        return self.seconds / self.megapixels


def modelled_pace(side, smallest: Point, configuration, rate,
                  attention_length=TransferOptions.attention_length):
    """Seconds per megapixel that a picture of that side may take.

    What the smallest picture takes, and beyond it what the operations per megapixel of the
    attention and the style swap have grown by, at ``rate`` operations a second.

    Args:
        configuration: the network's.
        attention_length: see TransferOptions.
    """
    def quadratic(of):
        operations = picture_operations(
            configuration, of, of, reduction=attention_reduction((of, of), attention_length))
        return sum(operations[stage] for stage in QUADRATIC) / (of ** 2 / 1e6)

    return smallest.pace + (quadratic(side) - quadratic(smallest.side)) / rate


def plot(path, points: List[Point], configuration, rate):
    """Writes a PNG: seconds per megapixel and peak memory over megapixels, with the model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 4.2), layout='constrained')
    FigureCanvasAgg(figure)
    pace, memory = figure.subplots(1, 2)
    sides = range(points[0].side, points[-1].side + 1, 8)
    for length, line, label in (
            (TransferOptions.attention_length, '-', 'model: as the operations of attention and\n'
             f'style swap grow, at {rate / 1e9:.0f} GFLOP/s'),
            (None, ':', 'the same, attention exact at all sizes')):
        pace.plot([side ** 2 / 1e6 for side in sides],
                  [modelled_pace(side, points[0], configuration, rate, length)
                   for side in sides], line, color='tab:blue', label=label)
    pace.plot([point.megapixels for point in points], [point.pace for point in points], 'o',
              color='black', label='measured')
    pace.set_ylabel('seconds per megapixel')
    pace.legend(loc='upper left', fontsize='small')
    memory.plot([point.megapixels for point in points],
                [point.peak_bytes / 2 ** 30 for point in points], 'o-', color='black')
    memory.set_ylabel('peak memory, GiB')
    for axes in pace, memory:
        axes.set_xlabel('megapixels')
        axes.set_xlim(0, 1.1 * points[-1].megapixels)
        # Room for the legend.
        axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
        axes.grid(alpha=0.3)
    for point in points:
        memory.annotate(f'{point.side}²', (point.megapixels, point.peak_bytes / 2 ** 30),
                        xytext=(6, -4), textcoords='offset points', va='top')
    figure.savefig(path, dpi=120)
