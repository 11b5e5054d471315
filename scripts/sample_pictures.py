"""Input pictures for the examples, painted with numpy and Pillow: always the same, nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
SMOOTH = 2
"""Shapes are drawn so many times larger and scaled down, for soft edges."""


def paint(folder: Path) -> None:
    """Writes every sample picture into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"mountain_lake": mountain_lake(), "portrait": portrait(), "teapot": teapot(), "style": style()}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png", compress_level=1)


def mountain_lake() -> Image.Image:
    """A lake at dawn between ranges of mountains, 1216×832."""
    width, height = 1216, 832
    shore = int(height * 0.62)
    picture = _gradient(width, shore, (46, 72, 122), (250, 196, 150))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((820, 300, 910, 390), fill=(255, 236, 200))
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    shades = ((158, 150, 176), (112, 116, 152), (70, 84, 120), (38, 56, 84))
    for layer, shade in enumerate(shades):
        _range(picture, shore * (0.62 + 0.1 * layer), 150 - 26 * layer, shade, seed=layer + 3)
    whole = Image.new("RGB", (width, height))
    whole.paste(picture, (0, 0))
    whole.paste(_water(picture, height - shore), (0, shore))
    return whole


def portrait() -> Image.Image:
    """A stylised figure in a red scarf before a sunlit wall, 832×1216."""
    width, height = 832 * SMOOTH, 1216 * SMOOTH
    picture = _gradient(width, height, (244, 206, 150), (196, 120, 96))
    draw = ImageDraw.Draw(picture)

    def at(*points: float) -> list[float]:
        return [point * SMOOTH for point in points]

    draw.ellipse(at(500, 80, 760, 340), fill=(255, 232, 186))
    draw.ellipse(at(210, 780, 640, 1500), fill=(40, 70, 96))
    draw.rectangle(at(375, 640, 465, 860), fill=(222, 170, 132))
    draw.ellipse(at(240, 250, 600, 640), fill=(36, 28, 40))
    draw.ellipse(at(280, 300, 560, 690), fill=(236, 190, 152))
    draw.pieslice(at(262, 250, 578, 590), 180, 360, fill=(36, 28, 40))
    for left in (345, 455):
        draw.ellipse(at(left, 470, left + 40, 492), fill=(250, 246, 240))
        draw.ellipse(at(left + 12, 470, left + 32, 492), fill=(40, 60, 70))
        draw.arc(at(left - 8, 440, left + 48, 480), 200, 340, fill=(46, 34, 40), width=6 * SMOOTH)
    draw.arc(at(400, 500, 445, 560), 20, 110, fill=(190, 132, 104), width=5 * SMOOTH)
    draw.chord(at(375, 575, 470, 625), 10, 170, fill=(178, 72, 78))
    draw.ellipse(at(255, 740, 590, 900), fill=(196, 52, 56))
    draw.polygon(at(500, 850, 600, 840, 640, 1120, 560, 1130), fill=(176, 40, 48))
    return picture.resize((832, 1216), Image.Resampling.LANCZOS)


def teapot() -> Image.Image:
    """A glazed teapot on a table, 1024×1024."""
    side = 1024 * SMOOTH
    picture = _gradient(side, side, (226, 230, 232), (190, 198, 204))
    draw = ImageDraw.Draw(picture)

    def at(*points: float) -> list[float]:
        return [point * SMOOTH for point in points]

    draw.rectangle(at(0, 740, 1024, 1024), fill=(150, 112, 84))
    shadow = Image.new("L", (side, side), 0)
    ImageDraw.Draw(shadow).ellipse(at(230, 745, 830, 835), fill=150)
    picture.paste((70, 48, 36), mask=shadow.filter(ImageFilter.GaussianBlur(18 * SMOOTH)))
    draw = ImageDraw.Draw(picture)
    draw.arc(at(150, 420, 430, 700), 70, 290, fill=(24, 108, 112), width=44 * SMOOTH)
    draw.polygon(at(690, 640, 905, 400, 945, 425, 780, 720), fill=(24, 108, 112))
    draw.ellipse(at(270, 380, 770, 800), fill=(32, 128, 130))
    draw.ellipse(at(400, 345, 640, 430), fill=(24, 104, 108))
    draw.ellipse(at(480, 290, 560, 365), fill=(206, 158, 70))
    picture.paste(_shading(side, (270, 380, 770, 800)), mask=_oval(side, (270, 380, 770, 800), 90))
    for place in range(9):
        middle = 330 + 47 * place
        ImageDraw.Draw(picture).ellipse(at(middle, 600, middle + 26, 626), fill=(236, 214, 160))
    return picture.resize((1024, 1024), Image.Resampling.LANCZOS)


def style() -> Image.Image:
    """Overlapping shapes in a few warm and cold colours, 1024×1024: a style to paint in."""
    side = 1024 * SMOOTH
    random = np.random.default_rng(11)
    palette: list[Colour] = [(238, 196, 96), (214, 92, 70), (34, 78, 104), (240, 232, 214), (92, 150, 140)]
    picture = Image.new("RGB", (side, side), palette[3])
    for number in range(70):
        draw = ImageDraw.Draw(picture, "RGBA")
        x, y = random.integers(-200, side, 2)
        reach = int(random.integers(120, 560))
        fill = (*palette[number % len(palette)], 190)
        box = (int(x), int(y), int(x) + reach, int(y) + reach)
        (draw.pieslice(box, int(random.integers(0, 360)), int(random.integers(360, 620)), fill=fill))
    return picture.resize((1024, 1024), Image.Resampling.LANCZOS)


def _gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    share = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))


def _range(picture: Image.Image, level: float, peaks: float, shade: Colour, seed: int) -> None:
    """One range of mountains: a ragged line with everything below it filled."""
    random = np.random.default_rng(seed)
    across = np.arange(picture.width)
    line = np.full(picture.width, level)
    for octave in range(1, 8):
        wave = 2 * np.pi * across / picture.width * octave * 1.7 + random.uniform(0, 7)
        line -= np.abs(np.sin(wave)) * peaks / octave**1.05 - peaks / (2.4 * octave)
    points = [(0, picture.height), *zip(across.tolist(), line.tolist(), strict=True), (picture.width, picture.height)]
    ImageDraw.Draw(picture).polygon(points, fill=shade)


def _water(above: Image.Image, height: int) -> Image.Image:
    """The mirrored view, darker and drawn out by ripples."""
    mirrored = np.asarray(above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((above.width, height)))
    rows = np.arange(height)
    moved = np.stack([np.roll(mirrored[row], round(6 * np.sin(row / 3) * row / height), axis=0) for row in rows])
    dimmed = moved * np.linspace(0.92, 0.6, height)[:, None, None]
    return Image.fromarray(dimmed.astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))


def _oval(side: int, box: tuple[int, int, int, int], strength: int) -> Image.Image:
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).ellipse([edge * SMOOTH for edge in box], fill=strength)
    return mask


def _shading(side: int, box: tuple[int, int, int, int]) -> Image.Image:
    """Light from the upper left over a round body."""
    left, top, right, bottom = (edge * SMOOTH for edge in box)
    down, across = np.mgrid[0:side, 0:side]
    away = np.hypot(
        (across - left - (right - left) * 0.32) / (right - left), (down - top - (bottom - top) * 0.25) / (bottom - top)
    )
    bright = np.clip(255 * (1.05 - 1.5 * away), 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([bright] * 3))
