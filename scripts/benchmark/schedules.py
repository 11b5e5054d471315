"""How soon tasks can be done on a key that takes so many at a time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

ROUNDING = 1e-9


def best(durations: Sequence[float], places: int) -> float:
    """The shortest schedule that was found by someone who knows all durations: longest first, then tasks moved and
    exchanged until no move or exchange of two helps."""
    lanes: list[list[float]] = [[] for _ in range(places)]
    for seconds in sorted(durations, reverse=True):
        min(lanes, key=sum).append(seconds)
    while _improved(lanes):
        pass
    return max(map(sum, lanes))


def _improved(lanes: list[list[float]]) -> bool:
    """Relieves the fullest lane by a move or an exchange with another; says whether there was one."""
    fullest = max(lanes, key=sum)
    most = sum(fullest)
    for other in (lane for lane in lanes if lane is not fullest):
        for mine, theirs in itertools.product(fullest, [0.0, *other]):
            less = mine - theirs
            if max(most - less, sum(other) + less) < most - ROUNDING:
                fullest.remove(mine)
                other.append(mine)
                if theirs:
                    other.remove(theirs)
                    fullest.append(theirs)
                return True
    return False


def in_order(durations: Sequence[float], places: int) -> float:
    """First come, first served: the next task begins when a place is free."""
    free = [0.0] * places
    for seconds in durations:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)
