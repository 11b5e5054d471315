"""Pictures in: result files of the providers, checked and decoded into float arrays.

Pillow is shared with every other pack in the process. Its globals are neither changed nor trusted:
`MAX_IMAGE_PIXELS` is passed by (the limits here hold instead), and `LOAD_TRUNCATED_IMAGES`, which turns
damage into black areas, does not reach the decoders as they are called here.
"""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, features
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import UnreadError
from .colour import to_rgb

LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 32_768

ORIENTATION = 0x0112
"""The EXIF tag (EXIF 2.32, 4.6.4 A)."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of each EXIF orientation upright; 1 is upright already."""

SIGNATURES = (
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"%PDF", "a PDF"),
)
_header_lock = threading.Lock()


@dataclass(frozen=True)
class PictureInfo:
    """What a result file holds. `format` is png, jpeg or webp; the size is that of the upright picture."""

    format: str
    width: int
    height: int


def inspect(path: Path) -> PictureInfo:
    """Reads the header alone. Raises UnreadError for a file that is no picture, or too large a one."""
    with _reading(path), path.open("rb") as file:
        kind, header = _open(file)
        width, height = header.size
        if _orientation(header) >= 5:
            width, height = height, width
        return PictureInfo(kind, width, height)


def decode_into(path: Path, out: NDArray[np.float32]) -> None:
    """Decodes into `out`, float32 H×W×3 of the picture's upright size, as sRGB from 0 to 1.

    Raises UnreadError when the file is cut off, damaged or no picture; ValueError when `out` does not fit.
    """
    with _reading(path):
        image = _load(path)
    if out.shape != (image.height, image.width, 3):
        raise ValueError(f"out is {out.shape}, the picture {image.width}×{image.height}")
    _fill(image, out)


def decode_fitted(path: Path, out: NDArray[np.float32]) -> None:
    """Like `decode_into`, but brings the picture to the size of `out` by centre crop and Lanczos."""
    height, width, _ = out.shape
    with _reading(path):
        image = ImageOps.fit(_load(path), (width, height), Image.Resampling.LANCZOS)
    _fill(image, out)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns whatever Pillow raises into UnreadError."""
    try:
        yield
    except Exception as error:
        # Pillow raises OSError, SyntaxError, ValueError, struct.error, EOFError, MemoryError and more.
        reason = str(error).rstrip(".") or type(error).__name__
        raise UnreadError(
            f"{path.name} cannot be read as a picture: {reason}. The task is "
            "done and paid, its bytes are kept as they came, and nothing has to be paid again: look at "
            "the file, or collect the task with KlingPoll once more after an update of the pack."
        ) from error


def _open(file: BinaryIO) -> tuple[str, ImageFile]:
    """The format and the header of `file`. Raises ValueError when it is no picture that may be decoded."""
    start = file.read(512)
    kind = _kind(start)
    if kind is None:
        raise ValueError(f"it is {_looks_like(start)}, not PNG, JPEG or WebP")
    if kind == "webp" and not features.check("webp"):
        raise ValueError("it is WebP, and the Pillow installed here was built without WebP")
    file.seek(0)
    reader = {"png": PngImageFile, "jpeg": JpegImageFile, "webp": WebPImageFile}[kind]
    # Image.open is passed by, since its limit on pixels may be any. On damaged EXIF Pillow warns, no more.
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = reader(file)
    width, height = header.size
    if width * height > LARGEST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ValueError(
            f"it claims {width}×{height} pixels, more than the {LARGEST_PIXELS // 1_000_000} megapixels "
            f"or {LONGEST_SIDE} pixels a side that are decoded"
        )
    return kind, header


def _kind(start: bytes) -> str | None:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "webp"
    return None


def _looks_like(start: bytes) -> str:
    """What a file that is no picture of ours seems to be, for a person."""
    known = next((name for signature, name in SIGNATURES if start.startswith(signature)), None)
    if known:
        return known
    if start[4:8] == b"ftyp":
        return "an AVIF or HEIC picture or a video"
    text = start.removeprefix(b"\xef\xbb\xbf").strip().lower()
    if not text:
        return "empty"
    if text.startswith((b"<!doctype html", b"<html")) or b"<html" in text:
        return "an HTML page"
    if text.startswith(b"<"):
        return "XML or SVG"
    if text.startswith((b"{", b"[")):
        return "JSON"
    return "data of an unknown kind" if b"\0" in text or max(text) > 0xF4 else "plain text"


def _orientation(header: ImageFile) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it makes no sense."""
    try:
        with _header_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Not PngImageFile's own getexif: it decodes the whole picture to look behind it.
            orientation = Image.Image.getexif(header).get(ORIENTATION)
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything, and costs no more than the orientation
        return 1
    return orientation if orientation in UPRIGHT else 1


def _load(path: Path) -> Image.Image:
    """The whole picture upright, in mode RGB, or in F from 0 to 65535 where it is grey of 16 bits."""
    with path.open("rb") as file:
        kind, header = _open(file)
        orientation = _orientation(header)
        if kind == "webp":
            # A copy, for the header keeps the decoder with its two canvases.
            image = header.copy()
            del header
        else:
            file.seek(0)
            image = _decode(header, file.read())
    image = to_rgb(image)
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _decode(header: ImageFile, data: bytes) -> Image.Image:
    """The pixels of a PNG or JPEG, decoded in one strict call. Raises ValueError when any are missing."""
    codec, _, _, settings = header.tile[0]
    if isinstance(header, PngImageFile):
        stream = _png_stream(data)
        interlaced = int(header.info.get("interlace", 0))
        image = Image.frombytes(header.mode, header.size, stream, codec, settings, interlaced)
        if _ends_early(image, stream, data[24], data[25]):
            raise ValueError("it holds fewer pixels than it claims")
    else:
        image = Image.frombytes(header.mode, header.size, data, codec, settings)
    image.info.update(header.info)
    if header.palette:
        image.putpalette(header.palette)
    return image


def _png_stream(data: bytes) -> bytes:
    """The compressed pixels of a PNG (its IDAT chunks), after their checksums held. Raises ValueError."""
    at, parts = 8, []
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body, end = at + 8, at + 12 + length
        if end > len(data):
            break
        if name == b"IDAT":
            if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
                raise ValueError("it is damaged: a checksum does not hold")
            parts.append(memoryview(data)[body : end - 4])
        if name == b"IEND":
            return b"".join(parts)
        at = end
    raise ValueError(f"it is cut off after {len(data)} bytes")


def _ends_early(image: Image.Image, stream: bytes, depth: int, colour: int) -> bool:
    """Whether a PNG's stream is well-formed, but short: Pillow leaves the missing rows black.

    `depth` and `colour` are the two bytes of the header (PNG, 11.2.1). Counting is as long as decoding, so
    only a picture whose last row is black is counted.
    """
    if np.asarray(image)[-1].any():
        return False
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    missing = image.width * image.height * channels * depth // 8 + image.height
    inflate = zlib.decompressobj()
    while piece := inflate.decompress(stream, 1 << 20):
        missing -= len(piece)
        stream = inflate.unconsumed_tail
    return missing > 0


def _fill(image: Image.Image, out: NDArray[np.float32]) -> None:
    """Writes a picture as `_load` makes it into `out`, from 0 to 1."""
    levels = np.asarray(image)
    if image.mode == "F":
        np.clip(levels[..., None] / np.float32(65535), 0, 1, out=out)
    else:
        np.divide(levels, 255, out=out, dtype=np.float32)
