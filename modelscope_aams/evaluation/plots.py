"""The trade-off of style against content as a plot."""
import pathlib
from typing import Mapping, Sequence

from modelscope_aams.checkpoints.atomic import write_atomically

from .report import NETWORKS, Readings

TRADE_OFF_NAME = 'trade-off.png'
#: Colours that the colour-blind, too, tell apart (Okabe and Ito 2008), and marks.
LINES = (('#d55e00', 'o'), ('#0072b2', 's'), ('#009e73', '^'), ('#cc79a7', 'D'))


def write_trade_off(folder, readings: Readings):
    """Draws each method's mean distances over the style weights, a panel for each network."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout='constrained')
    canvas = FigureCanvasAgg(figure)
    for axes, (network, name) in zip(figure.subplots(1, len(NETWORKS)), NETWORKS.items()):
        for (method, curve), (colour, mark) in zip(readings.curves.items(), LINES):
            _draw(axes, method, curve, network, colour, mark)
        axes.set(title=name, xlabel='style distance (less is more stylized)',
                 ylabel='content distance (less is more faithful)')
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
        axes.legend(frameon=False)
    write_atomically(pathlib.Path(folder) / TRADE_OFF_NAME,
                     lambda temporary: canvas.print_figure(temporary, dpi=120, format='png'))


def _draw(axes, method, curve: Sequence[Mapping], network, colour, mark):
    style = [point[f'style_{network}'] for point in curve]
    content = [point[f'content_{network}'] for point in curve]
    axes.plot(style, content, color=colour, marker=mark, markersize=5, label=method)
    for point, x, y in zip(curve, style, content):
        axes.annotate(f'{point["style_weight"]:g}', (x, y), textcoords='offset points',
                      xytext=(5, 4), fontsize=7, color=colour)
