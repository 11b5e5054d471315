"""When a goal is met."""

from __future__ import annotations

import pytest
from benchmark.figures import Figure, Goal, worst


@pytest.mark.parametrize(
    ("goal", "values", "met"),
    [
        (Goal(1.0), [0.5, 1.0, 9.0], True),
        (Goal(1.0), [0.5, 1.1, 9.0], False),
        (Goal(1.0, 2.0), [0.5, 1.0, 2.0], True),
        (Goal(1.0, 2.0), [0.5, 1.0, 2.1], False),
        (Goal(worst=0), [0.0, 0.0], True),
        (Goal(worst=0), [0.0, 1.0], False),
        (Goal(worst=3, least=True), [3.0, 9.0], True),
        (Goal(worst=3, least=True), [2.9, 9.0], False),
    ],
)
def test_a_goal_is_for_the_median_or_for_all_runs(goal: Goal, values: list[float], met: bool) -> None:
    assert goal.met(values) is met


def test_without_a_goal_nothing_is_met_or_missed() -> None:
    assert Figure("one", "seconds", (1.0,)).met is None


def test_the_worst_is_the_smallest_where_larger_is_better() -> None:
    assert (worst([1.0, 2.0]), worst([1.0, 2.0], least=True)) == (2.0, 1.0)
