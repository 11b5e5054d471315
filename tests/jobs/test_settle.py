"""What a person decides about a task: cancel it, or settle one whose answer was lost."""

from __future__ import annotations

import pytest

from kling_pack.errors import InputError
from kling_pack.jobs.states import State
from kling_pack.jobs.work import Handle
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended, until

LOST = Handle("modellix", "~1")


@pytest.fixture
def lost(bench: Bench) -> Bench:
    """A task that exists at the provider and whose answer was lost."""
    bench.house.behave(Fault("drop_after", times=1))
    bench.one(provider="modellix")
    return bench


def test_a_task_found_at_the_provider_is_collected_without_paying(lost: Bench) -> None:
    (there,) = lost.house.tasks()
    settled = lost.engine.resolve(LOST, there["id"]).result(SECONDS)
    assert (settled.state, settled.handle) == (State.ACCEPTED, f"modellix:{there['id']}")
    assert lost.one(provider="modellix").error is None and lost.house.paid() == 1


def test_it_is_collected_unasked_with_a_key_that_came_after_the_engine_began(bench: Bench) -> None:
    bench.keys()
    bench.start()
    bench.keys("modellix")
    bench.house.behave(Fault("drop_after", times=1))
    bench.one(provider="modellix")
    (there,) = bench.house.tasks()
    bench.engine.renew(bench.settings)
    bench.engine.resolve(LOST, there["id"]).result(SECONDS)
    until(lambda: bench.states() == ["done"])


def test_a_task_found_not_to_exist_may_be_sent_again(lost: Bench) -> None:
    assert lost.engine.resolve(LOST, None).result(SECONDS).state is State.FAILED
    assert lost.one(provider="modellix").error is None and lost.states() == ["failed", "done"]


@pytest.mark.parametrize("found", ["~7", "not an id", "../x", ""])
def test_an_id_that_cannot_be_one_changes_nothing(lost: Bench, found: str) -> None:
    with pytest.raises(InputError):
        lost.engine.resolve(LOST, found).result(SECONDS)
    assert lost.states() == ["uncertain"]


def test_only_an_uncertain_task_can_be_settled(bench: Bench) -> None:
    bench.one(provider="modellix")
    for handle, said in ((LOST, "is done, not uncertain"), (Handle("modellix", "~9"), "not in this ledger")):
        with pytest.raises(InputError, match=said):
            bench.engine.resolve(handle, None).result(SECONDS)


def test_a_running_task_is_cancelled_where_the_provider_can(bench: Bench) -> None:
    bench.house.behave(seconds=1000)
    (ticket,) = bench.submit("edit", pictures=[1], provider="eachlabs")
    ticket.accepted.result(SECONDS)
    assert "is asked to stop" in bench.engine.cancel(Handle("eachlabs", "~1")).result(SECONDS)
    ended([ticket])
    assert bench.states() == ["cancelled"] and bench.house.stats("eachlabs")["cancels"] == 1


def test_where_it_cannot_the_task_goes_on(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    (ticket,) = bench.submit(provider="modellix")
    ticket.accepted.result(SECONDS)
    assert "has no cancel call: modellix:~1 goes on and is kept" in bench.engine.cancel(LOST).result(SECONDS)
    assert ended([ticket])[0].error is None


@pytest.mark.slow
def test_a_task_that_was_not_sent_yet_never_is(bench: Bench) -> None:
    bench.environment.setenv("MODELLIX_CONCURRENCY", "1")
    bench.house.behave(seconds=0.3)
    (first,) = bench.submit(provider="modellix")
    first.accepted.result(SECONDS)
    (second,) = bench.submit(provider="modellix", seed=1)
    while second.outcome().task is None:
        bench.states()
    assert "never will be" in bench.engine.cancel(Handle("modellix", "~2")).result(SECONDS)
    ended([first, second])
    assert bench.states() == ["done", "cancelled"] and bench.house.paid() == 1


def test_a_task_that_has_ended_has_nothing_to_cancel(bench: Bench) -> None:
    bench.one(provider="modellix")
    assert bench.engine.cancel(LOST).result(SECONDS) == "modellix:~1 is done: there is nothing to cancel."
