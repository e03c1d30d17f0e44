"""Picture files, written whole or not at all."""
import os
import pathlib

import numpy as np
from PIL import Image

from modelscope_aams.checkpoints.atomic import write_atomically

from .reading import PictureError

#: File name endings that are written, with Pillow's name and options of the format.
FORMATS = {
    # A third of the default level's time, for files a tenth larger.
    '.png': ('PNG', {'compress_level': 3}),
    '.jpg': ('JPEG', {'quality': 95, 'subsampling': 0}),
    '.jpeg': ('JPEG', {'quality': 95, 'subsampling': 0}),
    '.webp': ('WEBP', {'quality': 95}),
    '.tif': ('TIFF', {'compression': 'tiff_deflate'}),
    '.tiff': ('TIFF', {'compression': 'tiff_deflate'}),
    '.bmp': ('BMP', {}),
}


def is_writable(path) -> bool:
    """Whether the ending of ``path`` names a format that is written."""
    return pathlib.Path(path).suffix.lower() in FORMATS


def require_writable(path):
    """Raises PictureError if the ending of ``path`` names no format that is written."""
    if not is_writable(path):
        ending = pathlib.Path(path).suffix
        found = f'the ending {ending}' if ending else 'no ending'
        raise PictureError(f'{os.fspath(path)} has {found}; expected one of {" ".join(FORMATS)}')


def write_rgb(path, picture: np.ndarray):
    """Writes uint8 RGB [rows, columns, 3] in the format that the ending of ``path`` names.

    Folders are created; a file of that name is replaced.

    Raises:
        PictureError: for an unknown ending, or a picture that the format cannot hold.
        OSError: if it cannot be written.
    """
    require_writable(path)
    kind, options = FORMATS[pathlib.Path(path).suffix.lower()]
    image = Image.fromarray(picture)
    try:
        write_atomically(path, lambda temporary: image.save(temporary, kind, **options))
    except (OSError, ValueError) as error:
        # Pillow's encoders give neither a number of an error nor the file's name.
        if getattr(error, 'errno', None) is not None:
            raise
        raise PictureError(f'{os.fspath(path)}: {image.width}x{image.height} pixels cannot be '
                           f'written as {kind} ({error})') from None
