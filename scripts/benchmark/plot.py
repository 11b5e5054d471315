"""A plot as SVG: measured points, and the straight line of what each would cost if it cost what the first one did."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 52
INK, FAINT, LINE, DOT = "#24292f", "#d0d7de", "#8c959f", "#0969da"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
STEPS = (1, 2, 2.5, 5, 10)


def draw(points: Sequence[Point], title: str, across: str, straight: str) -> str:
    """The SVG's text. Both axes begin at 0; `straight` names the line through 0 and the first point."""
    most_x, slope = max(x for x, _ in points), points[0][1] / points[0][0]
    ticks_x, ticks_y = _ticks(most_x), _ticks(max(slope * most_x, *(y for _, y in points)))

    def at(x: float, y: float) -> Point:
        wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + wide * x / ticks_x[-1], HEIGHT - BOTTOM - tall * y / ticks_y[-1]

    parts = [_text(LEFT, 24, title, weight=600)]
    for y in ticks_y:
        (x1, height), (x2, _) = at(0, y), at(ticks_x[-1], y)
        parts.append(f'<path d="M{x1:.1f} {height:.1f}H{x2:.1f}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 8, height + 4, f"{y:g}", anchor="end"))
    parts += [_text(at(x, 0)[0], HEIGHT - BOTTOM + 20, f"{x:g}", anchor="middle") for x in ticks_x]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, anchor="middle"))
    (x1, y1), (x2, y2) = at(0, 0), at(most_x, slope * most_x)
    parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{LINE}" stroke-dasharray="5 4"/>')
    parts.append(_text(x2 - 8, y2 - 8, straight, anchor="end", colour="#57606a"))
    places = [at(x, y) for x, y in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    parts.append(f'<path d="M{path}" fill="none" stroke="{DOT}" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{DOT}"/>' for x, y in places]
    return _page(parts, title)


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to the first that is not below `most`, six at the most."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in STEPS if step * power >= rough)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _text(x: float, y: float, said: str, anchor: str = "start", weight: int = 400, colour: str = INK) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{said}</text>'


def _page(parts: Sequence[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>'
    return "\n".join(
        [f'{head} font-family="{FONT}" font-size="13">', f"<title>{title}</title>", ground, *parts, "</svg>\n"]
    )
