"""Words on a picture, with the font that comes with Pillow."""

from __future__ import annotations

import re
import unicodedata

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
MARGIN = 0.045
#: A caption takes at most this part of the height; longer texts get smaller letters, then an ellipsis.
MOST_HEIGHT = 0.42
FEW_LINES = 4
PANEL = (10, 12, 20, 150)


def font(size: float) -> Font:
    return ImageFont.load_default(max(10, round(size)))


def caption(image: Image.Image, text: str) -> Image.Image:
    """``text`` wrapped in a panel along the foot of ``image``; nothing where there is no text."""
    text = " ".join(_printable(text).split())
    if not text:
        return image
    width, height = image.size
    pad = round(min(width, height) * MARGIN)
    letters, lines = _fitted(text, width - 4 * pad, height)
    line_height = round(letters.size * 1.3) if isinstance(letters, ImageFont.FreeTypeFont) else 14
    top = height - pad - len(lines) * line_height - pad
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    draw.rounded_rectangle((pad, top, width - pad, height - pad), radius=pad // 2, fill=PANEL)
    for index, line in enumerate(lines):
        place = (width / 2, top + pad / 2 + (index + 0.5) * line_height)
        draw.text(place, line, font=letters, fill=(255, 255, 255, 245), anchor="mm")
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def _fitted(text: str, width: float, height: int) -> tuple[Font, list[str]]:
    largest = min(width, height) / 17
    lines: list[str] = []
    letters = font(largest)
    for scale in (1.0, 0.8, 0.64, 0.5, 0.4, 0.32):
        letters = font(largest * scale)
        lines = _wrapped(text, letters, width)
        if len(lines) * largest * scale * 1.3 <= height * MOST_HEIGHT:
            return letters, _balanced(text, letters, width, lines)
    room = max(1, int(height * MOST_HEIGHT / (largest * 0.32 * 1.3)))
    return letters, [*lines[: room - 1], lines[room - 1][:-3] + "..."]


def _printable(text: str) -> str:
    """The font knows ASCII alone: accents go, and other scripts become an ellipsis."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("…", "..."))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^\x20-\x7e\s]+", "...", bare)


def _balanced(text: str, letters: Font, width: float, lines: list[str]) -> list[str]:
    """A few lines of about the same length, instead of one word alone on the last."""
    if not 1 < len(lines) <= FEW_LINES:
        return lines
    while len(narrower := _wrapped(text, letters, width := width * 0.95)) == len(lines):
        lines = narrower
    return lines


def _wrapped(text: str, letters: Font, width: float) -> list[str]:
    """Breaks at spaces, and inside words that are wider than a line."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if letters.getlength(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if letters.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines
