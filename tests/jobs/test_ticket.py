"""Stop: what was not sent yet never is; what was accepted is kept, or cancelled where that was wanted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kling_pack.errors import FailedError
from kling_pack.jobs.states import State
from kling_pack.jobs.ticket import Ticket
from kling_pack.sandbox.behaviour import Fault, Limit

from .conftest import SECONDS, Bench, ended, until


def waiting_for_a_place(bench: Bench, seed: int = 1, **given: Any) -> tuple[Ticket, Ticket]:
    """One accepted task that fills the key, and a ticket for another that waits for it."""
    bench.environment.setenv("MODELLIX_CONCURRENCY", "1")
    bench.house.behave(seconds=0.15)
    (first,) = bench.submit(provider="modellix")
    first.accepted.result(SECONDS)
    (second,) = bench.submit(provider="modellix", seed=seed, **given)
    until(lambda: second.outcome().task is not None)
    return first, second


def test_what_was_not_sent_yet_never_is(bench: Bench) -> None:
    first, second = waiting_for_a_place(bench)
    second.let_go(stop=True)
    (stopped,) = ended([second])
    assert type(stopped.error) is FailedError and "nothing was created and nothing was paid" in str(stopped.error)
    assert bench.states() == ["accepted", "cancelled"]
    ended([first])
    assert bench.house.paid() == 1


@pytest.mark.slow
def test_what_was_stopped_may_be_asked_for_again(bench: Bench) -> None:
    first, second = waiting_for_a_place(bench)
    second.let_go(stop=True)
    (again,) = bench.submit(provider="modellix", seed=1)
    ended([first, second])
    assert ended([again])[0].error is None and bench.house.paid() == 2


def test_stop_at_any_step_leaves_no_open_row(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the ledger is writing: the row is not left as new, which would count against the budget."""
    from kling_pack.jobs.ledger import Ledger

    note, writing, go = Ledger.note, threading.Event(), threading.Event()

    def slow(self: Ledger, task: Any, **changed: Any) -> Any:
        writing.set()
        go.wait(SECONDS)
        return note(self, task, **changed)

    monkeypatch.setattr(Ledger, "note", slow)
    (ticket,) = bench.submit(provider="modellix")
    writing.wait(SECONDS)
    ticket.let_go(stop=True)
    bench.engine.call(nothing()).result(SECONDS)
    go.set()
    assert type(ended([ticket])[0].error) is FailedError
    assert bench.states() == ["cancelled"] and bench.house.stats("modellix")["requests"] == 0


async def nothing() -> None:
    """Done once the engine's loop has come around."""


def test_stop_while_an_upload_hangs(bench: Bench) -> None:
    bench.house.behave(Fault("hang", on="put", seconds=0.5))
    (ticket,) = bench.submit("edit", pictures=[1], provider="eachlabs")
    until(lambda: bench.house.stats("eachlabs")["puts"] == 1)
    ticket.let_go(stop=True)
    assert type(ended([ticket])[0].error) is FailedError
    assert bench.states() == ["cancelled"] and bench.house.paid() == 0


@pytest.mark.slow
def test_while_somebody_else_waits_a_task_goes_on(bench: Bench) -> None:
    first, second = waiting_for_a_place(bench)
    (other,) = bench.submit(provider="modellix", seed=1)
    assert other.same_task == second.same_task
    second.let_go(stop=True)
    ended([first])
    assert ended([other])[0].error is None and bench.house.paid() == 2


def test_the_last_one_who_stops_ends_it(bench: Bench) -> None:
    first, second = waiting_for_a_place(bench)
    (other,) = bench.submit(provider="modellix", seed=1)
    second.let_go(stop=True)
    other.let_go(stop=True)
    assert type(ended([other])[0].error) is FailedError
    ended([first])
    assert bench.house.paid() == 1


@pytest.mark.slow
def test_who_only_stops_waiting_changes_nothing(bench: Bench) -> None:
    first, second = waiting_for_a_place(bench)
    second.let_go(stop=False)
    assert [outcome.error for outcome in ended([first, second])] == [None, None]


