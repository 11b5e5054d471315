"""All pictures of a run on one sheet, and the thumbnails of the example workflows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

COLUMNS = 4
CELL = (420, 320)
GAP = 24
LABEL = 40
BACKGROUND = (24, 26, 30)
INK = (226, 228, 232)
THUMBNAIL = (512, 512)


def make(pictures: Sequence[Path], target: Path) -> None:
    """Writes the sheet: each picture whole in a cell, its file's name below."""
    rows = -(-len(pictures) // COLUMNS)
    width = COLUMNS * CELL[0] + (COLUMNS + 1) * GAP
    sheet = Image.new("RGB", (width, rows * (CELL[1] + LABEL + GAP) + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    for place, file in enumerate(pictures):
        left = GAP + place % COLUMNS * (CELL[0] + GAP)
        top = GAP + place // COLUMNS * (CELL[1] + LABEL + GAP)
        with Image.open(file) as picture:
            fitted = ImageOps.contain(picture.convert("RGB"), CELL, Image.Resampling.LANCZOS)
        sheet.paste(fitted, (left + (CELL[0] - fitted.width) // 2, top + (CELL[1] - fitted.height) // 2))
        draw.text((left + CELL[0] / 2, top + CELL[1] + 8), file.stem.replace("_", " "), INK, font, anchor="ma")
    sheet.save(target, quality=90)


def thumbnail(picture: Path, target: Path) -> None:
    """A square JPEG for the editor's template browser."""
    with Image.open(picture) as whole:
        ImageOps.fit(whole.convert("RGB"), THUMBNAIL, Image.Resampling.LANCZOS).save(target, quality=86)
