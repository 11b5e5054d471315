"""Styles for a picture that is there already: each keeps its drawing and gives it other colours and
strokes."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter, ImageOps

from .moods import Colour, Mood

Plane = npt.NDArray[np.float32]
Style = Callable[[Image.Image, Mood], Image.Image]


def duotone(image: Image.Image, mood: Mood) -> Image.Image:
    """Greys become the mood's ramp, dark to light."""
    return _ramped(ImageOps.autocontrast(image.convert("L"), cutoff=1), mood.ramp)


def poster(image: Image.Image, mood: Mood) -> Image.Image:
    """Few flat colours, leaning to the mood, with dark outlines."""
    flat = image.filter(ImageFilter.MedianFilter(5)).quantize(9, Image.Quantize.MEDIANCUT).convert("RGB")
    flat = Image.blend(flat, duotone(flat, mood), 0.45)
    return ImageChops.multiply(flat, ImageOps.invert(_edges(image, 2.2)).convert("RGB"))


def ink(image: Image.Image, mood: Mood) -> Image.Image:
    """Pen lines and hatching in the mood's dark on its light."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    drawn = np.asarray(ImageOps.invert(_edges(image, 3.0)), np.float32)
    tone = np.asarray(grey, np.float32)
    ys, xs = _grid(image.size)
    step = max(4, min(image.size) // 150)
    hatch = np.where(((xs + ys) % step < step / 3) & (tone < 120), 90, 255)
    hatch = np.where(((xs - ys) % step < step / 3) & (tone < 60), 50, hatch)
    lines = Image.fromarray(np.minimum(drawn, hatch).astype(np.uint8))
    return _ramped(lines, (mood.near, mood.light))


def neon(image: Image.Image, mood: Mood) -> Image.Image:
    """Glowing outlines over the picture at night."""
    dark = Image.blend(duotone(image, mood), Image.new("RGB", image.size, mood.near), 0.45)
    lines = _edges(image, 3.2)
    glow = ImageChops.add(lines.filter(ImageFilter.GaussianBlur(min(image.size) / 120)), lines)
    return ImageChops.screen(dark, _ramped(glow, ((0, 0, 0), mood.far, mood.light)))


def halftone(image: Image.Image, mood: Mood) -> Image.Image:
    """Dots as in a printed comic, larger where it is darker."""
    grey = np.asarray(ImageOps.autocontrast(image.convert("L"), cutoff=1), np.float32) / 255
    step = max(5, min(image.size) // 110)
    ys, xs = _grid(image.size)
    u, v = (xs + ys) * np.pi / step, (xs - ys) * np.pi / step
    dots = (np.cos(u) * np.cos(v) + 1) / 2
    printed = np.clip((dots - (1 - grey) + 0.12) * 4, 0, 1)
    colours = poster(image, mood)
    return Image.composite(
        colours, Image.new("RGB", image.size, mood.near), Image.fromarray((printed * 255).astype(np.uint8))
    )


def watercolour(image: Image.Image, mood: Mood) -> Image.Image:
    """Soft washes on grained paper, edges a little darker."""
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)
    wash = small.filter(ImageFilter.ModeFilter(9)).filter(ImageFilter.GaussianBlur(1.5)).resize(image.size)
    wash = Image.blend(wash, duotone(image, mood), 0.3)
    rng = np.random.default_rng(mood.seed)
    grain = rng.normal(244, 9, (image.height // 2 + 1, image.width // 2 + 1)).clip(0, 255).astype(np.uint8)
    paper = Image.fromarray(grain).resize(image.size, Image.Resampling.BILINEAR).convert("RGB")
    edges = ImageOps.invert(_edges(image, 1.1)).convert("RGB")
    return ImageChops.multiply(ImageChops.multiply(Image.blend(wash, paper, 0.22), paper), edges)


STYLES: dict[str, tuple[Style, str]] = {
    "neon": (neon, "neon cyberpunk cyber futuristic synthwave glow electric night"),
    "ink": (ink, "ink sketch pencil drawing pen manga line engraving woodcut"),
    "watercolour": (
        watercolour,
        "watercolor watercolour painting painted aquarelle pastel oil impressionist",
    ),
    "halftone": (halftone, "comic pop print cartoon retro halftone"),
    "poster": (poster, "poster flat vector anime illustration stylized pixar"),
    "duotone": (duotone, "duotone monochrome cinematic photo portrait film vintage sepia"),
}


def style_of(prompt: str, seed: int) -> Style:
    """The style a prompt names, else one that its letters pick."""
    words = re.findall(r"\w+", prompt.lower())
    for style, known in STYLES.values():
        if any(word in known.split() for word in words):
            return style
    return list(STYLES.values())[seed % len(STYLES)][0]


def toned_like(image: Image.Image, model: Image.Image) -> Image.Image:
    """``image`` with the mean and spread of ``model``'s colours."""
    here = np.asarray(image, np.float32)
    there = np.asarray(model.resize((128, 128)), np.float32)
    moved = (here - here.mean((0, 1))) / (here.std((0, 1)) + 1) * there.std((0, 1)) + there.mean((0, 1))
    return Image.fromarray(np.clip(moved, 0, 255).astype(np.uint8))


def centre_mask(size: tuple[int, int], strength: float) -> Image.Image:
    """A soft ellipse in the middle, ``strength`` (0-1) at its brightest: where a face or subject is held."""
    ys = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None] * 1.5
    xs = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :] * 1.9
    soft = np.clip(1.4 - (xs * xs + ys * ys), 0, 1) * strength
    return Image.fromarray((soft * 255).astype(np.uint8))


def _grid(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Row and column numbers, to be broadcast against each other."""
    return np.arange(size[1], dtype=np.float32)[:, None], np.arange(size[0], dtype=np.float32)[None, :]


def _edges(image: Image.Image, strength: float) -> Image.Image:
    """Outlines, white on black."""
    grey = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(1)), np.float32)
    slope = np.zeros_like(grey)
    slope[:, 1:-1] += np.abs(grey[:, 2:] - grey[:, :-2])
    slope[1:-1] += np.abs(grey[2:] - grey[:-2])
    return Image.fromarray(np.clip(slope * strength, 0, 255).astype(np.uint8))


def _ramped(grey: Image.Image, colours: tuple[Colour, ...]) -> Image.Image:
    """Each grey as its place on the way through ``colours``."""
    stops = np.linspace(0, 255, len(colours))
    table = np.stack([np.interp(np.arange(256), stops, [c[i] for c in colours]) for i in range(3)], axis=1)
    return Image.fromarray(table.astype(np.uint8)[np.asarray(grey)])
