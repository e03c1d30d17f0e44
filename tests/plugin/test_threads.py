"""One pipeline called from many threads gives the bytes that it gives to one."""
import functools
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from modelscope.pipelines import pipeline
from PIL import Image

TASK = 'image-style-transfer'
THREADS = 8
#: Columns and rows of the contents.
SIZES = ((96, 64), (64, 48), (64, 96))
SCALES = ((0.5, 0.5 ** 0.5, 1.0), (0.5,), (1.0,), (0.25, 1.0))
MAPS = {'return_attention_map': True, 'return_stroke_weights': True}


@pytest.fixture(scope='module')
def calls(content, style):
    """Arguments and options of calls that differ in every respect."""
    contents = [cv2.resize(content, size) for size in SIZES]
    styles = [style, content]
    return [((contents[number % 3], styles[number % 2]),
             {'scales': SCALES[number % 4], 'inter_weight': (1.0, 0.5)[number % 5 == 4],
              'max_length': (800, 56)[number % 3 == 2], **(MAPS if number % 2 else {})})
            for number in range(THREADS)]


def same(found, expected):
    return found.keys() == expected.keys() and all(
        np.array_equal(found[name], expected[name]) for name in expected)


def at_once(functions):
    """What the functions give, each called in a thread of its own, all at the same time."""
    start = threading.Barrier(len(functions))

    def begin(function):
        start.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(begin, functions))


@pytest.fixture(scope='module')
def one_by_one(bundled, calls):
    """What a pipeline without a cache gives for `calls`, one after another."""
    plain = pipeline(TASK, model=bundled.model.model_dir, style_cache=0)
    return [plain(*arguments, **options) for arguments, options in calls]


@pytest.fixture
def differing(calls, one_by_one):
    """Makes 8 threads do several of the calls each; those that gave anything unexpected."""
    def work(built, number, count):
        chosen = [(number + 3 * turn) % THREADS for turn in range(count)]
        return [which for which in chosen if not same(
            built(*calls[which][0], **calls[which][1]), one_by_one[which])]

    return lambda built, count: sum(at_once(
        [functools.partial(work, built, number, count) for number in range(THREADS)]), [])


def test_first_calls_of_all(bundled, differing):
    """Nothing is traced and no style known as eight threads come at once."""
    built = pipeline(TASK, model=bundled.model.model_dir)
    prepared, prepare = [], built.model.transfer.prepare_style

    def watched(pixels, *options):
        prepared.append((pixels.shape, *options))
        return prepare(pixels, *options)

    built.model.transfer.prepare_style = watched
    assert not differing(built, 3)
    # 24 calls; each of both styles meets two of the four kinds of scales.
    assert len(prepared) == len(set(prepared)) == 4
    assert not differing(built, 2)
    assert len(prepared) == 4


def test_styles_that_drive_each_other_out(bundled, differing):
    built = pipeline(TASK, model=bundled.model.model_dir, style_cache=1)
    assert not differing(built, 1)
    assert len(built.model.styles) == 1


def test_lists_and_batches(bundled, calls):
    inputs = [{'content': content, 'style': style} for (content, style), _ in calls[:4]]
    expected = [bundled(pair) for pair in inputs]
    found = at_once([functools.partial(bundled, inputs, batch_size=size)
                     for size in (None, 1, 3, 4)])
    for results in found:
        assert [same(*pair) for pair in zip(results, expected)] == [True] * 4


@pytest.mark.parametrize('kind', ['PNG', 'TIFF'])
def test_one_image_object_for_all(bundled, content, style, kind):
    """Pillow decodes a picture as it is first used, from a file that all threads share."""
    stream = io.BytesIO()
    Image.fromarray(cv2.resize(style, (400, 300))).save(stream, kind)

    def read(image):
        return bundled.preprocess({'content': content, 'style': image})['styles'][0]

    expected = read(stream.getvalue())
    for _ in range(10):
        shared = Image.open(io.BytesIO(stream.getvalue()))
        for found in at_once([functools.partial(read, shared)] * THREADS):
            np.testing.assert_array_equal(found, expected)
