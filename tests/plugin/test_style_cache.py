"""The cache of styles by itself, in the model, and as an option."""
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from modelscope.models import Model
from modelscope.pipelines import pipeline

from modelscope_aams.plugin.style_cache import StyleCache, style_key

TASK = 'image-style-transfer'
CONFIGURATION = {'framework': 'tensorflow', 'task': TASK,
                 'model': {'type': 'aams', 'weights': 'aams.safetensors'},
                 'pipeline': {'type': 'AAMS-style-transfer'}}
#: Seconds that nothing here takes.
PATIENCE = 240


def plain(value, rows=2):
    return np.full((rows, 2, 3), value, np.uint8)


@pytest.fixture
def calls():
    """What `prepare` of the fixture `cache` was called with."""
    return []


@pytest.fixture
def cache(calls):
    """Makes a cache of what is as many bytes as the picture's first value says."""
    def prepare(pixels, *options):
        calls.append((int(pixels[0, 0, 0]), *options))
        return bytes(int(pixels[0, 0, 0]))

    return lambda **bounds: StyleCache(prepare, len, **bounds)


def test_number_of_styles_and_order(cache, calls):
    kept = cache(styles=2)
    for value in (1, 2, 1, 3):
        kept(plain(value))
    assert (calls, len(kept)) == ([(1,), (2,), (3,)], 2)
    kept(plain(1))  # It was used after 2.
    assert len(calls) == 3
    kept(plain(2))
    assert (calls[3:], len(kept)) == ([(2,)], 2)


def test_bytes(cache, calls):
    kept = cache(styles=9, max_bytes=100)
    for value in (50, 30, 20):
        kept(plain(value))
    assert (len(kept), kept.nbytes) == (3, 100)
    kept(plain(10))
    assert (len(kept), kept.nbytes) == (3, 60)
    kept(plain(30))
    assert len(calls) == 4
    kept(plain(50))
    assert len(calls) == 5 and kept.nbytes <= 100


def test_style_larger_than_all(cache, calls):
    kept = cache(max_bytes=100)
    kept(plain(40))
    assert [len(kept(plain(101))) for _ in range(2)] == [101, 101]
    kept(plain(40))
    assert (calls, len(kept)) == ([(40,), (101,), (101,)], 1)


@pytest.mark.parametrize('bounds', [{'styles': 0}, {'max_bytes': 0}])
def test_switched_off(cache, calls, bounds):
    kept = cache(**bounds)
    for _ in range(2):
        assert len(kept(plain(7))) == 7
    assert (calls, len(kept), kept.nbytes) == ([(7,), (7,)], 0, 0)


def test_clear(cache, calls):
    kept = cache()
    kept(plain(7))
    kept.clear()
    assert (len(kept), kept.nbytes) == (0, 0)
    kept(plain(7))
    assert len(calls) == 2


def test_options_count(cache, calls):
    kept = cache()
    for options in ((), ((0.5,),), ((0.5, 1.0),), ((1.0, 0.5),), ((0.5,), 'b'), ((0.5,),)):
        kept(plain(1), *options)
    assert calls == [(1,), (1, (0.5,)), (1, (0.5, 1.0)), (1, (1.0, 0.5)), (1, (0.5,), 'b')]


def test_equal_pixels_have_equal_keys():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    wide = np.zeros((6, 10, 3), np.uint8)
    wide[:, ::2] = pixels
    for same in (pixels.copy(), np.asfortranarray(pixels), wide[:, ::2], pixels[::-1][::-1]):
        assert style_key(same, 1) == style_key(pixels, 1)


def test_unequal_pixels_have_unequal_keys():
    pixels = np.random.default_rng(0).integers(0, 255, (6, 5, 3), np.uint8)
    keys = {style_key(pixels), style_key(pixels.reshape(5, 6, 3)), style_key(pixels[..., ::-1]),
            style_key(pixels.view(np.int8)), style_key(pixels.astype(np.float32))}
    for place in ((0, 0, 0), (3, 2, 1), (5, 4, 2)):
        changed = pixels.copy()
        changed[place] += 1
        keys.add(style_key(changed))
    assert len(keys) == 8


def test_what_is_prepared_is_what_the_key_says(calls):
    """A caller that changes its picture during the call spoils nothing for others."""
    seen = []

    def prepare(pixels):
        theirs[:] = 9
        seen.append(pixels.copy())
        return b''

    kept = StyleCache(prepare, len)
    theirs = plain(1)
    kept(theirs)
    kept(plain(1))
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], plain(1))


