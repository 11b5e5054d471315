"""Shapes of pictures: ratios, the nearest ratio, and how far a picture is expanded to reach one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError
from .operations import EXPANSION_RATIOS, LARGEST_EXPANSION, RATIOS

SHORTEST_SIDE = 300
LONGEST_RATIO = 2.5
LARGEST_FILE = 10_000_000
"""Bytes. The pages say 10MB; the smaller reading is safe under both."""

WIRE_DECIMALS = 4
"""Kling's own example of expansion ratios has four decimals."""


@dataclass(frozen=True)
class Picture:
    """A picture as a request knows it: size in pixels and a digest of size and 8-bit RGB pixels."""

    width: int
    height: int
    digest: str

    @property
    def ratio(self) -> float:
        return self.width / self.height

    def check(self, socket: str) -> None:
        """Raises InputError when no provider takes a picture of this size."""
        size = f"{socket} is {self.width}×{self.height} pixels; "
        nothing = " Nothing was sent and nothing was paid: "
        if min(self.width, self.height) < SHORTEST_SIDE:
            raise InputError(f"{size}each side must be at least {SHORTEST_SIDE}.{nothing}scale it up first.")
        if max(self.ratio, 1 / self.ratio) > LONGEST_RATIO:
            limit = f"{LONGEST_RATIO:g}"
            raise InputError(f"{size}its ratio must be from 1:{limit} to {limit}:1.{nothing}crop it first.")


@dataclass(frozen=True)
class Expansion:
    """How far a picture grows: `up` and `down` in heights, `left` and `right` in widths, each 0-2."""

    up: float
    down: float
    left: float
    right: float

    @property
    def area(self) -> float:
        return (1 + self.left + self.right) * (1 + self.up + self.down)

    def check(self) -> None:
        """Raises InputError when nothing is expanded, or too much."""
        if not any((self.up, self.down, self.left, self.right)):
            raise InputError(
                "All four expansion ratios are 0, so there is nothing to paint. Nothing was sent and nothing "
                f"was paid: set {', '.join(EXPANSION_RATIOS[:-1])} or {EXPANSION_RATIOS[-1]} above 0, "
                "at most 2, or choose a target_aspect."
            )
        if self.area > LARGEST_EXPANSION + 1e-9:
            raise InputError(
                f"The expansion ratios (up {self.up:g}, down {self.down:g}, left {self.left:g}, right "
                f"{self.right:g}) make the new area {self.area:.6g} times the original; at most "
                f"{LARGEST_EXPANSION:g} times is allowed. Nothing was sent and nothing was paid: "
                "lower a ratio."
            )

    def original_box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Where the original lies in a result of `width`×`height`: left, top, right, bottom in pixels."""
        across, down = 1 + self.left + self.right, 1 + self.up + self.down
        left, top = round(width * self.left / across), round(height * self.up / down)
        return left, top, round(width * (1 + self.left) / across), round(height * (1 + self.up) / down)


def value_of(ratio: str) -> float:
    """`16:9` as a number, width over height."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def nearest_ratio(picture: Picture, ratios: tuple[str, ...] = RATIOS) -> str:
    """The named ratio whose shape is closest to the picture's, by proportion."""
    return min(ratios, key=lambda ratio: abs(math.log(value_of(ratio) / picture.ratio)))


def expansion_to(target: str, anchor: str, picture: Picture) -> Expansion:
    """The expansion that gives `picture` the shape `target`, the original staying at `anchor`.

    Only one axis grows. An anchor along the other axis counts as center. Raises InputError when the
    picture has this shape already (within a pixel) or would have to grow past the limits.
    """
    growth = value_of(target) / picture.ratio
    if growth >= 1:
        before, after = _split(growth - 1, anchor, "left", "right")
        grown = Expansion(0.0, 0.0, before, after)
    else:
        before, after = _split(1 / growth - 1, anchor, "top", "bottom")
        grown = Expansion(before, after, 0.0, 0.0)
    if grown.area > LARGEST_EXPANSION:
        raise InputError(
            f"target_aspect {target} would make the new area {grown.area:.6g} times the picture of "
            f"{picture.width}×{picture.height}; at most {LARGEST_EXPANSION:g} times is allowed. "
            "Nothing was sent and nothing was paid: choose a shape nearer to the picture's."
        )
    if (grown.left + grown.right) * picture.width + (grown.up + grown.down) * picture.height < 1:
        raise InputError(
            f"target_aspect is {target}, which the picture of {picture.width}×{picture.height} has already, "
            "so there is nothing to paint. Nothing was sent and nothing was paid: choose another shape, or "
            "off and the four expansion ratios."
        )
    return grown


def expansion_of(fields: Mapping[str, object]) -> Expansion:
    """The expansion that a request's four ratio fields stand for."""
    up, down, left, right = (float(str(fields[name])) for name in EXPANSION_RATIOS)
    return Expansion(up, down, left, right)


def _split(extra: float, anchor: str, first: str, last: str) -> tuple[float, float]:
    """How `extra` is shared out before and after the original; rounded down: the area stays allowed."""
    step = 10**WIRE_DECIMALS
    if anchor == first:
        return 0.0, math.floor(extra * step) / step
    if anchor == last:
        return math.floor(extra * step) / step, 0.0
    half = math.floor(extra / 2 * step) / step
    return half, half
