"""A pipeline's input to what the model takes."""
from typing import Any, Dict, Optional

import requests
from modelscope.preprocessors.base import Preprocessor
from modelscope.preprocessors.builder import PREPROCESSORS
from modelscope.utils.constant import Fields, ModeKeys

from modelscope_aams.pictures.reading import PictureError, read_rgb

PREPROCESSOR_TYPE = 'aams-style-transfer-preprocessor'

# Seconds to wait for a connection, and then for each piece of a picture.
_TIMEOUT = (10, 60)


@PREPROCESSORS.register_module(Fields.cv, module_name=PREPROCESSOR_TYPE)
class AAMSPreprocessor(Preprocessor):
    """Reads content and style and brings the content to the size it is stylized at.

    Args:
        mode: see Preprocessor.
        kwargs: what else ModelScope hands to every preprocessor; of no meaning here.
    """

    def __init__(self, mode=ModeKeys.INFERENCE, **kwargs):
        super().__init__(mode)

    def __call__(self, content, style=None, max_length: Optional[int] = 800) -> Dict[str, Any]:
        """Reads one pair.

        Args:
            content: a picture (what :func:`pictures.reading.read_rgb` takes, or an
                ``http(s)://`` URL), or a dict with ``content`` and, unless it is given
                here, ``style``. The dict may hold other entries.
            style: a picture.
            max_length: see options.CallOptions.

        Returns:
            ``content``, a PreparedContent, and ``style``, uint8 RGB.

        Raises:
            ValueError: if content or style is missing, or no usable picture.
            FileNotFoundError: if there is no such file.
        """
        from modelscope_aams.network.preprocess import prepare_content
        if isinstance(content, dict):
            style = content.get('style', style)
            content = content.get('content')
        pictures = {'content': content, 'style': style}
        missing = [name for name, picture in pictures.items() if picture is None]
        if missing:
            raise ValueError(f'{" and ".join(missing)} missing; expected a dict with content '
                             'and style, or a content and style=')
        content, style = (_read(name, picture) for name, picture in pictures.items())
        return {'content': prepare_content(content, max_length), 'style': style}


def _read(name, picture):
    """``read_rgb``, with ``name`` in its errors; a URL is fetched first."""
    try:
        if isinstance(picture, str) and '://' in picture:
            return _fetched(picture)
        return read_rgb(picture)
    except (PictureError, FileNotFoundError) as error:
        raise type(error)(f'{name}: {error}') from None


def _fetched(url):
    try:
        response = requests.get(url, timeout=_TIMEOUT)
        response.raise_for_status()
    except requests.RequestException as error:
        raise PictureError(f'{url} cannot be fetched ({" ".join(str(error).split())})') from None
    try:
        return read_rgb(response.content)
    except PictureError as error:
        raise PictureError(f'{url}: {error}') from None
