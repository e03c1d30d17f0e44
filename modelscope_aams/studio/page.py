"""The page: pictures and settings in, the result and how it came about out.

As the ``app.py`` of a ModelScope Studio::

    from modelscope_aams.studio.page import build_page

    build_page().launch()
"""
import html
import pathlib
import tempfile
import threading
from typing import Any, Mapping, Optional

import gradio as gr
from gradio.utils import get_upload_folder

from modelscope_aams.checkpoints import BUNDLED
from modelscope_aams.network.options import AAMS, PATCH_SIZES
from modelscope_aams.network.progress import TRANSFER
from modelscope_aams.pictures.reading import PictureError
from modelscope_aams.pictures.stroke_map import stroke_colours
from modelscope_aams.pictures.writing import write_rgb
from modelscope_aams.plugin.options import CallOptions
from modelscope_aams.plugin.pipeline import AAMSStyleTransferPipeline

from .controls import (
    CONTROLS, LARGEST_LENGTH, METHODS, SCALES_FOR, SMALLEST_LENGTH, STROKES, call_options,
    has_meaning)
from .labels import preferred, text, translations
from .look import CSS, SHOW_PICTURE, THEME
from .painting import MAX_PIXELS, READING, paint, read_upload, result_name, share_done

#: Bytes that an uploaded file may have: a PNG of so many random pixels has no more.
MAX_BYTES = 100_000_000
#: Transfers that wait at most, while one is at work.
WAITING = 16
#: Seconds between looks for old files, and after which an upload or a result is one.
CLEANING, KEPT = 300, 3600
#: Seconds for which an error is shown.
ERROR_SECONDS = 20

EXAMPLES = (('chelsea', 'oil'), ('coffee', 'watercolour'), ('rocket', 'woodcut'),
            ('coffee', 'dots'))


class Page(gr.Blocks):
    """Blocks that are launched with the page's look, its texts and its limits.

    Attributes:
        at_work: held by the transfer that is at work.
        closing: set once no transfer shall go on.
    """

    def __init__(self, *args, **options):
        self.at_work, self.closing = threading.Lock(), threading.Event()
        super().__init__(*args, **options)

    def launch(self, *args, **options):
        """gr.Blocks.launch, whose ``options`` go before the page's own."""
        return super().launch(*args, **{
            'theme': THEME, 'css': CSS, 'i18n': gr.I18n(**translations()), 'footer_links': [],
            'run_history': False, 'ssr_mode': False, 'max_file_size': MAX_BYTES,
            'enable_monitoring': False, **options})

    def validate_inputs(self, block_fn, inputs):
        """gr.Blocks.validate_inputs, which refuses files that nobody uploaded as well.

        Gradio would fetch a URL, and take whatever path does not say that it is a file's.
        """
        super().validate_inputs(block_fn, inputs)
        _expect_uploads(inputs)

    def close(self, *args, **options):
        """gr.Blocks.close, once the transfer that is at work has come to its next stage."""
        self.closing.set()
        with self.at_work:
            pass
        super().close(*args, **options)


def build_page(model: Optional[str] = None, device: str = 'gpu',
               max_pixels: Optional[int] = MAX_PIXELS) -> gr.Blocks:
    """The page for a model, ready to be launched.

    Args:
        model: a model directory or a hub's id; the bundled model without it.
        device: see AAMSModel.
        max_pixels: how many pixels an uploaded picture may have.

    Raises:
        ValueError, FileNotFoundError, CheckpointError: as the pipeline does.
    """
    from modelscope.pipelines import pipeline
    from modelscope.utils.constant import Tasks

    style_transfer = pipeline(Tasks.image_style_transfer, model_id=model, device=device)
    if not isinstance(style_transfer, AAMSStyleTransferPipeline):
        raise ValueError(f'{model} is a graph of another layout; expected a model that '
                         'modelscope-aams itself runs')
    label = gr.I18n(**translations())
    with Page(title=text('title'), analytics_enabled=False, delete_cache=(CLEANING, KEPT),
              fill_width=True) as page:
        gr.Markdown(label('heading'), elem_id='heading')
        with gr.Row(elem_id='page'):
            with gr.Column(elem_id='given'):
                content, style = _given(label)
                run = gr.Button(label('run'), variant='primary', size='lg', elem_id='run')
            with gr.Column(elem_id='result'):
                shown = _shown(label)
            with gr.Column(elem_id='settings'):
                controls = _controls(label)
        _connect(page, run, content, style, controls, shown, style_transfer, max_pixels)
        # One transfer at a time: each takes all processors, and memory.
        page.queue(max_size=WAITING, default_concurrency_limit=1)
    return page


