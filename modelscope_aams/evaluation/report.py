"""An evaluation's tables: CSV of all figures, JSON and Markdown of what they say."""
import csv
import io
import json
import pathlib
from typing import Dict, List, Mapping, NamedTuple, Sequence

from modelscope_aams.checkpoints.atomic import write_atomically

from .feature_networks import VGG_FEATURES
from .measuring import MEASURES
from .preferences import (
    Comparison, StyleAtContent, compare, contents_at_equal_style, head_to_head, means,
    style_at_content, styles_at_equal_content, styles_at_full_weight)
from .records import Records
from .run import Plan

NETWORKS = {'vgg': 'VGG-16', 'efficientnet': 'EfficientNet-Lite0'}
TITLES = {
    'style_vgg': 'style VGG', 'style_efficientnet': 'style EfficientNet', 'patch': 'patches',
    'content_vgg': 'content VGG', 'content_efficientnet': 'content EfficientNet',
    'ssim': 'SSIM', 'attention': 'attention',
}
#: What methods are preferred for, and the distance that decides on it for a pair.
PREFERENCES = {
    'stylization': styles_at_full_weight,
    'faithfulness': contents_at_equal_style,
    'stylization at equal content': styles_at_equal_content,
}
COLUMNS = ('content', 'style', 'method', 'style_weight', *MEASURES)
CSV_NAME, JSON_NAME, MARKDOWN_NAME = 'measurements.csv', 'report.json', 'report.md'


class Readings(NamedTuple):
    """What the figures say; each by method, and by network where that is named.

    Attributes:
        curves: means over all pairs by rising style weight.
        preferences: by what is preferred (see PREFERENCES) and network.
        head_to_head: by network, the share of pairs for which a method is more faithful than
            each other one.
        at_content: the style distances where the mean content distance (VGG) is
            ``content_level``.
    """
    curves: Dict[str, List[Dict]]
    preferences: Dict[str, Dict[str, Comparison]]
    head_to_head: Dict[str, Dict[str, Dict[str, float]]]
    at_content: Dict[str, StyleAtContent]
    content_level: float


def all_rows(plan: Plan, records: Records) -> List[Dict]:
    """One row a pair, method and style weight, in the plan's order."""
    return [{**key._asdict(), **measured} for key in plan.keys() for measured in records[key]]


def read(rows: Sequence[Mapping], methods: Sequence[str], content_level: float) -> Readings:
    """Everything that is told of the rows."""
    weights = sorted({row['style_weight'] for row in rows})
    curves = {method: [{'style_weight': weight, **means(rows, method, weight, MEASURES)}
                       for weight in weights] for method in methods}
    return Readings(
        curves,
        {name: {network: compare(rows, network, methods, score) for network in NETWORKS}
         for name, score in PREFERENCES.items()},
        {network: head_to_head(rows, network, methods, contents_at_equal_style)
         for network in NETWORKS},
        {method: style_at_content(curve, content_level, 'content_vgg',
                                  [f'style_{network}' for network in NETWORKS])
         for method, curve in curves.items()},
        content_level)


def write_reports(folder, plan: Plan, rows: Sequence[Mapping], readings: Readings,
                  settings: Mapping, vgg_layers: Sequence[str]):
    """Writes CSV, JSON and Markdown into ``folder``, each whole or not at all."""
    for name, text in ((CSV_NAME, as_csv(rows)),
                       (JSON_NAME, as_json(rows, readings, settings, vgg_layers)),
                       (MARKDOWN_NAME, as_markdown(plan, readings, vgg_layers))):
        write_atomically(pathlib.Path(folder) / name, lambda temporary, text=text:
                         pathlib.Path(temporary).write_text(text, encoding='utf-8'))


