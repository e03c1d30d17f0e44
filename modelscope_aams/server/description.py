"""What the server says of itself: the schema of a call, and a call to try."""
import base64
import dataclasses
import io
from typing import Any, Dict, Union

from modelscope.utils.constant import Tasks
from modelscope.utils.input_output import get_task_schemas
from PIL import Image

from modelscope_aams import checkpoints
from modelscope_aams.network.options import METHODS, PATCH_SIZES
from modelscope_aams.pictures.contact_sheet import thumbnail
from modelscope_aams.pictures.reading import COMMON_KINDS, MAX_SIDE, read_rgb
from modelscope_aams.plugin.options import CallOptions
from modelscope_aams.plugin.pipeline import ATTENTION_MAP, STROKE_WEIGHTS

from .settings import MAX_SCALES, MAX_STYLES, Settings

TASK = Tasks.image_style_transfer

_EXAMPLES = {'content': 'content_chelsea.jpg', 'style': 'style_watercolour.jpg'}
_EXAMPLE_SIDE = 128

# What can go wrong with a call, by the status of its answer.
_REFUSALS = {
    400: 'The body is no JSON, or holds too many values.',
    408: 'The body did not arrive in time.',
    413: 'The body is too long.',
    415: 'The body is not sent as plain application/json.',
    422: 'Something in the body is not what is expected, or a URL cannot be fetched.',
    500: 'The server failed.',
    503: 'Too many requests wait already, and Retry-After says for how many seconds about; or '
         'the server is ending.',
}
_REFUSAL = {'type': 'object', 'required': ['detail'], 'properties': {'detail': {
    'type': 'string', 'description': 'One line: what is wrong, and what is expected.'}}}

_SHARE = {'type': 'number', 'minimum': 0, 'maximum': 1}
_SWITCH = {'type': 'boolean'}

# In the order of CallOptions's fields; JSON Schema but for the defaults.
_OPTIONS = {
    'inter_weight': {**_SHARE, 'description': "0 keeps the content's structure in the style's "
                                              'colours, 1 gives strokes (aams, avatar-net).'},
    'scales': {'type': 'array', 'minItems': 1, 'maxItems': MAX_SCALES,
               'items': {'type': 'number', 'exclusiveMinimum': 0, 'maximum': 1},
               'description': 'Sizes of the style for the strokes, coarse matching first (aams).'},
    'theta': {'type': 'number', 'minimum': 0,
              'description': 'Sharpness of the choice between strokes (aams).'},
    'attention_length': {'type': ['integer', 'null'], 'minimum': 1, 'description':
                         'Longest side, in pixels, up to which attention is exact; null: always '
                         '(aams).'},
    'method': {'type': 'string', 'enum': list(METHODS),
               'description': 'How the style is transferred.'},
    'style_weight': {**_SHARE, 'description': '0 is the content, 1 full style.'},
    'patch_size': {'type': 'integer', 'enum': list(PATCH_SIZES), 'description':
                   'Side of the swapped pieces of style (aams, avatar-net).'},
    'max_length': {'type': 'integer', 'minimum': 1, 'description':
                   'Longest side, in pixels, to work at; larger contents are scaled down and '
                   'back.'},
    'keep_colours': {**_SWITCH, 'description': "Whether the content's colours are kept."},
    'return_attention_map': {**_SWITCH, 'description': f'Adds {ATTENTION_MAP} (aams).'},
    'return_stroke_weights': {**_SWITCH, 'description': f'Adds {STROKE_WEIGHTS} (aams).'},
}


def call_schema(defaults: CallOptions, settings: Settings) -> Dict[str, Any]:
    """ModelScope's schema of the task, with all that a call may hold and gives."""
    schema = get_task_schemas(TASK)
    picture = {'type': 'string', 'description':
               f'A {", ".join(COMMON_KINDS)} file of at most {settings.max_pixels} pixels, '
               f'{MAX_SIDE} along a side, in base64 (data:image/...;base64, may go before it), '
               'or its http(s) URL.'}
    styles = {'anyOf': [picture, {'type': 'array', 'items': picture, 'minItems': 1,
                                  'maxItems': MAX_STYLES}]}
    schema['input'] = {
        'type': 'object', 'required': ['content', 'style'], 'additionalProperties': False,
        'properties': {
            'content': picture,
            'style': {**styles, 'description': 'A picture, or a list of them to be mixed.'},
            'style_weights': {'type': 'array', 'items': {'type': 'number', 'minimum': 0},
                              'description': 'The share of each style; equal without it.'},
            'mask': {**picture, 'description':
                     "A grey picture of the content's aspect ratio: white is stylized, black "
                     'stays; of several styles, black gets the first and white the last.'},
            'attention': {**picture, 'description':
                          'A grey picture in place of the computed attention: fine strokes '
                          'where it is white (aams).'}}}
    options = dataclasses.asdict(defaults)
    schema['parameters'] = {
        'type': 'object', 'additionalProperties': False,
        'properties': {name: {**option, 'default': options[name]}
                       for name, option in _OPTIONS.items()}}
    schema['parameters']['properties']['max_length']['maximum'] = settings.max_length
    # Taken here as well, as ModelScope's own schema and the pipeline's call have it.
    schema['parameters']['properties']['style'] = schema['input']['properties']['style']
    grey = {'type': 'string', 'description': 'A grey PNG in base64, 0 black and 1 white.'}
    schema['output']['properties'].update({
        'output_img': {'type': 'string',
                       'description': "A PNG of the content's size in base64."},
        ATTENTION_MAP: grey,
        STROKE_WEIGHTS: {'type': 'array', 'items': grey,
                         'description': 'One for each stroke, from coarse to fine.'}})
    return schema


def body_schema(schema: Dict[str, Any]) -> Dict[str, Any]:
    """The part of :func:`call_schema` that is of the body."""
    return {'type': 'object', 'required': ['input'], 'additionalProperties': False,
            'properties': {name: schema[name] for name in ('input', 'parameters')}}


def responses(schema: Dict[str, Any]) -> Dict[Union[int, str], Dict[str, Any]]:
    """What a call is answered, by status, for the documentation of FastAPI.

    Args:
        schema: of :func:`call_schema`.
    """
    described = {200: ('The stylized picture.', {**schema['output'], 'required': ['output_img']}),
                 **{status: (text, _REFUSAL) for status, text in _REFUSALS.items()}}
    return {status: {'description': text, 'content': {'application/json': {'schema': part}}}
            for status, (text, part) in described.items()}


def call_sample() -> Dict[str, Any]:
    """A body that may be sent as it is, of two small pictures."""
    return {'input': {name: _small_jpeg(checkpoints.BUNDLED / 'examples' / file)
                      for name, file in _EXAMPLES.items()},
            'parameters': {'style_weight': 0.9}}


def _small_jpeg(path) -> str:
    file = io.BytesIO()
    Image.fromarray(thumbnail(read_rgb(path), _EXAMPLE_SIDE)).save(file, 'JPEG', quality=80)
    return base64.b64encode(file.getvalue()).decode()
