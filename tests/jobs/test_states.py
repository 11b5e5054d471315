"""The steps of a task's life, all of them."""

from __future__ import annotations

from itertools import product

import pytest

from kling_pack.jobs.states import OPEN, UNPAID, State, check_step

ALLOWED = {
    ("new", "submitting"),  # it is sent
    ("new", "failed"),  # its pictures could not be handed over
    ("new", "cancelled"),  # Stop came first
    ("submitting", "new"),  # it surely created nothing and is sent again
    ("submitting", "accepted"),
    ("submitting", "failed"),  # it was refused
    ("submitting", "uncertain"),  # its answer was lost
    ("accepted", "done"),
    ("accepted", "failed"),
    ("accepted", "cancelled"),
    ("accepted", "unread"),
    ("done", "accepted"),  # its files are gone and fetched again
    ("done", "unread"),  # its files turn out to be damaged
    ("unread", "accepted"),
    ("unread", "done"),
    ("unread", "failed"),
    ("uncertain", "accepted"),  # its id was found at the provider
    ("uncertain", "failed"),  # it was found not to exist
}


@pytest.mark.parametrize(
    ("old", "new"), [pair for pair in product(State, State) if (pair[0].value, pair[1].value) in ALLOWED]
)
def test_a_task_may_take_this_step(old: State, new: State) -> None:
    check_step(old, new)


@pytest.mark.parametrize(
    ("old", "new"), [pair for pair in product(State, State) if (pair[0].value, pair[1].value) not in ALLOWED]
)
def test_a_task_may_not_take_any_other_step(old: State, new: State) -> None:
    with pytest.raises(ValueError, match=f"from {old.value} to {new.value}"):
        check_step(old, new)


def test_what_may_be_sent_again_is_what_surely_was_not_paid() -> None:
    assert set(State) - OPEN == {State.NEW, State.FAILED, State.CANCELLED}
    assert set(State) - UNPAID == OPEN | {State.NEW}