class Slow:
    """A `prepare` that waits to be let go; fails if told so."""

    def __init__(self, error=None):
        self.calls, self.error = [], error
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self, pixels):
        self.calls.append(int(pixels[0, 0, 0]))
        self.begun.release()
        assert self.go.wait(PATIENCE)
        if self.error:
            raise self.error(str(len(self.calls)))
        return object()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def waiters(kept):
    """A semaphore that counts who begins to wait for what another prepares."""
    begun, wait = threading.Semaphore(0), kept._condition.wait

    def counted(*timeout):
        begun.release()
        return wait(*timeout)

    kept._condition.wait = counted
    return begun


def test_asked_for_at_once_is_prepared_once(threads):
    prepare = Slow()
    kept = StyleCache(prepare, lambda _: 1)
    waiting = waiters(kept)
    results = [threads.submit(kept, plain(1)) for _ in range(8)]
    for _ in range(7):
        assert waiting.acquire(timeout=PATIENCE)
    prepare.go.set()
    assert len({id(result.result(PATIENCE)) for result in results}) == 1
    assert prepare.calls == [1]


def test_styles_do_not_wait_for_each_other(threads):
    prepare = Slow()
    kept = StyleCache(prepare, lambda _: 1)
    results = [threads.submit(kept, plain(value)) for value in (1, 2, 3)]
    for _ in results:
        assert prepare.begun.acquire(timeout=PATIENCE)  # All three, and none has ended.
    assert sorted(prepare.calls) == [1, 2, 3]
    prepare.go.set()
    known = results[0].result(PATIENCE)
    prepare.go.clear()
    late = threads.submit(kept, plain(4))
    assert prepare.begun.acquire(timeout=PATIENCE)
    assert threads.submit(kept, plain(1)).result(PATIENCE) is known  # As 4 is being prepared.
    prepare.go.set()
    late.result(PATIENCE)


def test_switched_off_nobody_waits(threads):
    prepare = Slow()
    kept = StyleCache(prepare, len, styles=0)
    results = [threads.submit(kept, plain(1)) for _ in range(3)]
    for _ in results:
        assert prepare.begun.acquire(timeout=PATIENCE)
    prepare.go.set()
    assert len({result.result(PATIENCE) for result in results}) == 3


def test_failure_is_raised_to_each_and_not_kept(threads):
    prepare = Slow(ArithmeticError)
    kept = StyleCache(prepare, lambda _: 1)
    waiting = waiters(kept)
    results = [threads.submit(kept, plain(1)) for _ in range(8)]
    for _ in range(7):
        assert waiting.acquire(timeout=PATIENCE)
    prepare.go.set()
    for result in results:
        with pytest.raises(ArithmeticError):
            result.result(PATIENCE)
    assert len(kept) == 0
    prepare.error = None
    assert kept(plain(1)) is kept(plain(1))
    assert len(kept) == 1


@pytest.fixture(scope='module')
def built(bundled):
    """A pipeline with a model of its own, as its cache is what is tested."""
    return pipeline(TASK, model=bundled.model.model_dir, style_cache=3)


@pytest.fixture
def prepared(built, monkeypatch):
    """Styles that were prepared, as their number of rows and scales; the cache is empty."""
    built.model.styles.clear()
    done, prepare = [], built.model.transfer.prepare_style

    def watched(pixels, scales, patch_size):
        done.append((len(pixels), scales))
        return prepare(pixels, scales, patch_size)

    monkeypatch.setattr(built.model.transfer, 'prepare_style', watched)
    return done


def test_pipeline_prepares_a_style_once(built, prepared, content, style, expected, tmp_path):
    path = tmp_path / 'style.png'
    assert cv2.imwrite(str(path), style)
    sources = (style, style.copy(), str(path), path.read_bytes(), style.astype(np.float32))
    for source in sources:
        np.testing.assert_array_equal(built(content, source)['output_img'], expected)
    # Options that do not touch the style, another content, a batch, another pipeline.
    built(content, style, inter_weight=0.5, theta=3, max_length=40, return_attention_map=True)
    built([style, content], style, batch_size=2)
    again = pipeline(TASK, model=built.model, inter_weight=0.5)(content, style)
    assert np.any(again['output_img'] != expected)
    assert len(prepared) == 1


