"""When a look is worth its request: sensible before there is any history, and near the end once there is."""

from __future__ import annotations

from statistics import median

import pytest

from kling_pack.jobs.durations import EAGER, LONGEST_PAUSE, SHORTEST_PAUSE, Durations

LENGTHS = (0.5, 1.0, 2.0, 4.0, 6.0, 10.0, 15.0, 20.0)


def looks(known: Durations, length: float, wanted: float = EAGER) -> list[float]:
    """The moments of all looks at a task of this length; the last one finds the end."""
    moments = [known.next_look(0.0, wanted)]
    while moments[-1] < length:
        moments.append(known.next_look(moments[-1], wanted))
    return moments


def learned(length: float, tasks: int) -> Durations:
    """What was learned from so many tasks of one length, each looked at as was known then."""
    seen: list[tuple[float, float]] = []
    for _ in range(tasks):
        moments = [0.0, *looks(Durations(tuple(seen)), length)]
        seen.insert(0, (moments[-2], moments[-1]))
    return Durations(tuple(seen))


@pytest.mark.parametrize("length", LENGTHS)
def test_without_history_fourteen_looks_reach_twenty_seconds(length: float) -> None:
    moments = looks(Durations(), length)
    assert len(moments) <= 14
    assert moments[-1] - length <= 0.65 + 0.12 * length


def test_without_history_pauses_grow() -> None:
    moments = [0.0, *looks(Durations(), 60.0)]
    pauses = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    assert pauses == pytest.approx(sorted(pauses))


@pytest.mark.parametrize("length", LENGTHS)
def test_with_history_few_looks_find_the_end_at_once(length: float) -> None:
    moments = looks(learned(length, 8), length)
    assert len(moments) <= 8
    assert moments[-1] - length <= max(0.25, 0.02 * length)


def test_one_finished_task_is_worth_a_lot() -> None:
    late = [looks(learned(length, 1), length)[-1] - length for length in LENGTHS]
    assert median(late) <= 0.25


def test_ends_that_were_seen_late_are_known_as_such() -> None:
    """After a restart an end may be seen an hour late: that tells nothing about the next task."""
    assert Durations(((0.0, 3600.0),)).seen == ()
    assert Durations(((0.0, 1.0),)).seen


def test_the_usual_length_is_the_median_of_what_was_seen() -> None:
    assert Durations().usual(20.0) == 20.0
    assert Durations(((9.0, 11.0), (13.0, 15.0), (89.0, 91.0))).usual(20.0) == pytest.approx(14.0, abs=0.1)


def test_a_task_that_takes_longer_than_any_before_is_looked_at_ever_more_seldom_but_for_ever() -> None:
    known = Durations(((5.0, 5.1),) * 20)
    moments = looks(known, 600.0)
    pauses = [later - earlier for earlier, later in zip(moments[10:], moments[11:], strict=False)]
    assert max(pauses) <= LONGEST_PAUSE and len(moments) < 100
    assert min(pauses) >= SHORTEST_PAUSE


def test_who_must_be_sparing_looks_later_and_less_often() -> None:
    known = Durations(tuple((float(length), length + 0.5) for length in range(10, 30)))
    eager, shy = looks(known, 29.0), looks(known, 29.0, 0.8)
    assert shy[0] > eager[0] and len(shy) < len(eager)


def test_four_tasks_of_different_lengths_do_not_rule_out_a_fifth_between_or_a_little_beyond() -> None:
    known = Durations(((18.0, 18.1), (19.0, 19.1), (21.0, 21.1), (22.0, 22.1)))
    for length in (17.5, 18.5, 20.0, 21.5, 22.5):
        assert looks(known, length)[-1] <= 1.06 * length
        assert len(looks(known, length)) <= 10


def test_chances_are_chances() -> None:
    known = Durations(((5.0, 6.0), (7.0, 9.0)))
    moments = [second / 4 for second in range(120)]
    ended = [known.ended_by(moment) for moment in moments]
    assert ended == sorted(ended) and ended[0] == 0.0 and ended[-1] <= 1.0
    assert all(0.0 <= known.chance(3.0, moment) <= 1.0 for moment in moments if moment >= 3.0)
