"""A picture in a larger frame: the original untouched at its place, its surroundings made from its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from .collage import tinted
from .moods import Mood
from .sizes import cover

Sides = tuple[int, int, int, int]
Pixels = npt.NDArray[np.uint8]


def margins(size: tuple[int, int], up: float, down: float, left: float, right: float) -> Sides:
    """New pixels above, below, left and right, for ratios of the original's height and width."""
    width, height = size
    return round(up * height), round(down * height), round(left * width), round(right * width)


def expanded(image: Image.Image, sides: Sides, mood: Mood, variant: int) -> Image.Image:
    """The original's pixels stay exactly as they are; each ``variant`` continues them in another way."""
    up, down, left, right = sides
    size = image.width + left + right, image.height + up + down
    around = tinted(WAYS[variant % len(WAYS)](image, sides, size), mood, 0.35)
    faded = Image.composite(around, _mirrored(image, sides, size), _distance(image.size, sides))
    faded.paste(image, (left, up))
    return faded


def _mirrored(image: Image.Image, sides: Sides, size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(_padded(image, sides, "symmetric"))


def _dreamt(image: Image.Image, sides: Sides, size: tuple[int, int]) -> Image.Image:
    """The mirror image, more and more out of focus."""
    return _softened(_mirrored(image, sides, size), min(image.size) / 28)


def _stretched(image: Image.Image, sides: Sides, size: tuple[int, int]) -> Image.Image:
    """The outermost pixels drawn out, as by a wide brush."""
    return _softened(Image.fromarray(_padded(image, sides, "edge")), min(image.size) / 90)


def _enlarged(image: Image.Image, sides: Sides, size: tuple[int, int]) -> Image.Image:
    """The whole picture again, large and blurred."""
    return _softened(cover(image, size), min(image.size) / 22)


Way = Callable[[Image.Image, Sides, tuple[int, int]], Image.Image]
WAYS: tuple[Way, ...] = (_dreamt, _stretched, _enlarged)


def _padded(image: Image.Image, sides: Sides, mode: Literal["symmetric", "edge"]) -> Pixels:
    up, down, left, right = sides
    return np.pad(np.asarray(image, np.uint8), ((up, down), (left, right), (0, 0)), mode=mode)


def _softened(image: Image.Image, radius: float) -> Image.Image:
    """Blurred at a quarter of the size, which looks the same and costs little."""
    small = image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BILINEAR)
    return small.filter(ImageFilter.GaussianBlur(max(1.0, radius / 4))).resize(image.size, Image.Resampling.BICUBIC)


def _distance(original: tuple[int, int], sides: Sides) -> Image.Image:
    """Black at the original's edge, white from an fifth of its shorter side on."""
    up, down, left, right = sides
    reach = min(original) / 5
    ys = np.concatenate([np.arange(up, 0, -1), np.zeros(original[1]), np.arange(1, down + 1)])
    xs = np.concatenate([np.arange(left, 0, -1), np.zeros(original[0]), np.arange(1, right + 1)])
    away = np.maximum(ys[:, None], xs[None, :]).astype(np.float32)
    return Image.fromarray((np.clip(away / reach, 0, 1) * 255).astype(np.uint8))
