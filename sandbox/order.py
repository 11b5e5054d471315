"""What the painter is asked for, in words that no provider uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """``operation``: text, image, restyle, edit, multi or expand. ``ratio``: one of the eight, ``auto``, or
    empty for the size of the first picture. ``up`` … ``right``: new area in heights and widths of the
    original (0-2). ``roles``: the part each picture plays. ``salt`` makes two orders of the same words
    differ, as a model would."""

    operation: str
    salt: str
    prompt: str = ""
    negative: str = ""
    n: int = 1
    ratio: str = ""
    resolution: str = "1k"
    fidelity: float = 0.5
    human_fidelity: float = 0.45
    reference: str = ""
    up: float = 0.0
    down: float = 0.0
    left: float = 0.0
    right: float = 0.0
    format: str = "png"
    roles: tuple[str, ...] = ()
