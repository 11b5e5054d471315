"""The mark: no picture leaves the sandbox without it."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, PngImagePlugin

from .lettering import font

WORD = "SANDBOX"
NOTE = "Made by the sandbox of the Kling pack. Not the work of a provider."
RIBBON = (255, 193, 7, 255)
INK = (20, 20, 24, 255)
QUALITY = 92


def mark_box(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the corner that the ribbon crosses; all other pixels are untouched."""
    side = max(96, round(min(size) * 0.3))
    return max(0, size[0] - side), 0, size[0], min(side, size[1])


def marked(image: Image.Image) -> Image.Image:
    """A copy with the ribbon over its upper right corner."""
    out = image.convert("RGB")
    left, top, right, bottom = mark_box(out.size)
    ribbon = _ribbon(right - left).crop((0, 0, right - left, bottom - top))
    out.paste(ribbon.convert("RGB"), (left, top), ribbon.getchannel("A"))
    return out


def encoded(image: Image.Image, form: str) -> bytes:
    """Marked and written as png, jpeg or webp, with the note among its metadata."""
    out, image = io.BytesIO(), marked(image)
    if form == "png":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Software", "Kling sandbox")
        notes.add_text("Comment", NOTE)
        image.save(out, "PNG", pnginfo=notes, compress_level=1)
    else:
        exif = Image.Exif()
        exif[0x010E] = NOTE
        exif[0x0131] = "Kling sandbox"
        image.save(out, form.upper(), quality=QUALITY, exif=exif)
    return out.getvalue()


@lru_cache(maxsize=16)
def _ribbon(side: int) -> Image.Image:
    """A square with a band from its upper left to its lower right."""
    wide, tall = round(side * 1.5), round(side * 0.2)
    band = Image.new("RGBA", (wide, tall), RIBBON)
    draw = ImageDraw.Draw(band)
    for y in (round(tall * 0.1), round(tall * 0.86)):
        draw.line((0, y, wide, y), fill=INK, width=max(1, tall // 26))
    draw.text((wide / 2, tall / 2), WORD, font=font(tall * 0.6), fill=INK, anchor="mm")
    turned = band.rotate(-45, expand=True, resample=Image.Resampling.BICUBIC)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    centre = (round(side * 0.58), round(side * 0.42))
    square.paste(turned, (centre[0] - turned.width // 2, centre[1] - turned.height // 2), turned)
    return square
