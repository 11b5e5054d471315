"""Input pictures: really decoded and held against the rules that all providers' pages share."""

from __future__ import annotations

import base64
import binascii
import io
import warnings

from PIL import Image, ImageOps

from .refusal import Refused

#: "10MB" on every page; whether that means 10^6 or 2^20 is said nowhere, so the sandbox takes the smaller.
LARGEST_BYTES = 10_000_000
SMALLEST_SIDE = 300
NARROWEST, WIDEST = 0.4, 2.5


def check_picture(name: str, data: bytes) -> None:
    """Raises Refused (400) unless ``data`` is a whole jpg or png of at most 10 MB, sides >= 300, ratio
    0.4-2.5."""
    if len(data) > LARGEST_BYTES:
        raise Refused(400, f"{name}: the image has {len(data)} bytes, more than 10MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                image.load()
                width, height = image.size
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
    ) as error:
        raise Refused(400, f"{name}: not a readable .jpg, .jpeg or .png") from error
    if min(width, height) < SMALLEST_SIDE:
        raise Refused(400, f"{name}: {width}x{height} is too small, each side needs {SMALLEST_SIDE} pixels")
    if not NARROWEST <= width / height <= WIDEST:
        raise Refused(400, f"{name}: {width}x{height} is outside the ratios 1:2.5 to 2.5:1")


def from_base64(name: str, text: str) -> bytes:
    """Raw Base64 without prefix. Raises Refused (400) for anything else."""
    if text.startswith("data:"):
        raise Refused(400, f"{name}: send the Base64 without the 'data:' prefix")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, f"{name}: neither a URL nor Base64") from error


def opened(data: bytes) -> Image.Image:
    """The picture as 8-bit RGB, upright, transparency over white."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode in ("I;16", "I"):
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return image.convert("RGB")
