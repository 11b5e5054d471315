"""Several pictures in one: cards with soft shadows on a ground."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .moods import Mood
from .sizes import cover


def cards_on(ground: Image.Image, pictures: Sequence[Image.Image], seed: int) -> Image.Image:
    """``pictures`` side by side across the middle, each a little turned, its own shape kept."""
    out, rng = ground.copy(), random.Random(seed)
    if not pictures:
        return out
    width, height = ground.size
    columns = len(pictures) if width >= height or len(pictures) < 3 else math.ceil(len(pictures) / 2)
    rows = math.ceil(len(pictures) / columns)
    cell = width * 0.94 / columns, height * (0.72 if rows == 1 else 0.8) / rows
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        in_row = min(columns, len(pictures) - row * columns)
        x = width / 2 + (column - (in_row - 1) / 2) * cell[0]
        y = height * 0.43 + (row - (rows - 1) / 2) * cell[1] + height * rng.uniform(-0.02, 0.02)
        card = _card(picture, (cell[0] * 0.84, cell[1] * 0.84), rng.uniform(-7, 7))
        _drop(out, card, (round(x), round(y)))
    return out


def badges_on(ground: Image.Image, pictures: Sequence[Image.Image]) -> Image.Image:
    """``pictures`` as round badges down the left side, in order."""
    out = ground.copy()
    width, height = ground.size
    across = round(min(min(width, height) * 0.24, height * 0.62 / max(1, len(pictures))))
    for index, picture in enumerate(pictures):
        badge = _badge(picture, across)
        _drop(out, badge, (round(across * 0.72), round(height * 0.04 + across * (0.58 + index * 1.06))))
    return out


def tinted(image: Image.Image, mood: Mood, strength: float) -> Image.Image:
    """A veil of the mood's colours, from its sky above to its land below."""
    column = Image.linear_gradient("L").resize(image.size)
    above, below = Image.new("RGB", image.size, mood.high), Image.new("RGB", image.size, mood.far)
    veil = Image.composite(below, above, column)
    lit = ImageChops.soft_light(image, Image.new("RGB", image.size, mood.light))
    return Image.blend(image, ImageChops.overlay(lit, veil), strength)


def _card(picture: Image.Image, box: tuple[float, float], turn: float) -> Image.Image:
    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    edge = max(3, round(min(size) * 0.025))
    card = Image.new("RGBA", (size[0] + 2 * edge, size[1] + 2 * edge), (0, 0, 0, 0))
    ImageDraw.Draw(card).rounded_rectangle((0, 0, card.width - 1, card.height - 1), edge * 2, fill="white")
    shape = Image.new("L", size, 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), edge * 1.5, fill=255)
    card.paste(picture.resize(size, Image.Resampling.LANCZOS), (edge, edge), shape)
    return card.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)


def _badge(picture: Image.Image, across: int) -> Image.Image:
    edge = max(3, across // 24)
    badge = Image.new("RGBA", (across, across), (0, 0, 0, 0))
    ImageDraw.Draw(badge).ellipse((0, 0, across - 1, across - 1), fill="white")
    inner = across - 2 * edge
    shape = Image.new("L", (inner * 2, inner * 2), 0)
    ImageDraw.Draw(shape).ellipse((0, 0, inner * 2 - 1, inner * 2 - 1), fill=255)
    badge.paste(cover(picture, (inner, inner)), (edge, edge), shape.resize((inner, inner)))
    return badge


def _drop(ground: Image.Image, piece: Image.Image, centre: tuple[int, int]) -> None:
    """Pastes ``piece`` round ``centre`` with a soft shadow."""
    soft = max(4, min(piece.size) // 30)
    left, top = centre[0] - piece.width // 2, centre[1] - piece.height // 2
    shade = Image.new("L", (piece.width + 4 * soft, piece.height + 4 * soft), 0)
    shade.paste(piece.getchannel("A").point(lambda alpha: alpha * 0.6), (2 * soft, 2 * soft))
    shade = shade.filter(ImageFilter.GaussianBlur(soft))
    ground.paste((0, 0, 0), (left - soft, top - soft), shade)
    ground.paste(piece.convert("RGB"), (left, top), piece.getchannel("A"))