def test_other_scales_and_other_pixels_are_others(built, prepared, content, style):
    changed = style.copy()
    changed[9, 9, 1] ^= 1
    first = built(content, style, scales=[0.5])['output_img']
    other = built(content, style, scales=[1.0])['output_img']
    built(content, changed, scales=[0.5])
    assert prepared == [(64, (0.5,)), (64, (1.0,)), (64, (0.5,))]
    assert np.any(first != other)
    np.testing.assert_array_equal(built(content, style, scales=(0.5,))['output_img'], first)
    assert len(prepared) == 3 and len(built.model.styles) == 3


@pytest.mark.parametrize('order', [1, -1])
def test_style_changed_in_place(built, prepared, content, style, expected, order):
    # Of the order -1, what the pipeline reads is the caller's memory and no copy.
    ours = style[..., ::order].copy()[..., ::order]
    np.testing.assert_array_equal(built(content, ours)['output_img'], expected)
    ours[:] = 255 - ours
    negative = built(content, ours)['output_img']
    assert np.any(negative != expected) and len(prepared) == 2
    np.testing.assert_array_equal(built(content, 255 - style)['output_img'], negative)
    np.testing.assert_array_equal(built(content, style)['output_img'], expected)
    assert len(prepared) == 2


def test_only_the_last_styles_are_kept(built, prepared, content, style):
    for rows in (64, 60, 56, 52, 56, 64):
        built(content, style[:rows], scales=[0.5])
    assert [rows for rows, _ in prepared] == [64, 60, 56, 52, 64]
    assert len(built.model.styles) == 3


def test_bytes_are_those_of_the_tensors(built, prepared, content, style):
    import tensorflow as tf
    built(content, style)
    features = built.model.transfer.prepare_style(style[..., ::-1], (0.5, 0.5 ** 0.5, 1.0), 5)
    assert built.model.styles.nbytes == sum(
        tensor.numpy().nbytes for tensor in tf.nest.flatten(features))


def test_failure_in_the_pipeline(built, content, style, expected, monkeypatch):
    built.model.styles.clear()

    def fail(*_):
        raise MemoryError('no room')

    with monkeypatch.context() as patch:
        patch.setattr(built.model.transfer, 'prepare_style', fail)
        with pytest.raises(MemoryError, match='no room'):
            built(content, style)
    np.testing.assert_array_equal(built(content, style)['output_img'], expected)


def kept_of_three(built, style):
    """How many of three styles the model keeps; they are not really prepared."""
    import tensorflow as tf
    built.model.transfer.prepare_style = lambda *_: tf.zeros([5])
    for rows in (64, 60, 56):
        built.model.styles(style[:rows], (1.0,))
    return len(built.model.styles)


@pytest.mark.parametrize('section', [CONFIGURATION['model'], {}])
def test_configuration_and_constructor(model_directory, style, section):
    """With the model's type, and as in published directories without it."""
    directory = str(model_directory({
        **CONFIGURATION, 'model': {**section, 'style_cache': 2}}))
    for options, expected in (({}, 2), ({'style_cache': 1}, 1), ({'style_cache_bytes': 20}, 1),
                              ({'style_cache': 9, 'style_cache_bytes': 60}, 3)):
        assert kept_of_three(pipeline(TASK, model=directory, **options), style) == expected


def test_option_of_a_model(bundled, style):
    model = Model.from_pretrained(bundled.model.model_dir, style_cache=0)
    assert kept_of_three(pipeline(TASK, model=model), style) == 0


WRONG = [(-1, 'at least 0'), (2.0, 'whole number'), ('8', 'whole number'), (True, 'whole number'),
         (None, 'whole number')]


@pytest.mark.parametrize('name', ['style_cache', 'style_cache_bytes'])
@pytest.mark.parametrize('value, match', WRONG)
def test_wrong_values(bundled, model_directory, name, value, match):
    directory = str(model_directory({
        **CONFIGURATION, 'model': {**CONFIGURATION['model'], name: value}}))
    for arguments in ({'model': bundled.model.model_dir, name: value}, {'model': directory}):
        with pytest.raises(ValueError, match=f'{name} is {value!r}; expected .*{match}') as caught:
            pipeline(TASK, **arguments)
        assert '\n' not in str(caught.value)


def test_option_comes_too_late(bundled, content, style):
    with pytest.raises(ValueError, match='style_cache of a model that is built already; '
                                         'expected a model directory') as caught:
        pipeline(TASK, model=bundled.model, style_cache=3)
    assert '\n' not in str(caught.value)
    with pytest.raises(TypeError, match='unknown option style_cache'):
        bundled(content, style, style_cache=3)
