"""Pictures that strangers sent, for the pipeline."""
from fastapi import HTTPException

from modelscope_aams.pictures.reading import COMMON_KINDS, PictureError, read_grey, read_rgb
from modelscope_aams.plugin.preprocessor import AAMSPreprocessor

from .calls import style_names


class BoundedPreprocessor(AAMSPreprocessor):
    """An AAMSPreprocessor of the bytes of files alone, of COMMON_KINDS and bounded in size.

    Args:
        max_pixels: how many pixels a picture may have; what has more is not decoded.
    """

    def __init__(self, max_pixels: int):
        super().__init__()
        self._max_pixels = max_pixels

    def __call__(self, content, **options):
        """See AAMSPreprocessor.

        Args:
            content: a dict of ``content``, ``style``, a list, and perhaps ``style_weights``,
                ``mask`` and ``attention``; pictures as bytes.

        Raises:
            HTTPException: 422 for whatever AAMSPreprocessor raises a ValueError for, and
                for a picture of another kind or of too many pixels.
        """
        try:
            return super().__call__(self._read(content), **options)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    def _read(self, given):
        styles = given['style']
        planes = {name: self._picture(name, given[name], read_grey)
                  for name in ('mask', 'attention') if name in given}
        return {**given, **planes,
                'content': _turned(self._picture('content', given['content'], read_rgb)),
                'style': [_turned(self._picture(name, style, read_rgb))
                          for name, style in zip(style_names(len(styles)), styles)]}

    def _picture(self, name, content: bytes, read):
        try:
            return read(content, self._max_pixels, COMMON_KINDS)
        except PictureError as error:
            raise PictureError(f'{name}: {error}') from None


def _turned(picture):
    """RGB to BGR, which a picture in an array is."""
    return picture[..., ::-1]
