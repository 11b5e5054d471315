"""How soon tasks can be done on a key that takes so many at a time."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def shortest(durations: Sequence[float], places: int) -> float:
    """What no schedule can go below, even one that knows all durations.

    Neither the mean load nor the longest task can be beaten, nor the `k + 1` shortest of the `k * places + 1` longest,
    of which two places or more hold at least that many together.
    """
    longest_first = sorted(durations, reverse=True)
    bounds = [sum(durations) / places, longest_first[0]]
    for k in range(1, (len(durations) - 1) // places + 1):
        bounds.append(sum(longest_first[k * places - k : k * places + 1]))
    return max(bounds)


def in_order(durations: Sequence[float], places: int) -> float:
    """First come, first served: the next task begins when a place is free."""
    free = [0.0] * places
    for seconds in durations:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)