def test_what_was_accepted_is_kept(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    (ticket,) = bench.submit(provider="modellix")
    ticket.accepted.result(SECONDS)
    ticket.let_go(stop=True)
    assert ended([ticket])[0].error is None and bench.states() == ["done"]


def test_what_was_accepted_is_cancelled_where_that_is_wanted(bench: Bench) -> None:
    bench.house.behave(seconds=1000)
    (ticket,) = bench.submit("edit", pictures=[1], provider="eachlabs")
    ticket.accepted.result(SECONDS)
    ticket.let_go(stop=True, cancel=True)
    (outcome,) = ended([ticket])
    assert type(outcome.error) is FailedError and "was cancelled at eachlabs" in str(outcome.error)
    assert bench.states() == ["cancelled"] and bench.house.stats("eachlabs")["cancels"] == 1
    assert bench.house.tasks()[0]["state"] == "cancelled"


def test_stop_with_cancel_while_the_request_is_under_way_cancels_once_it_has_an_id(bench: Bench) -> None:
    bench.house.behave(Fault("slow", seconds=0.2), seconds=1000)
    (ticket,) = bench.submit("edit", pictures=[1], provider="eachlabs")
    until(lambda: ticket.progress.state is State.SUBMITTING)
    ticket.let_go(stop=True, cancel=True)
    ended([ticket])
    assert bench.states() == ["cancelled"] and bench.house.stats("eachlabs")["cancels"] == 1


def test_a_provider_without_a_cancel_call_keeps_the_task_and_it_is_said(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    (ticket,) = bench.submit(provider="modellix")
    ticket.accepted.result(SECONDS)
    ticket.let_go(stop=True, cancel=True)
    (outcome,) = ended([ticket])
    assert outcome.error is None and "modellix has no cancel call: the task goes on and is kept" in outcome.notes


@pytest.mark.parametrize(
    ("fault", "said"),
    [("drop_before", "the cancel call did not get through"), ("http_500", "eachlabs did not cancel it (HTTP 500)")],
)
def test_a_cancel_that_fails_is_said_and_the_task_kept(bench: Bench, fault: str, said: str) -> None:
    bench.house.behave(Fault(fault, on="cancel"), seconds=0.2)
    (ticket,) = bench.submit("edit", pictures=[1], provider="eachlabs")
    ticket.accepted.result(SECONDS)
    ticket.let_go(stop=True, cancel=True)
    (outcome,) = ended([ticket])
    assert outcome.error is None
    assert any(said in note for note in outcome.notes)


# Stop while the paid request is under way: it is not taken back, but it is not repeated either.


def hold(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> tuple[threading.Event, threading.Event]:
    """The paid request is held until the second event and then fails with `error`, or goes on."""
    from kling_pack.jobs.http import Http

    send, under_way, go = Http.send, threading.Event(), threading.Event()

    def held(self: Http, call: Any, *more: Any) -> Any:
        if call.method == "POST":
            under_way.set()
            go.wait(SECONDS)
            if error:
                raise error
        return send(self, call, *more)

    monkeypatch.setattr(Http, "send", held)
    return under_way, go


def test_stop_before_a_refused_connection_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from kling_pack.jobs.http import NotSentError

    under_way, go = hold(monkeypatch, NotSentError("refused"))
    (ticket,) = bench.submit(provider="modellix")
    under_way.wait(SECONDS)
    ticket.let_go(stop=True)
    bench.engine.call(nothing()).result(SECONDS)
    go.set()
    assert "nothing was paid" in str(ended([ticket])[0].error) and bench.states() == ["cancelled"]


@pytest.mark.parametrize("fault", ["rate_limited", "http_402"])
def test_stop_before_a_refused_task_is_sent_again_or_elsewhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    bench.keys(*(["modellix"] if fault == "rate_limited" else ["modellix", "apimodels"]))
    bench.house.behave(Fault(fault, provider="modellix"))
    under_way, go = hold(monkeypatch, None)
    (ticket,) = bench.submit()
    under_way.wait(SECONDS)
    ticket.let_go(stop=True)
    bench.engine.call(nothing()).result(SECONDS)
    go.set()
    assert "nothing was paid" in str(ended([ticket])[0].error)
    assert bench.house.paid() == 0 and bench.house.stats("modellix")["requests"] == 1
    assert bench.states() == (["cancelled"] if fault == "rate_limited" else ["failed"])


@pytest.mark.slow
def test_who_joins_after_stop_wants_it_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.house.behave(Fault("rate_limited", times=1, provider="modellix"))
    under_way, go = hold(monkeypatch, None)
    (ticket,) = bench.submit(provider="modellix")
    under_way.wait(SECONDS)
    ticket.let_go(stop=True)
    bench.engine.call(nothing()).result(SECONDS)
    (other,) = bench.submit(provider="modellix")
    go.set()
    assert ended([other])[0].error is None and bench.house.paid() == 1


# The limits of a key, as the sandbox counts them.


@pytest.mark.slow
def test_never_more_in_flight_than_the_key_may_and_no_429(bench: Bench) -> None:
    bench.one("image", pictures=[99], provider="modellix", model="kling-v3")
    bench.environment.setenv("MODELLIX_CONCURRENCY", "3")
    bench.close()
    bench.house.behave(seconds=0.1, limits={"modellix": Limit(3, None)})
    outcomes = bench.run("image", pictures=range(9), provider="modellix", model="kling-v3")
    assert all(outcome.error is None for outcome in outcomes)
    stats = bench.house.stats("modellix")
    assert stats["most_in_flight"] == 3 and stats["given_429"] == 0


@pytest.mark.slow
def test_never_more_calls_a_minute_than_the_key_may(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_pack.jobs.sharing.MINUTE", 0.25)
    bench.environment.setenv("MODELLIX_REQUESTS_PER_MINUTE", "8")
    outcomes = bench.run("image", pictures=range(5), provider="modellix", model="kling-v3")
    assert all(outcome.error is None for outcome in outcomes)
    rows, calls = bench.rows(), bench.house.stats("modellix")["requests"] - bench.house.stats("modellix")["downloads"]
    took = max(row["finished_at"] for row in rows) - min(row["submitted_at"] for row in rows)
    assert took >= 0.25 * ((calls - 1) // 8)