def _given(label):
    """The components for content and style, and examples that fill them."""
    with gr.Row():
        content, style = (
            gr.Image(label=label(name), type='filepath', image_mode=None, height=230,
                     sources=['upload'], buttons=[], interactive=True,
                     placeholder=label('upload'), elem_id=name) for name in ('content', 'style'))
    folder = pathlib.Path(BUNDLED) / 'examples'
    examples = gr.Examples([[str(folder / f'content_{one}.jpg'), str(folder / f'style_{other}.jpg')]
                            for one, other in EXAMPLES], [content, style],
                           label=label('examples'), cache_examples=False, elem_id='examples',
                           api_visibility='private')
    # Pictures say what they are, and the labels would not be translated there.
    examples.dataset.headers = []
    return content, style


def _controls(label):
    """The controls by the name of their option, those that have no meaning hidden."""
    default = CallOptions()
    controls = {
        'method': gr.Dropdown([(label(name), name) for name in METHODS], value=default.method,
                              label=label('method'), filterable=False, elem_id='method'),
        'style_weight': gr.Slider(0, 1, default.style_weight, step=0.05,
                                  label=label('style_weight'), info=label('style_weight_info'),
                                  elem_id='style_weight'),
        'keep_colours': gr.Checkbox(default.keep_colours, label=label('keep_colours'),
                                    elem_id='keep_colours'),
        'scales': gr.Radio(list(SCALES_FOR), value=STROKES, label=label('scales'),
                           info=label('scales_info'), elem_id='scales'),
    }
    with gr.Accordion(label('more'), open=False):
        controls.update({
            'theta': gr.Slider(0, 100, default.theta, step=5, label=label('theta'),
                               info=label('theta_info'), elem_id='theta'),
            'patch_size': gr.Radio(list(PATCH_SIZES), value=default.patch_size,
                                   label=label('patch_size'), info=label('patch_size_info'),
                                   elem_id='patch_size'),
            'max_length': gr.Slider(SMALLEST_LENGTH, LARGEST_LENGTH, default.max_length, step=32,
                                    label=label('max_length'), info=label('max_length_info'),
                                    elem_id='max_length')})
    dependent = [name for name in CONTROLS if name != 'method'
                 and not all(has_meaning(name, method) for method in METHODS)]
    controls['method'].change(
        lambda method: [gr.update(visible=has_meaning(name, method)) for name in dependent],
        controls['method'], [controls[name] for name in dependent], queue=False,
        show_progress='hidden', api_visibility='private')
    return controls


def _shown(label):
    """The components for what comes out: picture, download, note, maps' row, maps and legend."""
    picture = gr.Image(label=label('result'), format='png', type='filepath', interactive=False,
                       buttons=['fullscreen'], elem_id='picture')
    download = gr.DownloadButton(visible=False, variant='secondary', elem_id='download')
    note = gr.HTML(visible=False, elem_id='note')
    with gr.Row(visible=False, elem_id='maps') as maps:
        attention, strokes = (
            gr.Image(label=label(name), format='png', interactive=False, elem_id=name,
                     buttons=['fullscreen']) for name in ('attention', 'strokes'))
    legend = gr.HTML(visible=False, elem_id='legend')
    return picture, download, note, maps, attention, strokes, legend


