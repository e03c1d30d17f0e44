"""The pictures in a folder."""
import pathlib
from typing import List

from PIL import Image


def pictures_in(folder) -> List[pathlib.Path]:
    """Those of a folder's files that end as pictures do, hidden ones left out, by name.

    Raises:
        ValueError: if there are none.
        OSError: if the folder cannot be read.
    """
    folder = pathlib.Path(folder)
    # Pillow also knows endings of kinds that it only writes, such as .pdf.
    endings = {ending for ending, kind in Image.registered_extensions().items()
               if kind in Image.OPEN}
    found = sorted(path for path in folder.iterdir()
                   if path.suffix.lower() in endings and not path.name.startswith('.')
                   and path.is_file())
    if not found:
        raise ValueError(f'{folder} holds no pictures')
    return found
