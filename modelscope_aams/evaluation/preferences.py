"""What the figures of all pairs say about methods.

A row is a dict with ``content``, ``style``, ``method`` and ``style_weight``, and a number
for each measure. All functions are pure.
"""
import collections
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

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


def styles_at_full_weight(pair: Mapping[str, Sweep]) -> Dict[str, float]:
    """Each method's style distance at the largest style weight."""
    return {method: sweep[-1].style for method, sweep in pair.items()}


def value_at(points: Iterable[Tuple[float, float]], level: float) -> float:
    """y where x first comes down to ``level``, of points (x, y) in order.

    Between two points both change linearly; before the first there is nothing, so that one
    counts if it is below the level already.

    Raises:
        ValueError: if x never comes down to it.
    """
    previous = None
    for x, y in points:
        if x <= level:
            if previous is None:
                return y
            part = (previous[0] - level) / (previous[0] - x)
            return previous[1] + part * (y - previous[1])
        previous = x, y
    raise ValueError(f'{level} is never reached')


def contents_at_equal_style(pair: Mapping[str, Sweep]) -> Dict[str, float]:
    """Each method's content distance at a style distance that all of them reach.

    That is the largest of the methods' lowest style distances: as strong as the weakest of
    them gets.
    """
    level = max(min(point.style for point in sweep) for sweep in pair.values())
    return {method: value_at(((point.style, point.content) for point in sweep), level)
            for method, sweep in pair.items()}


def styles_at_equal_content(pair: Mapping[str, Sweep]) -> Dict[str, float]:
    """Each method's style distance at a content distance that all of them reach.

    That is the smallest of the methods' highest content distances.
    """
    level = min(max(point.content for point in sweep) for sweep in pair.values())
    return {method: value_at(((-point.content, point.style) for point in sweep), -level)
            for method, sweep in pair.items()}


class Comparison(NamedTuple):
    """By method: the share of pairs with the lowest value, and the mean of the values."""
    shares: Dict[str, float]
    means: Dict[str, float]


def compare(rows: Iterable[Mapping], network: str, methods: Sequence[str],
            score: Callable[[Mapping[str, Sweep]], Dict[str, float]]) -> Comparison:
    """Methods by what ``score`` makes of the sweeps of each pair."""
    scores = [score(pair) for pair in sweeps(rows, network).values()]
    return Comparison(shares(scores, methods), {
        method: float(np.mean([values[method] for values in scores])) for method in methods})


def head_to_head(rows: Iterable[Mapping], network: str, methods: Sequence[str],
                 score: Callable[[Mapping[str, Sweep]], Dict[str, float]]
                 ) -> Dict[str, Dict[str, float]]:
    """``compare`` of every two methods by themselves: the share of pairs that one wins.

    Where ``score`` takes a level that all methods reach, that is the strongest that these
    two reach, not the weakest of all.
    """
    pairs = list(sweeps(rows, network).values())
    return {one: {other: shares([score({name: pair[name] for name in (one, other)})
                                 for pair in pairs], (one, other))[one]
                  for other in methods if other != one} for one in methods}


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
