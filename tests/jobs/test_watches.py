"""Where the wait loop looks: at the provider when the end is likely, or in the ledger beside another worker."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kling_pack.errors import FailedError, UncertainError
from kling_pack.jobs import durations, watches
from kling_pack.jobs.sharing import Sharing
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended, until

ELSEWHERE = "another-machine/1/1/x"


@pytest.fixture
def far_apart(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that would not come before the test is over."""
    for name in ("FIRST_GAP", "SHORTEST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(durations, name, 10.0 * SECONDS)


def test_a_task_is_looked_at_when_its_provider_says_that_it_has_ended(bench: Bench, far_apart: None) -> None:
    bench.environment.setenv("KLING_PUBLIC_URL", "https://comfy.example")
    (ticket,) = bench.submit(provider="modellix")
    ticket.accepted.result(SECONDS)
    (row,) = bench.rows()
    bench.engine.wake("modellix", "a" * 43).result(SECONDS)
    bench.engine.wake("eachlabs", row["hook"]).result(SECONDS)
    assert bench.house.stats("modellix")["polls"] == 0
    bench.engine.wake("modellix", row["hook"]).result(SECONDS)
    assert ended([ticket])[0].error is None and bench.house.stats("modellix")["polls"] == 1


def test_without_a_public_address_no_task_has_a_hook(bench: Bench) -> None:
    bench.one(provider="apimodels")
    assert bench.rows()[0]["hook"] is None


@pytest.mark.slow
def test_a_running_tasks_own_wish_for_a_pause_is_kept(bench: Bench) -> None:
    bench.house.behave(Fault("rate_limited", on="poll", times=1, retry_after=0.3), seconds=0.01)
    began = time.monotonic()
    assert bench.one(provider="eachlabs", name="edit", pictures=[1]).error is None
    assert time.monotonic() - began >= 0.3


@pytest.mark.slow
def test_a_page_that_advises_pauses_bounds_how_many_looks_a_task_costs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "FREE_LOOKS", 3)
    monkeypatch.setattr("kling_pack.providers.apimodels.ApiModels.advised_pause", 0.4)
    bench.house.behave(seconds=0.6)
    bench.one(provider="apimodels")
    assert bench.house.stats("apimodels")["polls"] <= 3 + 3


# Beside another worker.


def carried_on(bench: Bench, state: str) -> None:
    """A task that another living worker has in hand."""
    bench.one(provider="modellix")
    bench.close()
    bench.change(state=state, worker=ELSEWHERE)
    bench.hire(ELSEWHERE)


@pytest.mark.parametrize("state", ["new", "submitting", "accepted"])
def test_what_another_worker_has_in_hand_is_waited_for_and_never_asked_for(bench: Bench, state: str) -> None:
    carried_on(bench, state)
    polls = bench.house.stats("modellix")["polls"]
    (ticket,) = bench.submit(provider="modellix")
    until(lambda: "carried on by another ComfyUI" in ticket.progress.words)
    bench.change(state="done")
    (outcome,) = ended([ticket])
    assert (outcome.how, len(outcome.files)) == ("joined", 1)
    assert bench.house.paid() == 1 and bench.house.stats("modellix")["polls"] == polls


def test_its_failure_and_its_doubt_are_told_here_too(bench: Bench) -> None:
    for state, error in (("failed", FailedError), ("cancelled", FailedError), ("uncertain", UncertainError)):
        carried_on(bench, "accepted")
        (ticket,) = bench.submit(provider="modellix")
        until(lambda: "another ComfyUI" in ticket.progress.words)  # noqa: B023 - asked before the next one
        bench.change(state=state)
        assert type(ended([ticket])[0].error) is error
        bench.close()
        bench.change(state="failed")


@pytest.mark.slow
def test_pictures_that_it_kept_where_this_worker_cannot_see_them_are_fetched_again(bench: Bench) -> None:
    carried_on(bench, "accepted")
    (ticket,) = bench.submit(provider="modellix")
    until(lambda: "another ComfyUI" in ticket.progress.words)
    for file in (bench.home / "results").rglob("*.png"):
        file.unlink()
    bench.change(state="done")
    (outcome,) = ended([ticket])
    assert outcome.error is None and outcome.files[0].is_file() and bench.house.paid() == 1


def test_what_a_worker_leaves_that_dies_meanwhile_is_carried_on_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_pack.jobs.leases.BEAT_SECONDS", 0.05)
    carried_on(bench, "accepted")
    (ticket,) = bench.submit(provider="modellix")
    until(lambda: "another ComfyUI" in ticket.progress.words)
    bench.fire(ELSEWHERE)
    (outcome,) = ended([ticket])
    assert outcome.error is None and bench.house.paid() == 1
    assert bench.rows()[0]["worker"] != ELSEWHERE


@pytest.mark.parametrize(("left", "error"), [("new", None), ("submitting", UncertainError)])
def test_a_worker_that_died_between_two_looks_keeps_nobody_from_asking_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, left: str, error: type[Exception] | None
) -> None:
    """It was still known as alive when the request was let in, and no more when its task was looked at."""
    bench.one(provider="modellix")
    bench.change(state=left, worker=ELSEWHERE)
    bench.hire(ELSEWHERE)
    admit = Sharing.admit

    def admit_and_die(self: Sharing, *given: Any) -> Any:
        admitted = admit(self, *given)
        bench.fire(ELSEWHERE)
        return admitted

    monkeypatch.setattr(Sharing, "admit", admit_and_die)
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is (error or type(None))
    assert bench.states() == (["cancelled", "done"] if error is None else ["uncertain"])
