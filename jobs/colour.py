"""A decoded picture's colours: any mode and profile to sRGB over white."""

from __future__ import annotations

import itertools
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms


def to_rgb(image: Image.Image) -> Image.Image:
    """`image` in sRGB over white; grey of 16 bits without a profile keeps its precision in mode F."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        if not profile:
            return image.convert("F")
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    alpha = None
    if "A" in image.mode or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
    colours = _to_srgb(_opaque(image), profile)
    if alpha is None:
        return colours
    flat = Image.new("RGB", image.size, "white")
    flat.paste(colours, mask=alpha)
    return flat


def _opaque(image: Image.Image) -> Image.Image:
    """The colours alone, in a mode that profiles are made for: L, RGB or CMYK."""
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    # A palette goes by way of RGBA: Pillow warns when its transparency is dropped at once.
    return image.convert("RGBA").convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` in mode RGB, its colours moved from `profile` to sRGB; a broken profile changes nothing.

    So does one that is sRGB itself, by its effect on a few colours: most files name sRGB, and theirs should
    come through exact and without the work.
    """
    if profile:
        try:
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            transform = ImageCms.buildTransform(source, target, image.mode, "RGB")
            if not _changes_nothing(transform, image.mode):
                return ImageCms.applyTransform(image, transform) or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError):  # Pillow can be built without it
            pass
    return image if image.mode == "RGB" else image.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether `transform` moves colours that span the range by no more than a rounding."""
    bands = Image.getmodebands(mode)
    colours = bytes(itertools.chain.from_iterable(itertools.product(range(0, 256, 51), repeat=bands)))
    probe = Image.frombytes(mode, (len(colours) // bands, 1), colours)
    moved = ImageCms.applyTransform(probe, transform) or probe
    change = np.asarray(moved, np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return bool(np.abs(change).max() <= 1)
