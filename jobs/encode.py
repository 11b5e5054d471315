"""Pictures out: what a picture is known by, and the bytes that are sent for it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..catalog.frames import LARGEST_FILE, SHORTEST_SIDE, Picture
from ..errors import InputError
from .png import write_png

THOROUGH = 6
"""The level at which Pillow looks for repeats further back: slow, and smaller where there are patterns or text."""

JPEG_QUALITIES = (95, 90, 85)
SHRINK = 0.9
"""A picture that is still too large after scaling is scaled again, to this part of each side."""


@dataclass(frozen=True)
class Encoded:
    """The file to send. `note` says for a person what differs from the picture, None when nothing does."""

    data: bytes
    media_type: str
    width: int
    height: int
    note: str | None


def describe(pixels: NDArray[np.uint8]) -> Picture:
    """Size and identity of an H×W×3 uint8 picture: hex SHA-256 over `{W}x{H}x3:` and its bytes by rows."""
    height, width, _ = pixels.shape
    digest = hashlib.sha256(f"{width}x{height}x3:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return Picture(width, height, digest.hexdigest())


def encode(pixels: NDArray[np.uint8], limit: int = LARGEST_FILE) -> Encoded:
    """The best file of at most `limit` bytes for an H×W×3 uint8 picture, without any metadata.

    A PNG where one fits, else JPEG 95, 90 or 85 without colour subsampling, else a smaller JPEG whose
    sides keep SHORTEST_SIDE. Raises InputError when not even that fits.
    """
    image = Image.fromarray(pixels)
    png = write_png(pixels)
    if len(png) > limit and len(png) * _gain(pixels) <= limit:
        png = _thorough_png(image)
    if len(png) <= limit:
        return Encoded(png, "image/png", image.width, image.height, None)
    before = f"the PNG had {_megabytes(len(png))}"
    del png
    return _jpeg_at_full_size(image, limit, before) or _jpeg_scaled(image, limit, before)


def _jpeg_at_full_size(image: Image.Image, limit: int, before: str) -> Encoded | None:
    for quality in JPEG_QUALITIES:
        data = _jpeg(image, quality)
        if len(data) <= limit:
            note = f"sent as JPEG {quality} ({_megabytes(len(data))}), {before}"
            return Encoded(data, "image/jpeg", image.width, image.height, note)
    return None


def _jpeg_scaled(image: Image.Image, limit: int, before: str) -> Encoded:
    quality = JPEG_QUALITIES[-1]
    part = min(SHRINK, math.sqrt(limit / len(_jpeg(image, quality))))
    shortest = min(image.size)
    while shortest > SHORTEST_SIDE:
        shortest = max(SHORTEST_SIDE, int(min(image.size) * part))
        scaled = image.resize(_scaled(image.size, shortest), Image.Resampling.LANCZOS)
        data = _jpeg(scaled, quality)
        if len(data) <= limit:
            sizes = f"{image.width}×{image.height} to {scaled.width}×{scaled.height}"
            note = f"scaled from {sizes} and sent as JPEG {quality} ({_megabytes(len(data))}), {before}"
            return Encoded(data, "image/jpeg", scaled.width, scaled.height, note)
        part *= SHRINK
    raise InputError(
        f"The picture of {image.width}×{image.height} pixels does not fit into {_megabytes(limit)} with "
        f"sides of {SHORTEST_SIDE} pixels or more. Nothing was sent and nothing was paid: send a plainer one."
    )


def _scaled(size: tuple[int, int], shortest: int) -> tuple[int, int]:
    """`size` with its shorter side at `shortest`; the longer is rounded down, so no ratio gets too long."""
    width, height = size
    longest = max(size) * shortest // min(size)
    return (longest, shortest) if width > height else (shortest, longest)


def _gain(pixels: NDArray[np.uint8]) -> float:
    """About how large the thorough file is beside the quick one, from eight bands of the picture."""
    starts = np.linspace(0, max(0, len(pixels) - 32), 8, dtype=int)
    sample = np.concatenate([pixels[start : start + 32] for start in starts])
    return len(_thorough_png(Image.fromarray(sample))) / len(write_png(sample))


def _thorough_png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=THOROUGH)
    return file.getvalue()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
