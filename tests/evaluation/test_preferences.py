"""Readings of tables made by hand."""
import pytest

from modelscope_aams.evaluation import preferences
from modelscope_aams.evaluation.preferences import Point


def rows(content, style, **methods):
    """Rows of a pair; for each method its (style, content) distances at 0.5 and 1."""
    return [{'content': content, 'style': style, 'method': method, 'style_weight': weight,
             'style_vgg': point[0], 'content_vgg': point[1]}
            for method, points in methods.items() for weight, point in zip((0.5, 1.0), points)]


def test_shares_and_ties():
    scores = [dict(a=1, b=2, c=3), dict(a=2, b=1, c=1), dict(a=3, b=2, c=1), dict(a=0, b=0, c=0)]
    found = preferences.shares(scores, ('a', 'b', 'c'))
    assert found == pytest.approx({'a': (1 + 1 / 3) / 4, 'b': (0.5 + 1 / 3) / 4,
                                   'c': (0.5 + 1 + 1 / 3) / 4})
    assert sum(found.values()) == pytest.approx(1)


def test_value_between_points_and_at_them():
    points = [(8, 1), (4, 3), (5, 9), (2, 4)]
    assert preferences.value_at(points, 8) == 1
    assert preferences.value_at(points, 10) == 1    # below it from the start
    assert preferences.value_at(points, 6) == 2
    assert preferences.value_at(points, 4) == 3     # the first time, not the second
    assert preferences.value_at(points, 3) == pytest.approx(9 - 5 * 2 / 3)
    with pytest.raises(ValueError, match='1 is never reached'):
        preferences.value_at(points, 1)


def test_equal_stylization_is_what_the_weakest_reaches():
    pair = {'weak': [Point(0.5, 0.9, 0.2), Point(1, 0.6, 0.5)],
            'strong': [Point(0.5, 0.8, 0.3), Point(1, 0.4, 0.7)],
            # At its best before full weight.
            'turning': [Point(0.5, 0.5, 0.1), Point(1, 0.7, 0.9)]}
    assert preferences.contents_at_equal_style(pair) == pytest.approx(
        {'weak': 0.5, 'strong': 0.5, 'turning': 0.1})
    # Content 0.5 is reached by all: style distances there.
    assert preferences.styles_at_equal_content(pair) == pytest.approx(
        {'weak': 0.6, 'strong': 0.6, 'turning': 0.6})


def test_comparison_over_pairs():
    table = [*rows('a', 'x', one=[(0.9, 0.2), (0.5, 0.6)], two=[(0.8, 0.5), (0.3, 0.9)]),
             *rows('b', 'x', one=[(0.9, 0.1), (0.2, 0.6)], two=[(0.9, 0.3), (0.4, 0.4)])]
    full = preferences.compare(table, 'vgg', ('one', 'two'), preferences.styles_at_full_weight)
    assert full.shares == {'one': 0.5, 'two': 0.5}
    assert full.means == pytest.approx({'one': 0.35, 'two': 0.35})
    equal = preferences.compare(table, 'vgg', ('one', 'two'), preferences.contents_at_equal_style)
    # First pair at 0.5: 0.6 against 0.5 + 0.6 · 0.4; second at 0.4: 0.1 + 5/7 · 0.5 against 0.4.
    assert equal.shares == {'one': 0.5, 'two': 0.5}
    assert equal.means == pytest.approx({'one': (0.6 + 0.1 + 2.5 / 7) / 2, 'two': 1.14 / 2})


def test_head_to_head_the_others_do_not_matter():
    # 'weak' holds the common level at 0.8; 'one' and 'two' alone meet at 0.5.
    table = rows('a', 'x', one=[(0.9, 0.2), (0.5, 0.6)], two=[(0.8, 0.1), (0.3, 0.9)],
                 weak=[(0.9, 0.3), (0.8, 0.4)])
    methods, score = ('one', 'two', 'weak'), preferences.contents_at_equal_style
    assert preferences.compare(table, 'vgg', methods, score).shares['two'] == 1
    found = preferences.head_to_head(table, 'vgg', methods, score)
    # At 0.5, 'two' has 0.1 + 0.8 · 0.6 = 0.58, 'one' 0.6; at 0.8 'one' has 0.3.
    assert found['two'] == {'one': 1, 'weak': 1} and found['one'] == {'two': 0, 'weak': 1}
    assert found['weak'] == {'one': 0, 'two': 0}


def test_sweeps_go_by_style_weight_whatever_the_order_of_rows():
    table = rows('a', 'x', one=[(0.9, 0.2), (0.5, 0.6)])
    assert preferences.sweeps(table[::-1], 'vgg') == {
        ('a', 'x'): {'one': [Point(0.5, 0.9, 0.2), Point(1.0, 0.5, 0.6)]}}


def test_means_are_of_one_method_and_weight():
    table = [*rows('a', 'x', one=[(0.9, 0.2), (0.5, 0.6)], two=[(7, 7), (7, 7)]),
             *rows('b', 'x', one=[(0.7, 0.4), (0.1, 0.2)])]
    table = [{**row, 'attention': None} for row in table]
    assert preferences.means(table, 'one', 1.0, ('style_vgg', 'content_vgg', 'attention')) == {
        'style_vgg': pytest.approx(0.3), 'content_vgg': pytest.approx(0.4), 'attention': None}


@pytest.mark.parametrize('level, weight, style', [
    (0.2, 0.4, 0.9), (0.4, 0.6, 0.7), (0.6, 0.8, 0.5), (0.7, 0.9, 0.4)])
def test_style_at_content(level, weight, style):
    curve = [dict(style_weight=0.4, content=0.2, style=0.9),
             dict(style_weight=0.8, content=0.6, style=0.5),
             dict(style_weight=1.0, content=0.8, style=0.3)]
    found = preferences.style_at_content(curve, level, 'content', ['style'])
    assert found.style_weight == pytest.approx(weight)
    assert found.style == {'style': pytest.approx(style)}
    assert found.range == (0.2, 0.8)


@pytest.mark.parametrize('level', [0.1, 0.9])
def test_content_that_is_never_reached(level):
    curve = [dict(style_weight=0.4, content=0.2, style=0.9),
             dict(style_weight=1.0, content=0.8, style=0.3)]
    assert preferences.style_at_content(curve, level, 'content', ['style']) == (
        None, {}, (0.2, 0.8))
