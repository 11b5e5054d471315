"""The best schedule of known durations, and the one of a queue."""

from __future__ import annotations

import itertools
import random

import pytest
from benchmark.schedules import best, in_order

RNG = random.Random(0)
DRAWS = [[RNG.uniform(10, 30) for _ in range(30)] for _ in range(20)]


@pytest.mark.parametrize(
    ("durations", "places", "seconds"),
    [
        ([3.0], 10, 3.0),
        ([3.0, 2.0, 1.0], 1, 6.0),
        ([3.0, 3.0, 2.0, 2.0, 2.0], 2, 6.0),
        ([5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 3.0], 3, 9.0),
    ],
)
def test_the_best_schedule_is_found(durations: list[float], places: int, seconds: float) -> None:
    assert best(durations, places) == seconds


def test_first_come_first_served_depends_on_the_order() -> None:
    assert in_order([1.0, 1.0, 2.0], 2) == 3.0
    assert in_order([2.0, 1.0, 1.0], 2) == 2.0


@pytest.mark.parametrize("durations", DRAWS)
def test_the_best_lies_between_the_mean_load_and_the_order_as_it_came(durations: list[float]) -> None:
    assert sum(durations) / 10 <= best(durations, 10) <= in_order(durations, 10)


@pytest.mark.parametrize("seed", range(5))
def test_no_way_to_place_a_few_tasks_is_shorter(seed: int) -> None:
    rng = random.Random(seed)
    durations = [rng.uniform(1, 3) for _ in range(7)]
    firsts = [
        sum(seconds for seconds, first in zip(durations, way, strict=True) if first)
        for way in itertools.product((True, False), repeat=len(durations))
    ]
    assert best(durations, 2) <= 1.02 * min(max(first, sum(durations) - first) for first in firsts)
