"""Methods and controls by every way to ask for them, and what each means for the picture."""
import functools
import logging
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from modelscope.msdatasets import MsDataset
from modelscope.pipelines import pipeline
from PIL import Image

from modelscope_aams.network.options import METHODS
from modelscope_aams.network.preprocess import finish, prepare_content

TASK = 'image-style-transfer'
CONFIGURATION = {'framework': 'tensorflow', 'task': TASK, 'model': {'type': 'aams'},
                 'pipeline': {'type': 'AAMS-style-transfer'}}
ROWS, COLUMNS = 96, 128
THREADS = 16


def blots(seed, rows=ROWS, columns=COLUMNS, cells=12):
    """A picture with detail of the size of ``rows / cells`` pixels, BGR."""
    coarse = np.random.default_rng(seed).integers(0, 256, (cells, cells, 3), np.uint8)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope='module')
def photo():
    return blots(3)


@pytest.fixture(scope='module')
def paintings():
    """Three styles as unlike as blue washes, red grain and grey stripes."""
    y, x = np.mgrid[:80, :80]
    wash = blots(5, 80, 80, 4) * np.array([1, 0.4, 0.2])
    grain = np.random.default_rng(6).integers(0, 256, (80, 80, 1)) * np.array([0.1, 0.2, 1])
    stripes = np.repeat((127 + 120 * np.sin((x + y) / 2))[..., None], 3, axis=2)
    return [np.uint8(picture) for picture in (wash, grain, stripes)]