def _connect(page, run, content, style, controls, shown, style_transfer, max_pixels):
    picture = shown[0]

    def stylize(values: Mapping[Any, Any], request: gr.Request, progress=gr.Progress()):
        language = preferred(request.headers.get('accept-language'))

        def tell(stage, done):
            if page.closing.is_set():
                raise _shown_error(text('closing', language))
            named = 'strokes' if (stage, values[controls['method']]) == (TRANSFER, AAMS) else stage
            progress(share_done(stage, done), desc=text(f'stage_{named}', language))

        try:
            with page.at_work:
                tell(READING, 0)
                options = call_options(**{name: values[control]
                                          for name, control in controls.items()})
                names, pictures = zip(*(
                    _read(values[component], name, language, max_pixels)
                    for name, component in (('content', content), ('style', style))))
                painted = paint(style_transfer, *pictures, options, tell)
                path = pathlib.Path(tempfile.mkdtemp(dir=_cache(picture))) / result_name(*names)
                write_rgb(path, painted.picture)
        except (ValueError, OSError) as error:
            raise _shown_error(str(error)) from None
        except Exception as error:
            if not _is_lack_of_memory(error):
                raise
            raise _shown_error(text('no_memory', language)) from None
        return _updates(painted, str(path), language)

    # The pictures are read as everywhere in this package, not by Gradio: preprocess is off.
    run.click(fn=None, js=SHOW_PICTURE, api_visibility='private')
    done = run.click(stylize, {content, style, *controls.values()}, list(shown),
                     preprocess=False, show_progress_on=picture, api_visibility='private')
    done.success(fn=None, js=SHOW_PICTURE, api_visibility='private')


def _expect_uploads(value):
    """A gr.Error if JSON tells anywhere of a file that is not in Gradio's own folder."""
    if isinstance(value, dict):
        path, folder = value.get('path'), pathlib.Path(get_upload_folder()).resolve()
        if path is not None and not pathlib.Path(str(path)).resolve().is_relative_to(folder):
            raise _shown_error(f'{path} was not uploaded; expected an uploaded picture')
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _expect_uploads(part)


def _cache(component) -> str:
    """Gradio's own folder: what lies in it is served, and deleted in time."""
    pathlib.Path(component.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    return component.GRADIO_CACHE


def _read(upload, name, language, max_pixels):
    """(its owner's file name, uint8 RGB) of an upload as the browser tells of it."""
    if not upload or not upload.get('path'):
        raise PictureError(text(f'missing_{name}', language))
    owners = upload.get('orig_name') or pathlib.PurePath(upload['path']).name
    try:
        return owners, read_upload(upload['path'], owners, max_pixels)
    except PictureError as error:
        raise PictureError(text(f'unusable_{name}', language).format(reason=error)) from None


def _updates(painted, path, language):
    rows, columns = painted.picture.shape[:2]
    has_maps = painted.attention is not None
    return (
        gr.update(value=path, alt_text=text('result', language)),
        gr.update(value=path, visible=True, label=text('download', language).format(
            rows=rows, columns=columns)),
        gr.update(value=note(painted.painted_at, language), visible=bool(painted.painted_at)),
        gr.update(visible=has_maps),
        gr.update(value=painted.attention, alt_text=text('attention_alt', language)),
        gr.update(value=painted.strokes, alt_text=text('strokes_alt', language)),
        gr.update(value=legend(painted.shares, language), visible=has_maps))


def note(painted_at, language) -> str:
    """What is to be said of a result that was enlarged; nothing of others."""
    if painted_at is None:
        return ''
    rows, columns = painted_at
    return text('enlarged', language).format(rows=rows, columns=columns)


def legend(shares, language) -> str:
    """HTML that names the colours of a stroke map, coarse to fine, and their shares."""
    if not shares:
        return ''
    strokes = ''.join(f'<span><i style="background: rgb{colour}"></i>{share:.0%}</span>'
                      for colour, share in zip(stroke_colours(len(shares)), shares))
    return (f'<div class="legend">{text("coarsest", language)}{strokes}'
            f'{text("finest", language)}</div>')


def _shown_error(message) -> gr.Error:
    # Gradio takes messages for HTML, and a file's name may be anything.
    return gr.Error(html.escape(' '.join(message.split())), duration=ERROR_SECONDS,
                    print_exception=False)


def _is_lack_of_memory(error) -> bool:
    import tensorflow as tf
    return isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError))