def as_csv(rows: Sequence[Mapping]) -> str:
    """A line for each row; a measure that was not taken is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction='ignore', lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(rows, readings: Readings, settings, vgg_layers) -> str:
    """Settings, readings and rows."""
    return json.dumps({
        'settings': settings, 'vgg_layers': list(vgg_layers),
        'means': readings.curves,
        'preferences': {name: {network: comparison._asdict()
                               for network, comparison in part.items()}
                        for name, part in readings.preferences.items()},
        'head_to_head': readings.head_to_head,
        'style_at_content': {'content_vgg': readings.content_level, **{
            method: part._asdict() for method, part in readings.at_content.items()}},
        'rows': list(rows)}, indent=1, ensure_ascii=False) + '\n'


def as_markdown(plan: Plan, readings: Readings, vgg_layers: Sequence[str]) -> str:
    """The readings as tables, and what they mean."""
    methods, full = list(readings.curves), plan.style_weights[-1]
    pairs = len(plan.contents) * len(plan.styles)
    size = ('in full size' if plan.max_length is None
            else f'at most {plan.max_length} pixels a side')
    parts = [
        '# Evaluation',
        f'Pairs: {pairs} (contents: {len(plan.contents)}, {size}; styles: {len(plan.styles)}). '
        f'Style weights: {", ".join(f"{w:g}" for w in plan.style_weights)}.',
        f'## Means at style weight {full:g}',
        _table(['method', *(TITLES[measure] for measure in MEASURES)],
               [[method, *(_number(readings.curves[method][-1][measure])
                           for measure in MEASURES)] for method in methods]),
        DEFINITIONS + _vgg_note(vgg_layers),
        '## Preference shares',
        _preference_table(readings, methods, lambda comparison, method:
                          f'{comparison.shares[method]:.2f}'),
        PREFERRED.format(full=f'{full:g}'),
        'The means over all pairs of the distances that decide:',
        _preference_table(readings, methods, lambda comparison, method:
                          _number(comparison.means[method])),
        '## Faithfulness of every two methods',
        *(part for network, title in NETWORKS.items() for part in (
            f'On {title}, the share of pairs for which the row is more faithful than the column:',
            _table(['', *methods], [
                [one, *('–' if one == other
                        else f'{readings.head_to_head[network][one][other]:.2f}'
                        for other in methods)] for one in methods]))),
        'As above, but at the strongest style distance that these two reach, whatever the '
        'others do.',
        f'## Style distance at content distance {readings.content_level:g} (VGG)',
        _table(['method', 'style weight', *(f'style {name}' for name in NETWORKS.values())],
               [_at_content_row(method, part, readings.content_level)
                for method, part in readings.at_content.items()]),
        'Mean style distances at the style weight where the mean content distance (VGG) first '
        'has that value, linear between style weights.',
        '## Trade-off',
        '![Style against content distance](trade-off.png)',
        'Means over all pairs, one point a style weight.',
        '## Pictures',
        '![Contents, styles and results](overview.jpg)',
        f'At style weight {full:g}; `sheets/` has a sheet of each content.',
    ]
    return '\n\n'.join(parts) + '\n'


DEFINITIONS = (
    'Lower is better, but for SSIM and attention. *Style*: mean over layers of '
    '(‖Δmean‖² + ‖Δdeviation‖²) / (‖mean‖² + ‖deviation‖² of the style), per channel over '
    'positions. *Patches*: sliced Wasserstein distance of the 3×3 patches of VGG\'s conv3_1 and '
    'conv4_1, relative to the style\'s variance in each direction; it sees strokes, which the '
    'statistics of channels do not. *Content*: mean square difference of features normalised '
    'per channel over positions. *SSIM*: structural similarity of luminance. *Attention*: '
    'correlation of the content\'s and the result\'s attention maps. The style is the 448×448 '
    'crop that the methods see, the content the picture that is stylized; results are rounded '
    'to 8 bits first.')
PREFERRED = (
    'A pair\'s preference for *stylization* goes to the method with the lowest style distance '
    'at style weight {full}. That for *faithfulness* goes to the one with the lowest content '
    'distance at equal stylization: at the style distance that every method reaches for the '
    'pair (the largest of the methods\' lowest ones), at the weakest style weight that has it, '
    'linear between style weights. *Stylization at equal content* is the other way round: the '
    'lowest style distance at the content distance that every method reaches (the smallest of '
    'the methods\' highest ones). Style and content are always of the same network; methods '
    'that are equal share a pair.')


def _preference_table(readings: Readings, methods, cell) -> str:
    comparisons = [(f'{name}, {title}', readings.preferences[name][network])
                   for name in PREFERENCES for network, title in NETWORKS.items()]
    return _table(['method', *(title for title, _ in comparisons)],
                  [[method, *(cell(comparison, method) for _, comparison in comparisons)]
                   for method in methods])


def _vgg_note(vgg_layers) -> str:
    named = f'{vgg_layers[0]} … {vgg_layers[-1]}'
    if tuple(vgg_layers) == VGG_FEATURES:
        return f' VGG-16: {named}.'
    return (f' **The VGG figures stop at {vgg_layers[-1]}** ({named}): the weights beyond are '
            'not part of this project, and were not given (`--vgg`).')


def _at_content_row(method, part: StyleAtContent, level) -> List[str]:
    if part.style_weight is None:
        lowest, highest = part.range
        return [method, f'never: content {_number(lowest)} to {_number(highest)}', '–', '–']
    return [method, f'{part.style_weight:.2f}',
            *(_number(part.style[f'style_{network}']) for network in NETWORKS)]


def _number(value) -> str:
    return '–' if value is None else f'{value:.3f}'


def _table(head, body) -> str:
    lines = [head, ['---'] * len(head), *body]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
