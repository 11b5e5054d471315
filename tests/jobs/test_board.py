"""What a person sees of the tasks."""

from __future__ import annotations

import pytest
from rows import ACCEPTED, DONE, add

from kling_pack.jobs.board import newest, one
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Result


def test_an_empty_ledger_shows_nothing(ledger: Ledger) -> None:
    assert newest(ledger, 10) == ()


def test_the_newest_come_first_up_to_a_limit_and_by_state(ledger: Ledger) -> None:
    for states in (DONE, ACCEPTED, DONE):
        add(ledger, *states)
    assert [seen.task.number for seen in newest(ledger, 2)] == [3, 2]
    assert [seen.task.number for seen in newest(ledger, 9, State.DONE)] == [3, 1]


def test_kept_pictures_are_counted(ledger: Ledger) -> None:
    first, second = add(ledger, *DONE), add(ledger, *DONE)
    for place in range(3):
        ledger.keep(second, Result(place, f"{place}.png", 1, "d"))
    assert [seen.pictures for seen in newest(ledger, 9)] == [3, 0]
    assert (one(ledger, first).pictures, one(ledger, second).pictures) == (0, 3)


def test_a_running_task_takes_what_its_like_took(ledger: Ledger) -> None:
    for seconds in (10.0, 30.0, 50.0):
        add(ledger, *DONE, accepted_at=100.0, running_at=99.0 + seconds, finished_at=100.0 + seconds)
    add(ledger, *ACCEPTED)
    assert newest(ledger, 1)[0].expected == pytest.approx(30, abs=1)


def test_without_its_like_it_takes_what_the_catalogue_says(ledger: Ledger) -> None:
    add(ledger, *ACCEPTED)
    add(ledger, *ACCEPTED, provider="sandbox")
    add(ledger, *ACCEPTED, operation="", model="")
    assert [seen.expected for seen in newest(ledger, 3)] == [20.0, 2.0, 20.0]


def test_an_ended_task_is_not_expected_any_more(ledger: Ledger) -> None:
    add(ledger, *DONE)
    assert newest(ledger, 1)[0].expected is None


@pytest.mark.parametrize(
    ("states", "todo"),
    [
        ((State.SUBMITTING, State.UNCERTAIN), "settle"),
        ((State.FAILED,), "change"),
        ((*ACCEPTED, State.UNREAD), "update"),
        (DONE, ""),
        (ACCEPTED, ""),
        ((State.CANCELLED,), ""),
    ],
)
def test_what_there_is_to_do(ledger: Ledger, states: tuple[State, ...], todo: str) -> None:
    assert one(ledger, add(ledger, *states)).todo == todo


def test_what_was_asked_can_be_read_again(ledger: Ledger) -> None:
    assert ledger.asked(add(ledger)) == {"fields": {"prompt": "a lighthouse"}}
