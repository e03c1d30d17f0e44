"""Any picture that a user may hand over, to one form: uint8 RGB."""
import io
import os
import pathlib
import threading
from typing import Optional, Sequence

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps

#: Kinds of files that are read of strangers; Pillow reads many more, some by other programs.
COMMON_KINDS = ('JPEG', 'PNG', 'WEBP', 'GIF', 'BMP')
#: Scans of a JPEG file: each may be nearly nothing, but takes a pass over the whole picture.
#: So many that what phones append to theirs, such as a film, may look like some more.
MAX_SCANS = 1000
#: Pixels along a side, where the number of pixels has a limit: scaling the short side of a
#: longer strip up, or writing it, takes what no number of pixels tells.
MAX_SIDE = 30_000

EXPECTED = 'a picture: a path, the bytes of a file, a PIL image or a NumPy array (BGR or grey)'

_ALPHA_MODES = ('RGBA', 'RGBa', 'LA', 'La', 'PA')
_WHITE = 255

# Pillow decodes an image as it is first used, from a file that it keeps open: of threads that
# share the image, each would move on the place in the file for the others.
_shared_images = threading.Lock()


class PictureError(ValueError):
    """What was given is no usable picture; the message is one line that names it."""


def read_rgb(source, max_pixels: Optional[int] = None,
             kinds: Optional[Sequence[str]] = None) -> np.ndarray:
    """Reads a picture as uint8 RGB, [rows, columns, 3].

    Args:
        source: one of

            - a path (``str`` or ``os.PathLike``) or the bytes of a file, of any kind that
              Pillow reads. Of an animation the first frame is taken;
            - a PIL image of any mode;
            - a NumPy array [rows, columns], or [rows, columns, channels] with 1 channel
              (grey), 3 (BGR, as OpenCV has it) or 4 (BGRA). 8-bit integers and floats are
              in 0..255, uint16 in 0..65535.

            A file's or image's EXIF orientation is applied, transparency is laid on white,
            and 16 bits are cut to their upper 8.
        max_pixels: how many pixels a file or image may have, with MAX_SIDE at most along a
            side; what has more is not decoded.
        kinds: the kinds of files, by Pillow's names, that are read; all without it.

    Raises:
        FileNotFoundError: if there is no such file.
        PictureError: for all else that is no picture, a damaged one, one without pixels,
            one of more pixels than ``max_pixels`` or than Pillow takes for harmless, and a
            JPEG of more than MAX_SCANS.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, f'NumPy array of shape {source.shape} and type {source.dtype}')
    if isinstance(source, Image.Image):
        with _shared_images:
            return _decoded(source, f'PIL image of mode {source.mode}', max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), f'picture of {len(source)} bytes', max_pixels, kinds)
    if isinstance(source, (str, os.PathLike)):
        return _from_bytes(_file_content(source), str(source), max_pixels, kinds)
    raise PictureError(f'{type(source).__name__} is no picture; expected {EXPECTED}')


def read_grey(source, max_pixels: Optional[int] = None,
              kinds: Optional[Sequence[str]] = None) -> np.ndarray:
    """Reads a picture, such as a mask, as float32 [rows, columns], 0 (black) to 1 (white).

    Args:
        source: what read_rgb takes, whose luma is taken, or a NumPy array of booleans or of
            floats 0..1, [rows, columns] or [rows, columns, 1], which keeps its precision.
        max_pixels, kinds: as for read_rgb.

    Raises:
        FileNotFoundError, PictureError: as read_rgb does.
    """
    if isinstance(source, np.ndarray) and source.dtype.kind in 'bf':
        return _from_levels(source, f'NumPy array of shape {source.shape} and type {source.dtype}')
    return cv2.cvtColor(read_rgb(source, max_pixels, kinds),
                        cv2.COLOR_RGB2GRAY) / np.float32(255)


def _from_levels(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 2 and array.shape[2:] != (1,):
        raise PictureError(f'{name} is no grey picture; expected [rows, columns]')
    if array.size == 0:
        raise PictureError(f'{name} has no pixels; expected at least 1x1')
    if not np.isfinite(array).all():
        raise PictureError(f'{name} holds NaN or infinite values; expected 0 to 1')
    levels = array.reshape(array.shape[:2]).astype(np.float32)
    # Arithmetic in floats may end a little outside.
    return np.clip(_bounded(levels, 1, name, slack=1e-3), 0, 1)


def _file_content(path) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: no such file; expected {EXPECTED}') from None
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise PictureError(f'{path} cannot be read ({reason}); expected a picture file') from None


def _from_bytes(content: bytes, name: str, max_pixels, kinds) -> np.ndarray:
    if not content:
        raise PictureError(f'{name} is empty; expected a picture file')
    try:
        image = Image.open(io.BytesIO(content), formats=kinds)
    except Image.UnidentifiedImageError:
        known = 'JPEG, PNG, ...' if kinds is None else ', '.join(kinds)
        raise PictureError(f'{name} is not a picture of a known kind ({known})') from None
    except Exception as error:
        raise _unreadable(name, error) from None
    with image:
        # Each begins with this mark; elsewhere a zero follows the first of its bytes.
        scans = content.count(b'\xff\xda') if image.format in ('JPEG', 'MPO') else 0
        if scans > MAX_SCANS:
            raise PictureError(f'{name} has {scans} scans; expected at most {MAX_SCANS}')
        return _decoded(image, name, max_pixels)


def _unreadable(name, error) -> PictureError:
    if isinstance(error, Image.DecompressionBombError):
        return PictureError(f'{name} has too many pixels to be harmless; expected at most '
                            f'{2 * Image.MAX_IMAGE_PIXELS}')
    reason = ' '.join(str(error).split()) or type(error).__name__
    return PictureError(f'{name} cannot be decoded ({reason}); expected a whole picture file')


def _decoded(image: Image.Image, name: str, max_pixels) -> np.ndarray:
    if 0 in image.size:
        raise PictureError(f'{name} has no pixels ({image.width}x{image.height}); '
                           'expected at least 1x1')
    if max_pixels is not None and image.width * image.height > max_pixels:
        raise PictureError(f'{name} has {image.width}x{image.height} pixels; '
                           f'expected at most {max_pixels}')
    if max_pixels is not None and max(image.size) > MAX_SIDE:
        raise PictureError(f'{name} has {image.width}x{image.height} pixels; '
                           f'expected at most {MAX_SIDE} along a side')
    # Damaged files make Pillow's decoders raise nearly anything.
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
        deep = image.mode in ('I', 'F') or image.mode.startswith('I;')
        pixels = np.array(image) if deep else np.array(_to_rgb(image))
    except Exception as error:
        raise _unreadable(name, error) from None
    if not deep:
        return pixels
    # Pillow has 16-bit grey as I;16 or, widened, as I.
    grey = pixels if image.mode == 'F' else _bounded(pixels, 65535, name).astype(np.uint16)
    return _repeated(_to_uint8(grey, name))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _ALPHA_MODES or 'transparency' in image.info:
        # Pillow takes La, whose grey is multiplied by its alpha, to LA only.
        image = (image.convert('LA') if image.mode == 'La' else image).convert('RGBA')
        ground = Image.new('RGBA', image.size, (_WHITE,) * 4)
        return Image.alpha_composite(ground, image).convert('RGB')
    if image.mode == 'LAB':
        return ImageCms.profileToProfile(image, ImageCms.createProfile('LAB'),
                                         ImageCms.createProfile('sRGB'), outputMode='RGB')
    return image.convert('RGB')


def _from_array(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim not in (2, 3) or array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        raise PictureError(f'{name} is no picture; expected [rows, columns] or '
                           '[rows, columns, 1, 3 or 4]')
    if array.size == 0:
        raise PictureError(f'{name} has no pixels; expected at least 1x1')
    pixels = _to_uint8(array, name)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return _repeated(pixels.reshape(pixels.shape[:2]))
    bgr = pixels[..., :3]
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255
        bgr = np.rint(bgr * alpha + _WHITE * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])


def _to_uint8(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return (values >> 8).astype(np.uint8)
    if values.dtype.kind == 'f':
        if not np.isfinite(values).all():
            raise PictureError(f'{name} holds NaN or infinite values; expected 0 to 255')
        # Arithmetic in floats may end a little outside.
        return np.clip(np.rint(_bounded(values, 255, name, slack=1)), 0, 255).astype(np.uint8)
    if values.dtype.kind in 'iu':
        return _bounded(values, 255, name).astype(np.uint8)
    raise PictureError(f'{name} is no picture; expected numbers: uint8, uint16, or floats 0 to 255')


def _bounded(values, highest, name, slack=0):
    if values.min() < -slack or values.max() > highest + slack:
        raise PictureError(f'{name} holds values from {values.min()} to {values.max()}; '
                           f'expected 0 to {highest}')
    return values


def _repeated(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)
