"""What a row says: values of several runs beside the goal, the bound and ComfyUI's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Goal:
    """The most (or, with `least`, the least) that the median and the worst of the runs may be; None asks nothing.

    A goal for the worst alone is also one for the median.
    """

    median: float | None = None
    worst: float | None = None
    least: bool = False

    def met(self, values: Sequence[float]) -> bool:
        sign = -1 if self.least else 1
        asked = ((self.median, median(values)), (self.worst, worst(values, self.least)))
        return all(limit is None or sign * value <= sign * limit for limit, value in asked)


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ours` holds a value a run, `own` those of ComfyUI's own node on the same tasks.

    `own_said` stands where it has no value. `bound` is what nobody can do better than, in the same unit; with
    `least`, larger is better. `digits` are shown behind the point. `points` are what a plot of it shows, as (x, y).
    """

    row: str
    what: str
    ours: tuple[float, ...]
    unit: str = ""
    goal: Goal | None = None
    own: tuple[float, ...] = ()
    own_said: str = "–"
    bound: float | None = None
    digits: int = 2
    least: bool = False
    points: tuple[tuple[float, float], ...] = ()

    @property
    def met(self) -> bool | None:
        """None where nothing is asked."""
        return self.goal.met(self.ours) if self.goal else None


def worst(values: Sequence[float], least: bool = False) -> float:
    """The largest, or the smallest where larger is better."""
    return min(values) if least else max(values)
