"""What the figures of all pairs say about methods.

A row is a dict with ``content``, ``style``, ``method`` and ``style_weight``, and a number
for each measure. All functions are pure.
"""
import collections
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np


class Point(NamedTuple):
    """A place on a method's way from content to style."""
    style_weight: float
    style: float
    content: float


#: Points of one method by rising style weight.
Sweep = Sequence[Point]


def sweeps(rows: Iterable[Mapping], network: str) -> Dict[Tuple[str, str], Dict[str, List[Point]]]:
    """By pair, each method's sweep, with the distances of one network."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in sorted(rows, key=lambda row: row['style_weight']):
        found[row['content'], row['style']][row['method']].append(Point(
            row['style_weight'], row[f'style_{network}'], row[f'content_{network}']))
    return found


def shares(scores: Iterable[Mapping[str, float]], methods: Sequence[str]) -> Dict[str, float]:
    """How often each method has the lowest score, as a share of all.

    Args:
        scores: for each pair, a score by method. Methods that are equally low share it.
    """
    wins, count = dict.fromkeys(methods, 0.0), 0
    for score in scores:
        best = [method for method in methods if score[method] == min(score.values())]
        for method in best:
            wins[method] += 1 / len(best)
        count += 1
    return {method: won / count for method, won in wins.items()}


def stylization_shares(rows: Iterable[Mapping], network: str,
                       methods: Sequence[str]) -> Dict[str, float]:
    """Shares of pairs for which a method has the lowest style distance at full weight."""
    return shares(({method: sweep[-1].style for method, sweep in pair.items()}
                   for pair in sweeps(rows, network).values()), methods)


def content_at_style(sweep: Sweep, level: float) -> float:
    """The content distance where a method first comes down to a style distance.

    Between two style weights both distances are taken to change linearly; at the weakest
    one, the sweep starts.

    Raises:
        ValueError: if it never does.
    """
    previous = None
    for point in sweep:
        if point.style <= level:
            if previous is None:
                return point.content
            part = (previous.style - level) / (previous.style - point.style)
            return previous.content + part * (point.content - previous.content)
        previous = point
    raise ValueError(f'the style distance {level} is not reached')


def at_equal_stylization(pair: Mapping[str, Sweep]) -> Dict[str, float]:
    """Each method's content distance at a style distance that all of them reach.

    That is the largest of the methods' lowest style distances: as strong as the weakest of
    them gets.
    """
    level = max(min(point.style for point in sweep) for sweep in pair.values())
    return {method: content_at_style(sweep, level) for method, sweep in pair.items()}


class Faithfulness(NamedTuple):
    """By method: the share of pairs with the lowest content distance, and its mean."""
    shares: Dict[str, float]
    means: Dict[str, float]


def faithfulness(rows: Iterable[Mapping], network: str, methods: Sequence[str]) -> Faithfulness:
    """How methods keep contents at equal stylization (see :func:`at_equal_stylization`)."""
    contents = [at_equal_stylization(pair) for pair in sweeps(rows, network).values()]
    return Faithfulness(shares(contents, methods),
                        {method: float(np.mean([pair[method] for pair in contents]))
                         for method in methods})


def means(rows: Sequence[Mapping], method: str, style_weight: float,
          measures: Sequence[str]) -> Dict[str, Optional[float]]:
    """Means over all pairs of a method's measures; None where a measure is not taken."""
    chosen = [row for row in rows
              if row['method'] == method and row['style_weight'] == style_weight]
    return {measure: None if chosen[0][measure] is None
            else float(np.mean([row[measure] for row in chosen])) for measure in measures}


class StyleAtContent(NamedTuple):
    """Where a method's mean content distance has a given value, and its means there.

    Without a style weight it never has; then ``style`` is empty, and ``range`` says what
    the content distance runs through.
    """
    style_weight: Optional[float]
    style: Dict[str, float]
    range: Tuple[float, float]


def style_at_content(curve: Sequence[Mapping[str, float]], level: float, content: str,
                     styles: Sequence[str]) -> StyleAtContent:
    """Mean style distances where the mean content distance first rises to ``level``.

    Args:
        curve: means by rising style weight, each with ``style_weight`` and measures.
        content: the measure that has the level.
        styles: the measures wanted there, interpolated linearly between style weights.
    """
    values = [point[content] for point in curve]
    extent = min(values), max(values)
    for before, after in zip(curve, curve[1:]):
        if before[content] <= level <= after[content]:
            span = after[content] - before[content]
            part = (level - before[content]) / span if span else 0.0
            between = {name: before[name] + part * (after[name] - before[name])
                       for name in (*styles, 'style_weight')}
            return StyleAtContent(between.pop('style_weight'), between, extent)
    return StyleAtContent(None, {}, extent)