@pytest.fixture(scope='module')
def right_half():
    """A mask that is black on the left and white on the right."""
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[:, COLUMNS // 2:] = 255
    return mask


@pytest.fixture(scope='module')
def stylized(bundled):
    """The picture of a call, as floats; what was asked before is not computed again."""
    kept = {}

    def call(photo, style, **options):
        key = repr((photo.tobytes(), style if isinstance(style, str) else np.array(
            style).tobytes(), options))
        if key not in kept:
            kept[key] = bundled(photo, style, **options)['output_img'].astype(float)
        return kept[key]
    return call


def difference(first, second):
    """Mean difference of two pictures, in grey levels."""
    return np.abs(first.astype(float) - second).mean()


def chroma(bgr):
    return cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[..., 1:]


# What each control means.

@pytest.mark.parametrize('method', METHODS)
def test_method_is_the_networks(bundled, stylized, photo, paintings, method):
    transfer, options = bundled.model.transfer, bundled.defaults.updated({'method': method})
    prepared = prepare_content(photo[..., ::-1])
    style = transfer.prepare_style(paintings[0][..., ::-1], options.style_scales, 5)
    expected = finish(transfer.stylize(prepared.picture, style, options).picture, prepared)
    np.testing.assert_array_equal(stylized(photo, paintings[0], method=method), expected)


def test_methods_differ(stylized, photo, paintings):
    found = [stylized(photo, paintings[0], method=method) for method in METHODS]
    for i, first in enumerate(found):
        for second in found[:i]:
            assert difference(first, second) > 1
    np.testing.assert_array_equal(found[0], stylized(photo, paintings[0]))


@pytest.mark.parametrize('method', METHODS)
def test_style_weight_goes_from_the_content_to_the_style(stylized, photo, paintings, method):
    none, half, full = (stylized(photo, paintings[0], method=method, style_weight=weight)
                        for weight in (0, 0.5, 1))
    assert difference(none, photo) < difference(half, photo) < difference(full, photo)
    # At 0 the style does not matter, nor does the method.
    assert difference(none, stylized(photo, paintings[1], style_weight=0)) < 0.5


def test_inter_weight_keeps_the_styles_colours(stylized, photo, paintings):
    structure = stylized(photo, paintings[0], inter_weight=0)
    full = stylized(photo, paintings[0])
    assert difference(structure, full) > 1
    mean = full.mean(axis=(0, 1))
    assert (np.abs(structure.mean(axis=(0, 1)) - mean).sum()
            < np.abs(photo.mean(axis=(0, 1)) - mean).sum() / 2)


@pytest.mark.parametrize('option, first, second', [
    ('patch_size', 1, 7), ('scales', [0.3], [1.0]), ('theta', 0, 50)])
def test_options_of_strokes(stylized, photo, paintings, option, first, second):
    assert difference(stylized(photo, paintings[2], **{option: first}),
                      stylized(photo, paintings[2], **{option: second})) > 1


@pytest.mark.parametrize('method', METHODS)
def test_weights_of_styles(stylized, photo, paintings, method):
    first, second = (stylized(photo, style, method=method) for style in paintings[:2])
    both = functools.partial(stylized, photo, paintings[:2], method=method)
    assert difference(both(style_weights=[1, 0]), first) < 0.01
    assert difference(both(style_weights=[0, 3]), second) < 0.01
    mixed = both(style_weights=[0.7, 0.3])
    assert difference(mixed, first) < difference(mixed, second)
    assert difference(mixed, first) > 1
    np.testing.assert_array_equal(both(), both(style_weights=[2, 2]))


def test_order_of_styles_does_not_matter(stylized, photo, paintings):
    forward = stylized(photo, paintings, style_weights=[1, 2, 3])
    assert difference(forward, stylized(photo, paintings[::-1], style_weights=[3, 2, 1])) < 0.2


def test_one_style_is_a_list_of_one(stylized, photo, paintings):
    np.testing.assert_array_equal(stylized(photo, paintings[:1]), stylized(photo, paintings[0]))
    np.testing.assert_array_equal(stylized(photo, tuple(paintings[:1]), style_weights=[0.3]),
                                  stylized(photo, paintings[0]))


@pytest.mark.parametrize('method', METHODS)
def test_mask_keeps_the_background(stylized, photo, paintings, right_half, method):
    found = stylized(photo, paintings[0], method=method, mask=right_half)
    plain = stylized(photo, paintings[0], style_weight=0)
    full = stylized(photo, paintings[0], method=method)
    far = COLUMNS // 4
    for part, near, other in ((np.s_[:, :far], plain, full), (np.s_[:, -far:], full, plain)):
        assert difference(found[part], near[part]) < difference(near[part], other[part]) / 3


@pytest.mark.parametrize('method', METHODS)
def test_mask_assigns_styles(stylized, photo, paintings, right_half, method):
    found = stylized(photo, paintings[:2], method=method, mask=right_half)
    far = COLUMNS // 4
    for part, own, other in ((np.s_[:, :far], 0, 1), (np.s_[:, -far:], 1, 0)):
        own, other = (stylized(photo, paintings[which], method=method) for which in (own, other))
        assert difference(found[part], own[part]) < difference(found[part], other[part]) / 3


def test_levels_between_styles(stylized, photo, paintings):
    """Three styles: black, mid grey and white give each alone."""
    for level, style in ((0.0, 0), (0.5, 1), (1.0, 2)):
        found = stylized(photo, paintings, mask=np.full((ROWS, COLUMNS), level))
        alone = stylized(photo, paintings[style])
        assert difference(found, alone) < 1
    between = stylized(photo, paintings[:2], mask=np.full((ROWS, COLUMNS), 0.5))
    assert difference(between, stylized(photo, paintings[:2])) < 1


@pytest.mark.parametrize('level, weight', [(255, 1), (128, 128 / 255), (51, 0.2), (0, 0)])
def test_even_masks_are_style_weights(stylized, photo, paintings, level, weight):
    found = stylized(photo, paintings[0], mask=np.full((ROWS, COLUMNS), level, np.uint8))
    assert difference(found, stylized(photo, paintings[0], style_weight=weight)) < 0.1


def test_masks_follow_contents_that_are_scaled_or_extended(stylized, photo, paintings):
    """A picture larger than max_length, and one that is too low for the network."""
    large = cv2.resize(photo, (4 * COLUMNS, 4 * ROWS))
    mask = np.zeros((ROWS // 2, COLUMNS // 2), bool)
    mask[:, COLUMNS // 4:] = True
    found = stylized(large, paintings[0], mask=mask, max_length=COLUMNS)
    plain = stylized(large, paintings[0], style_weight=0, max_length=COLUMNS)
    assert found.shape == large.shape
    assert (difference(found[:, :COLUMNS], plain[:, :COLUMNS])
            < difference(found[:, -COLUMNS:], plain[:, -COLUMNS:]) / 4)

    low = photo[:16]
    found = stylized(low, paintings[0], mask=np.ones(low.shape[:2]))
    assert difference(found, stylized(low, paintings[0])) < 1


@pytest.mark.parametrize('options', [{}, {'method': 'adain'}, {'max_length': 64}])
def test_keep_colours(stylized, photo, paintings, options):
    # Of muted colours, so that no lightness puts them outside sRGB.
    muted = np.uint8(np.rint(photo * 0.15 + 110))
    found = stylized(muted, paintings[2], keep_colours=True, **options)
    plain = stylized(muted, paintings[2], **options)
    inside = (plain > 40).all(axis=2) & (plain < 220).all(axis=2)
    assert inside.mean() > 0.2
    wanted = chroma(muted)
    assert np.abs(chroma(found) - wanted)[inside].mean() < 1
    assert np.abs(chroma(plain) - wanted)[inside].mean() > 3
    light, expected = (cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[..., 0]
                       for picture in (found, plain))
    np.testing.assert_allclose(light[inside], expected[inside], atol=2)


def test_own_attention_map(bundled, photo, paintings, right_half):
    results = functools.partial(bundled, photo, paintings[2], return_attention_map=True,
                                return_stroke_weights=True)
    computed, own = results(), results(attention=right_half)
    assert difference(own['output_img'], computed['output_img']) > 1
    far = COLUMNS // 4
    assert own['attention_map'][:, :far].max() < 0.01
    assert own['attention_map'][:, -far:].min() > 0.99
    # The last stroke, the finest, is where the map is white.
    weights = own['stroke_weights']
    assert (weights[:, :far].argmax(axis=2) == 0).all()
    assert (weights[:, -far:].argmax(axis=2) == weights.shape[2] - 1).all()
    assert difference(computed['stroke_weights'].argmax(axis=2), weights.argmax(axis=2)) > 0.2
    # Everywhere the same.
    even = results(attention=np.full((ROWS, COLUMNS), 0.5))
    assert difference(even['output_img'], computed['output_img']) > 0.5
    assert np.ptp(even['stroke_weights'], axis=(0, 1)).max() < 1e-3


def test_the_computed_map_handed_back_changes_little(bundled, photo, paintings):
    first = bundled(photo, paintings[2], return_attention_map=True)
    again = bundled(photo, paintings[2], attention=first['attention_map'],
                    return_attention_map=True)
    assert np.abs(again['attention_map'] - first['attention_map']).mean() < 0.05
    inverse = bundled(photo, paintings[2], attention=1 - first['attention_map'])
    assert (difference(again['output_img'], first['output_img'])
            < difference(inverse['output_img'], first['output_img']) / 2)


def test_controls_together(stylized, photo, paintings, right_half):
    given = dict(mask=right_half, attention=right_half, keep_colours=True, style_weight=0.8,
                 patch_size=3, theta=10, inter_weight=0.9)
    expected = stylized(photo, paintings[:2], **given)
    for name, value in dict(mask=None, attention=None, keep_colours=False, style_weight=1,
                            patch_size=5, theta=1, inter_weight=0.5).items():
        changed = stylized(photo, paintings[:2], **{**given, name: value})
        assert difference(changed, expected) > 0.05, name


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('rows, columns', [(1, 1), (3, 400), (41, 90)])
def test_extreme_shapes_and_plain_pictures(bundled, paintings, rows, columns, method):
    ramp = np.linspace(0, 1, rows * columns).reshape(rows, columns)
    more = {'attention': ramp} if method == 'aams' else {}
    for content in (blots(4, rows, columns), np.full((rows, columns, 3), 127, np.uint8)):
        with warnings.catch_warnings():
            # NumPy warns of NaN that is cast to uint8.
            warnings.simplefilter('error')
            found = bundled(content, paintings[:2], method=method, mask=ramp,
                            keep_colours=True, **more)['output_img']
        assert found.shape == (rows, columns, 3)


# Every way in.

SAID = [{'method': 'adain'}, {'method': 'wct', 'style_weight': 0.4, 'keep_colours': True},
        {'method': 'avatar-net', 'patch_size': 3, 'inter_weight': 0.5},
        {'style_weight': 0.6, 'patch_size': 1, 'theta': 2, 'scales': [0.6]}]


@pytest.mark.parametrize('said', SAID)
def test_options_by_every_way_in(bundled, model_directory, photo, paintings, stylized, said):
    expected = stylized(photo, paintings[0], **said)
    assert difference(expected, stylized(photo, paintings[0])) > 0.5
    built = pipeline(TASK, model=bundled.model, **said)
    np.testing.assert_array_equal(built(photo, paintings[0])['output_img'], expected)
    configured = pipeline(TASK, model=str(model_directory({
        **CONFIGURATION, 'pipeline': {'type': 'AAMS-style-transfer', **said}})))
    np.testing.assert_array_equal(configured(photo, paintings[0])['output_img'], expected)
    # A call's word goes first, and takes with it what has no meaning for its method.
    found = configured(photo, paintings[0], method='wct', style_weight=1.0, keep_colours=False)
    np.testing.assert_array_equal(
        found['output_img'], stylized(photo, paintings[0], method='wct'))


@pytest.fixture
def files(tmp_path, photo, paintings, right_half):
    """Names of lossless files: content, style0 to style2, mask."""
    pictures = {'content': photo, 'mask': right_half,
                **{f'style{i}': style for i, style in enumerate(paintings)}}
    paths = {name: tmp_path / f'{name}.png' for name in pictures}
    for name, picture in pictures.items():
        assert cv2.imwrite(str(paths[name]), picture)
    return paths


FORMS = {'path': str, 'pathlib': lambda path: path, 'bytes': lambda path: path.read_bytes(),
         'PIL': Image.open, 'colours': lambda path: cv2.imread(str(path)),
         'floats': lambda path: cv2.imread(str(path), 0) / 255,
         'booleans': lambda path: cv2.imread(str(path), 0) > 127}


@pytest.mark.parametrize('form', FORMS)
def test_forms_of_masks_and_maps(bundled, stylized, photo, paintings, files, right_half, form):
    source = FORMS[form](files['mask'])
    for name in ('mask', 'attention'):
        np.testing.assert_array_equal(
            bundled(photo, paintings[0], **{name: source})['output_img'],
            stylized(photo, paintings[0], **{name: right_half}))


def test_urls_and_paths(bundled, stylized, picture_server, files, photo, paintings, right_half):
    server = picture_server(files['mask'].parent)
    found = bundled(str(files['content']), [str(files['style0']), f'{server}/style1.png'],
                    mask=f'{server}/mask.png', attention=f'{server}/mask.png')
    np.testing.assert_array_equal(found['output_img'], stylized(
        photo, paintings[:2], mask=right_half, attention=right_half))


@pytest.fixture(scope='module')
def items(photo, paintings, right_half):
    """Dicts with different controls, and contents of different sizes."""
    return [{'content': photo, 'style': paintings, 'style_weights': [3, 0, 1]},
            {'content': photo, 'style': paintings[0]},
            {'content': photo[:64], 'style': paintings[:2], 'mask': right_half[:64]},
            {'content': photo, 'style': paintings[1], 'attention': right_half},
            {'content': photo[:, :80], 'style': paintings[1], 'style_weights': None}]


@pytest.mark.parametrize('keep_colours', [False, True])
@pytest.mark.parametrize('batch_size', [None, 1, 2, 9])
def test_lists_of_dicts(bundled, stylized, items, batch_size, keep_colours):
    found = bundled(items, batch_size=batch_size, keep_colours=keep_colours)
    assert len(found) == len(items)
    for result, item in zip(found, items):
        expected = stylized(item['content'], item['style'], keep_colours=keep_colours,
                            **{name: value for name, value in item.items()
                               if name not in ('content', 'style')})
        np.testing.assert_array_equal(result['output_img'], expected)


@pytest.mark.parametrize('batch_size', [None, 2])
def test_a_calls_word_is_for_every_item_that_has_none(bundled, stylized, photo, paintings,
                                                      right_half, batch_size):
    given = dict(style=paintings[:2], style_weights=[3, 1], attention=right_half)
    found = bundled([photo, {'content': photo, 'style_weights': [0, 1]},
                     {'content': photo, 'style': paintings[2], 'style_weights': None}],
                    batch_size=batch_size, **given)
    for result, changed in zip(found, [
            {}, {'style_weights': [0, 1]}, {'style': paintings[2], 'style_weights': None}]):
        np.testing.assert_array_equal(
            result['output_img'], stylized(photo, **{**given, **changed}))


def test_ms_dataset(bundled, stylized, files, photo, paintings, right_half):
    from datasets import Dataset
    rows = Dataset.from_dict({
        'content': [str(files['content'])] * 2,
        'style': [[str(files['style0']), str(files['style1'])], [str(files['style2'])]],
        'style_weights': [[0.75, 0.25], None], 'mask': [None, str(files['mask'])],
        'label': [0, 1]})
    first, second = bundled(MsDataset(rows), method='adain')
    np.testing.assert_array_equal(first['output_img'], stylized(
        photo, paintings[:2], style_weights=[3, 1], method='adain'))
    np.testing.assert_array_equal(second['output_img'], stylized(
        photo, paintings[2], mask=right_half, method='adain'))


def test_every_style_is_cached(bundled, photo, paintings, monkeypatch):
    built = pipeline(TASK, model=bundled.model.model_dir)
    done, prepare = [], built.model.transfer.prepare_style

    def watched(pixels, *options):
        done.append(options)
        return prepare(pixels, *options)

    monkeypatch.setattr(built.model.transfer, 'prepare_style', watched)
    for chosen in (paintings[:2], paintings[::-1], paintings[1]):
        built(photo, chosen, method='adain')
    assert done == [((), 5)] * 3
    # For these the same pixels are other patches.
    built(photo, paintings[:2], method='avatar-net', patch_size=3)
    built(photo, paintings[0], method='wct')
    assert done[3:] == [((1.0,), 3)] * 2


def test_inputs_stay_as_they_were(bundled, photo, paintings, right_half):
    given = {'content': photo.copy(), 'style': [style.copy() for style in paintings],
             'mask': right_half.copy(), 'attention': np.float32(right_half / 255)}
    bundled(given, keep_colours=True, max_length=64)
    np.testing.assert_array_equal(given['content'], photo)
    np.testing.assert_array_equal(given['style'], paintings)
    np.testing.assert_array_equal(given['mask'], right_half)
    np.testing.assert_array_equal(given['attention'], np.float32(right_half / 255))


# What is refused.

@pytest.mark.parametrize('options, match', [
    ({'method': 'gatys'}, "method is 'gatys'; expected 'aams', 'adain', 'wct', 'avatar-net'"),
    ({'method': None}, 'method is None; expected a name'),
    ({'method': ['aams']}, r"method is \['aams'\]; expected a name"),
    ({'style_weight': 1.1}, 'style_weight is 1.1; expected 0 to 1'),
    ({'style_weight': '1'}, "style_weight is '1'; expected a number"),
    ({'style_weight': True}, 'style_weight is True; expected a number'),
    ({'patch_size': 4}, 'patch_size is 4; expected one of 1, 3, 5'),
    ({'patch_size': 3.0}, 'patch_size is 3.0; expected a whole number'),
    ({'keep_colours': 'yes'}, "keep_colours is 'yes'; expected True or False"),
    *(({'method': 'adain', name: value}, f"{name} has no meaning for method 'adain'")
      for name, value in (('inter_weight', 0.5), ('patch_size', 3), ('scales', [0.5]),
                          ('theta', 3), ('attention_length', 90),
                          ('return_attention_map', True), ('return_stroke_weights', True))),
    *(({'method': 'avatar-net', name: value}, f"{name} has no meaning for method 'avatar-net'")
      for name, value in (('scales', [0.5]), ('theta', 3), ('return_stroke_weights', True)))])
def test_options_that_are_refused(bundled, model_directory, photo, paintings, options, match):
    section = {'type': 'AAMS-style-transfer', **options}
    for ask in (functools.partial(bundled, photo, paintings[0], **options),
                functools.partial(pipeline, TASK, model=bundled.model, **options),
                functools.partial(pipeline, TASK, model=str(model_directory(
                    {**CONFIGURATION, 'pipeline': section})))):
        with pytest.raises(ValueError, match=match) as caught:
            ask()
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('method', METHODS[1:])
@pytest.mark.parametrize('in_dict', [False, True])
def test_own_attention_for_a_method_without(bundled, photo, paintings, right_half, method,
                                            in_dict):
    given = {'attention': right_half}
    call = (functools.partial(bundled, {'content': photo, 'style': paintings[0], **given})
            if in_dict else functools.partial(bundled, photo, paintings[0], **given))
    with pytest.raises(ValueError, match=f"attention has no meaning for method '{method}'; "
                                         "expected only with 'aams'"):
        call(method=method)


@pytest.mark.parametrize('inputs, kind, match', [
    ({'style': []}, ValueError, 'style is an empty list'),
    ({'style': ['none.png', 5]}, FileNotFoundError, 'style 1 of 2: none.png: no such file'),
    ({'style': [np.zeros((4, 4), np.uint8), 5]}, ValueError, 'style 2 of 2: int is no picture'),
    ({'style': [np.zeros((4, 4), np.uint8), None]}, ValueError, 'style 2 of 2: NoneType is no'),
    ({'style_weights': [1, 2]}, ValueError, r'style_weights is \[1, 2\]; expected 1 number of'),
    ({'style_weights': [1], 'mask': np.zeros((ROWS, COLUMNS))}, ValueError,
     'style_weights and mask exclude each other'),
    ({'mask': 'none.png'}, FileNotFoundError, 'mask: none.png: no such file'),
    ({'mask': 3}, ValueError, 'mask: int is no picture'),
    ({'mask': np.full((ROWS, COLUMNS), 255.0)}, ValueError, 'mask: .* expected 0 to 1'),
    ({'mask': np.zeros((COLUMNS, ROWS), np.uint8)}, ValueError,
     f"mask: {ROWS}x{COLUMNS} pixels are of another aspect ratio than the content's "
     f'{COLUMNS}x{ROWS}; expected the same'),
    ({'attention': b'none'}, ValueError, 'attention: picture of 4 bytes is not a picture'),
    ({'attention': np.full((ROWS, COLUMNS), np.nan)}, ValueError, 'attention: .* holds NaN'),
    ({'attention': np.zeros((9, 90), bool)}, ValueError, 'attention: 90x9 pixels are of another'),
    ({'attention': 'http://127.0.0.1:9/a.png'}, ValueError,
     'attention: http://127.0.0.1:9/a.png cannot be fetched')])
def test_inputs_that_are_refused(bundled, photo, paintings, inputs, kind, match):
    given = {'style': paintings[0], **inputs}
    for call in (functools.partial(bundled, photo, **given),
                 functools.partial(bundled, {'content': photo, **given}),
                 functools.partial(bundled, [photo], batch_size=1, **given)):
        with pytest.raises(kind, match=match) as caught:
            call()
        assert '\n' not in str(caught.value)


# Many at once.

@pytest.fixture
def complaints():
    """What TensorFlow says from WARNING up in this test."""
    import tensorflow as tf
    messages, handler = [], logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    yield messages
    tf.get_logger().removeHandler(handler)


def test_threads_with_different_methods_and_controls(bundled, stylized, photo, paintings,
                                                     right_half, complaints):
    kinds = [dict(method=method, style=style, **more) for method in METHODS
             for style, more in ((paintings[:1], {'style_weight': 0.5}),
                                 (paintings[:2], {'style_weights': [1, 3]}),
                                 (paintings, {'mask': right_half}),
                                 (paintings[2], {'keep_colours': True}))]
    assert len(kinds) == THREADS
    alone = [stylized(photo, **kind) for kind in kinds]
    # Nothing is traced and no style known as all come at once.
    built, start = pipeline(TASK, model=bundled.model.model_dir), threading.Barrier(THREADS)

    def work(number):
        start.wait()
        return [built(photo, **kinds[(number + turn) % THREADS])['output_img']
                for turn in (0, 5)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, range(THREADS)))
    for number, results in enumerate(found):
        for turn, result in zip((0, 5), results):
            np.testing.assert_array_equal(result, alone[(number + turn) % THREADS])
    # Such as of the many graphs that all these need.
    assert not complaints
