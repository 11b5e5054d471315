"""What every reseller passes on of Kling's own rules."""

from __future__ import annotations

from ..fields import Asked, Number
from ..refusal import Refused

EIGHT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
SIDES = tuple(
    Number(name=f"{side}_expansion_ratio", means=side, high=2, required=True)
    for side in ("up", "down", "left", "right")
)
LARGEST_AREA = 3.0


def area_at_most_three(asked: Asked) -> None:
    """Width times height of the new frame, in areas of the original; ratios count heights and widths."""
    ratio = asked.values
    if (1 + ratio["left"] + ratio["right"]) * (1 + ratio["up"] + ratio["down"]) > LARGEST_AREA + 1e-9:
        raise Refused(400, "the expanded area must not exceed 3x the original")
