"""A pipeline's input to what the model takes."""
from typing import Any, Callable, Dict, Optional

import numpy as np
import requests
from modelscope.preprocessors.base import Preprocessor
from modelscope.preprocessors.builder import PREPROCESSORS
from modelscope.utils.constant import Fields, ModeKeys

from modelscope_aams.pictures.reading import PictureError, read_grey, read_rgb
from modelscope_aams.pictures.regions import regions

from .controls import laid_over, style_shares

PREPROCESSOR_TYPE = 'aams-style-transfer-preprocessor'

# Seconds to wait for a connection, and then for each piece of a picture.
_TIMEOUT = (10, 60)


@PREPROCESSORS.register_module(Fields.cv, module_name=PREPROCESSOR_TYPE)
class AAMSPreprocessor(Preprocessor):
    """Reads pictures and brings the content to the size it is stylized at.

    Args:
        mode: see Preprocessor.
        kwargs: what else ModelScope hands to every preprocessor; of no meaning here.
    """

    def __init__(self, mode=ModeKeys.INFERENCE, **kwargs):
        super().__init__(mode)

    def __call__(self, content, style=None, style_weights=None, mask=None, attention=None,
                 max_length: Optional[int] = 800, keep_colours: bool = False) -> Dict[str, Any]:
        """Reads one content and what belongs to it.

        A picture is what :func:`pictures.reading.read_rgb` takes, or an ``http(s)://`` URL.

        Args:
            content: a picture, or a dict with ``content`` and any of the next four, which then
                go before those given here. The dict may hold other entries.
            style: a picture, or a list of them.
            style_weights: the share of each style, see controls.style_shares.
            mask: where which style goes, see pictures.regions; a picture, read as grey, or
                an array as :func:`pictures.reading.read_grey` takes it, of the content's
                aspect ratio.
            attention: an attention map in place of the computed one, as a mask is given.
            max_length, keep_colours: see options.CallOptions.

        Returns:
            What AAMSModel takes: ``content``, a PreparedContent; ``styles``, a tuple of uint8
            RGB; ``style_weights``, their shares, or None with a mask; ``regions``, float32
            [styles, rows, columns] at the prepared content's size, or None; ``attention``,
            float32 [rows, columns] of that size, or None. And ``colours``, uint8 RGB, the
            content as it was read, with ``keep_colours``, or None.

        Raises:
            ValueError: if content or style is missing, one is no usable picture, or they do
                not fit to each other.
            FileNotFoundError: if there is no such file.
        """
        from modelscope_aams.network.preprocess import prepare_content
        if isinstance(content, dict):
            style = content.get('style', style)
            style_weights = content.get('style_weights', style_weights)
            mask = content.get('mask', mask)
            attention = content.get('attention', attention)
            content = content.get('content')
        missing = [name for name, picture in (('content', content), ('style', style))
                   if picture is None]
        if missing:
            raise ValueError(f'{" and ".join(missing)} missing; expected a dict with content '
                             'and style, or a content and style=')
        if mask is not None and style_weights is not None:
            raise ValueError('style_weights and mask exclude each other; expected one of them')
        picture, styles = _read('content', content), _read_styles(style)
        prepared = prepare_content(picture, max_length)
        inputs = {'content': prepared, 'styles': styles, 'style_weights': None,
                  'regions': None, 'attention': None,
                  'colours': picture if keep_colours else None}
        if mask is None:
            inputs['style_weights'] = style_shares(style_weights, len(styles))
        else:
            shares = regions(_read('mask', mask, read_grey), len(styles))
            inputs['regions'] = _laid_over('mask', shares, prepared)
        if attention is not None:
            plane = _read('attention', attention, read_grey)
            inputs['attention'], = _laid_over('attention', plane[None], prepared)
        return inputs


def _read_styles(style):
    if not isinstance(style, (list, tuple)):
        return (_read('style', style),)
    if not style:
        raise ValueError('style is an empty list; expected one or more pictures')
    return tuple(_read(f'style {number} of {len(style)}', picture)
                 for number, picture in enumerate(style, start=1))


def _laid_over(name, planes, content):
    try:
        return np.stack([laid_over(plane, content) for plane in planes])
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from None


def _read(name, source, read: Callable[[Any], np.ndarray] = read_rgb):
    """What ``read`` gives, with ``name`` in its errors; a URL is fetched first."""
    try:
        if isinstance(source, str) and '://' in source:
            return _fetched(source, read)
        return read(source)
    except (PictureError, FileNotFoundError) as error:
        raise type(error)(f'{name}: {error}') from None


def _fetched(url, read):
    try:
        response = requests.get(url, timeout=_TIMEOUT)
        response.raise_for_status()
    except requests.RequestException as error:
        raise PictureError(f'{url} cannot be fetched ({" ".join(str(error).split())})') from None
    try:
        return read(response.content)
    except PictureError as error:
        raise PictureError(f'{url}: {error}') from None
