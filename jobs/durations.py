"""How long a task is likely to take, and when a look is worth its request. Functions of time and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log, sqrt

PRIOR_WEIGHT = 0.5
"""What is believed without history counts as much as half a finished task."""

FIRST_GAP, GAP_GROWTH = 0.4, 0.36
"""Without history the pause before a look is sqrt(FIRST_GAP² + GAP_GROWTH * seconds so far): 14 looks reach 22 s."""

BLUR, BLUR_SHARE = 0.06, 0.01
"""Seconds, and share of its length, by which a task may differ from one that was seen."""

OUTSIDE = 2.0
"""A task may also end before the first or after the last that was seen: by so many of the gaps between those."""

VAGUE = 0.6
"""An end that is known no better than to this share of the whole tells nothing."""

EAGER = 1 / 6
"""A look is worth it when the chance that it finds the task ended has grown to this."""

SHORTEST_PAUSE, SHORTEST_SHARE = 0.1, 0.02
"""Seconds between two looks at least, or this share of the time so far where that is longer."""

LONGEST_PAUSE = 60.0
STEPS = 24


@dataclass(frozen=True)
class Durations:
    """What is known of one kind of task. `seen` holds, for each finished one, between which seconds it ended."""

    seen: tuple[tuple[float, float], ...] = ()
    _reach: tuple[tuple[float, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        clear = sorted(((low, high) for low, high in self.seen if high - low <= 2.0 + VAGUE * high), key=sum)
        object.__setattr__(self, "seen", tuple(clear))
        object.__setattr__(self, "_reach", tuple(_spread(clear)) if clear else ())

    def usual(self, unlearned: float) -> float:
        """Seconds that such a task usually takes; `unlearned` without any history."""
        if not self.seen:
            return unlearned
        middles = [(low + high) / 2 for low, high in self.seen]
        return max(0.1, middles[len(middles) // 2])

    def ended_by(self, seconds: float) -> float:
        """The chance that a task has ended so many seconds after it was accepted."""
        known = sum(_share(low, high, seconds) for low, high in self._reach)
        return (known + PRIOR_WEIGHT * _prior(seconds)) / (len(self._reach) + PRIOR_WEIGHT)

    def chance(self, looked: float, now: float) -> float:
        """The chance that a task which still ran at `looked` seconds has ended by `now`."""
        left = 1.0 - self.ended_by(looked)
        return 1.0 if left <= 1e-12 else (self.ended_by(now) - 1.0 + left) / left

    def next_look(self, looked: float, wanted: float = EAGER) -> float:
        """Seconds from acceptance at which the chance that a look finds the end has grown to `wanted`.

        `looked` is when the task was last seen running, 0 at first.
        """
        low, high = looked + max(SHORTEST_PAUSE, SHORTEST_SHARE * looked), looked + LONGEST_PAUSE
        if self.chance(looked, low) >= wanted:
            return low
        if self.chance(looked, high) < wanted:
            return high
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.chance(looked, middle) >= wanted else (middle, high)
        return high


def _spread(seen: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Each one reaches to its neighbours: a few that ended here and there do not rule out what lies between."""
    middles = [(low + high) / 2 for low, high in seen]
    gaps = sorted(after - before for before, after in pairwise(middles))
    beyond = OUTSIDE * gaps[len(gaps) // 2] if gaps else 0.0
    before, after = [middles[0] - beyond, *middles], [*middles[1:], middles[-1] + beyond]
    for (low, high), start, end in zip(seen, before, after, strict=False):
        yield max(0.0, min(low - _blur(low), start)), max(high + _blur(high), end)


def _blur(seconds: float) -> float:
    return BLUR + BLUR_SHARE * seconds


def _share(low: float, high: float, seconds: float) -> float:
    return min(1.0, max(0.0, (seconds - low) / (high - low)))


def _prior(seconds: float) -> float:
    """The belief whose looks, one at each chance of EAGER, are FIRST_GAP and then growing pauses apart."""
    if seconds <= 0:
        return 0.0
    hazard = -log(1.0 - EAGER)
    return 1.0 - exp(-hazard * 2 / GAP_GROWTH * (sqrt(FIRST_GAP**2 + GAP_GROWTH * seconds) - FIRST_GAP))
