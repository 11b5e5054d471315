"""Landscapes from nothing but a mood and a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from .moods import Colour, Mood

Canvas = npt.NDArray[np.float32]
Line = npt.NDArray[np.float32]
LAYERS = 5


def scenery(mood: Mood, size: tuple[int, int], seed: int) -> Image.Image:
    rng = np.random.default_rng((mood.seed, seed))
    canvas = _sky(mood, size, rng)
    DRAWN[mood.scene](canvas, mood, rng)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def _sky(mood: Mood, size: tuple[int, int], rng: np.random.Generator) -> Canvas:
    width, height = size
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.8
    canvas = np.repeat(_rgb(mood.high) * (1 - down) + _rgb(mood.low) * down, width, axis=1)
    dark = sum(mood.high) < 200
    if dark:
        _stars(canvas, rng)
    clouds = np.clip(_noise(size, rng) - 0.55, 0, 1)[:, :, None] * (0.5 if dark else 1.3)
    canvas += (_rgb(mood.light) - canvas) * clouds * (1 - down * 0.5)
    _sun(canvas, mood, rng)
    return canvas


def _stars(canvas: Canvas, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    count = width * height // 2500
    ys, xs = rng.integers(0, height * 3 // 4, count), rng.integers(0, width - 2, count)
    glow = (rng.random(count, dtype=np.float32) ** 3 * 220)[:, None]
    big = max(1, width // 1024)
    for dx in range(big):
        canvas[ys, np.minimum(xs + dx, width - 1)] += glow


def _sun(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    x, y = width * rng.uniform(0.22, 0.72), height * rng.uniform(0.2, 0.42)
    radius = min(width, height) * rng.uniform(0.05, 0.09)
    ys = np.arange(height, dtype=np.float32)[:, None] - y
    xs = np.arange(width, dtype=np.float32)[None, :] - x
    away = np.sqrt(xs * xs + ys * ys)
    disc = np.clip(radius - away + 1, 0, 1)
    glow = 0.75 / (1 + (away / (radius * 1.6)) ** 2)
    canvas += (_rgb(mood.light) - canvas) * np.maximum(disc, glow)[:, :, None]


def _mountains(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    for depth in _depths():
        ridge = _ridge(canvas.shape[1], rng, rough=0.62, period=3 + 3 * depth)
        peak = np.abs(ridge) ** 0.85
        _fill(canvas, (0.86 - 0.42 * peak * (1.15 - depth) + 0.16 * (depth - 0.5)), _between(mood, depth))


def _hills(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    for depth in _depths():
        ridge = _ridge(canvas.shape[1], rng, rough=0.35, period=2 + 2 * depth)
        _fill(canvas, 0.62 + 0.3 * depth - 0.13 * ridge, _between(mood, depth))


def _forest(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    xs = np.arange(width, dtype=np.float32)
    for depth in _depths():
        ground = (0.66 + 0.26 * depth - 0.05 * _ridge(width, rng, rough=0.4, period=3)) * height
        line = ground.copy()
        tall = height * (0.1 + 0.24 * depth)
        for centre in rng.uniform(0, width, int(26 - 15 * depth)):
            top = tall * rng.uniform(0.6, 1.15)
            away = np.abs(xs - centre)
            tiers = top - away * 3.4 - (away * 0.9 % max(6.0, top / 9)) * 0.8
            base = ground[int(min(centre, width - 1))]
            line = np.where(tiers > 0, np.minimum(line, base - tiers), line)
        _fill(canvas, line / height, _between(mood, depth))


def _sea(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    horizon = int(height * 0.56)
    hills = np.clip(_ridge(width, rng, rough=0.55, period=2.5) - 0.35, 0, 1)
    island = (0.57 - 0.13 * hills).astype(np.float32)
    _fill(canvas, island, _between(mood, 0.25))
    mirrored = canvas[horizon - 1 :: -1][: height - horizon]
    rows = np.linspace(0, 1, len(mirrored), dtype=np.float32)[:, None, None]
    water = canvas[horizon : horizon + len(mirrored)]
    water[:] = mirrored * (0.62 - 0.3 * rows) + _rgb(mood.near) * (0.38 + 0.3 * rows)
    canvas[horizon + len(mirrored) :] = _rgb(mood.near)
    ripples = _noise((width // 14 + 2, height), rng, octaves=2)
    ripples = np.repeat(ripples, 14, axis=1)[:, :width]
    below = height - horizon
    wave = np.sin(np.linspace(0, 1, below, dtype=np.float32)[:, None] ** 0.55 * 150 + 9 * ripples[horizon:])
    sun_column = canvas[horizon:].mean(axis=2, keepdims=True) / 255
    canvas[horizon:] += (np.clip(wave, 0, 1) ** 3)[:, :, None] * _rgb(mood.light) * (0.1 + 0.35 * sun_column)


def _city(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    for depth in _depths():
        colour, x = _between(mood, depth), 0
        unit = max(6, int(width * (0.012 + 0.01 * depth)))
        while x < width:
            wide = unit * int(rng.integers(3, 7))
            top = int(height * (0.78 - rng.uniform(0.08, 0.4) * (1.1 - 0.45 * depth) + 0.1 * depth))
            canvas[top:, x : x + wide] = colour
            if rng.random() < 0.25:
                canvas[top - unit * 2 : top, x + wide // 2 : x + wide // 2 + max(2, unit // 6)] = colour
            _windows(canvas[top + unit // 2 :, x : x + wide], unit, mood, depth, rng)
            x += wide + int(rng.integers(0, max(2, unit // 2)))


def _windows(wall: Canvas, unit: int, mood: Mood, depth: float, rng: np.random.Generator) -> None:
    lit = rng.random((wall.shape[0] // unit + 1, wall.shape[1] // unit + 1)) < 0.34
    grid = np.kron(lit, np.ones((unit, unit), dtype=bool))[: wall.shape[0], : wall.shape[1]]
    rows, columns = np.arange(grid.shape[0])[:, None], np.arange(grid.shape[1])[None, :]
    pane = (rows % unit < unit * 0.55) & (columns % unit > unit * 0.35) & grid
    warm = _rgb(mood.light) * 0.6 + _rgb((255, 196, 94)) * 0.4
    wall[pane] = wall[pane] * (0.75 - 0.5 * depth) + warm * (0.25 + 0.5 * depth)


def _space(canvas: Canvas, mood: Mood, rng: np.random.Generator) -> None:
    height, width, _ = canvas.shape
    canvas *= 0.28
    nebula = _noise((width, height), rng)[:, :, None]
    canvas += np.clip(nebula - 0.45, 0, 1) * _rgb(mood.low) * 1.5
    _stars(canvas, rng)
    x, y, radius = width * rng.uniform(0.55, 0.72), height * rng.uniform(0.4, 0.52), min(width, height) * 0.27
    ys = (np.arange(height, dtype=np.float32)[:, None] - y) / radius
    xs = (np.arange(width, dtype=np.float32)[None, :] - x) / radius
    away = xs * xs + ys * ys
    shade = np.clip(0.65 - 0.7 * xs - 0.45 * ys, 0.04, 1.15)[:, :, None]
    bands = np.sin(ys * 11 + 4 * nebula[:, :, 0] + xs)[:, :, None] * 0.5 + 0.5
    body = (_rgb(mood.far) * bands + _rgb(mood.low) * (1 - bands)) * shade
    disc = np.clip((1 - away) * radius / 2, 0, 1)[:, :, None]
    ring = np.exp(-((np.sqrt((xs * 0.6) ** 2 + (ys + 0.25 * xs) ** 2 * 7) - 1) ** 2) * 90)[:, :, None]
    hidden = disc * (ys + 0.25 * xs < 0)[:, :, None]
    canvas += (body - canvas) * disc
    canvas += (_rgb(mood.light) - canvas) * ring * 0.7 * (1 - hidden)


DRAWN: dict[str, Callable[[Canvas, Mood, np.random.Generator], None]] = {
    "mountains": _mountains, "hills": _hills, "forest": _forest, "sea": _sea, "city": _city, "space": _space,
}  # fmt: skip


def _depths() -> Line:
    """0 is farthest, 1 nearest."""
    return np.linspace(0, 1, LAYERS, dtype=np.float32)


def _rgb(colour: Colour) -> Canvas:
    return np.array(colour, dtype=np.float32)


def _between(mood: Mood, depth: float) -> Canvas:
    haze = _rgb(mood.far) * 0.6 + _rgb(mood.low) * 0.4
    return haze * (1 - depth) + _rgb(mood.near) * depth


def _fill(canvas: Canvas, line: Line, colour: Canvas) -> None:
    """Everything below ``line`` (0-1 from the top, one value a column) in ``colour``, lighter towards the
    foot."""
    height = canvas.shape[0]
    edge = line * height
    top = max(0, int(edge.min()) - 1)
    rows = np.arange(top, height, dtype=np.float32)[:, None]
    inside = np.clip(rows - edge[None, :], 0, 1)[:, :, None]
    foot = np.clip((rows - edge[None, :]) / height, 0, 1)[:, :, None] * 38
    canvas[top:] += (colour + foot - canvas[top:]) * inside


def _ridge(width: int, rng: np.random.Generator, rough: float, period: float) -> Line:
    """A jagged line of about -1 … 1 with ``period`` waves over the width."""
    line, strength, total = np.zeros(width, np.float32), 1.0, 0.0
    for octave in range(6):
        knots = rng.uniform(-1, 1, int(period * 2**octave) + 3)
        line += strength * np.interp(np.linspace(0, len(knots) - 1.01, width), np.arange(len(knots)), knots)
        total += strength
        strength *= rough
    return (line / (total * 0.6)).astype(np.float32)


def _noise(size: tuple[int, int], rng: np.random.Generator, octaves: int = 5) -> Canvas:
    """Soft clouds of 0 … 1, wider than high."""
    width, height = size
    clouds, strength, total = np.zeros((height, width), np.float32), 1.0, 0.0
    for octave in range(octaves):
        knots = rng.random((2 * 2**octave + 2, 3 * 2**octave + 2), dtype=np.float32)
        soft = Image.fromarray(knots).resize((width, height), Image.Resampling.BICUBIC)
        clouds += strength * np.asarray(soft)
        total += strength
        strength *= 0.55
    return clouds / total
