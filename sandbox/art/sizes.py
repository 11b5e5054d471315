"""Sizes as Kling gives them: about a megapixel at 1k (1360x768 for 16:9), twice the sides at 2k."""

from __future__ import annotations

import math

from PIL import Image, ImageOps

RATIOS = {
    "16:9": 16 / 9,
    "9:16": 9 / 16,
    "1:1": 1.0,
    "4:3": 4 / 3,
    "3:4": 3 / 4,
    "3:2": 1.5,
    "2:3": 2 / 3,
    "21:9": 21 / 9,
}
MEGAPIXEL = 1024 * 1024
STEP = 16


def nearest_ratio(size: tuple[int, int]) -> str:
    """The one of the eight that is nearest to ``size``, by factor."""
    own = math.log(size[0] / size[1])
    return min(RATIOS, key=lambda name: abs(math.log(RATIOS[name]) - own))


def frame(ratio: str, resolution: str, first: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height for a ratio name; ``auto`` is nearest to ``first``, empty is ``first`` itself."""
    if not ratio and first:
        return first
    if ratio == "auto":
        ratio = nearest_ratio(first) if first else "16:9"
    factor = RATIOS[ratio or "1:1"]
    scale = 2 if resolution == "2k" else 1
    width, height = math.sqrt(MEGAPIXEL * factor), math.sqrt(MEGAPIXEL / factor)
    return round(width / STEP) * STEP * scale, round(height / STEP) * STEP * scale


def cover(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """``image`` scaled and cropped round its centre to ``size``."""
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)
