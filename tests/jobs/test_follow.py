"""The wait: an answer that says nothing is asked for again, and a paid task is never given up for good."""

from __future__ import annotations

from concurrent.futures import wait

import pytest

from kling_pack.errors import FailedError, UnfinishedError
from kling_pack.jobs import follow
from kling_pack.jobs.work import Handle
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended


def test_a_status_word_that_nobody_documents_keeps_the_task_running_and_is_shown(bench: Bench) -> None:
    bench.house.behave(Fault("unknown_status", on="poll", times=3))
    (ticket,) = bench.submit(provider="modellix")
    words = set()
    while not wait([ticket.finished], timeout=0.005).done:
        words.add(ticket.progress.words)
    assert ended([ticket])[0].error is None
    assert "warming_up" in words


@pytest.mark.parametrize(
    ("provider", "fault"),
    [
        ("eachlabs", "http_503"),
        ("eachlabs", "rate_limited"),
        ("modellix", "drop_before"),
        ("modellix", "cut"),
        ("apimodels", "not_json"),
        ("apimodels", "html"),
    ],
)
def test_a_look_that_fails_is_repeated(bench: Bench, provider: str, fault: str) -> None:
    bench.house.behave(Fault(fault, on="poll", times=3))
    outcome = bench.one("edit", pictures=[1], provider=provider)
    assert outcome.error is None and bench.states() == ["done"]
    assert bench.house.stats(provider)["faults"][fault] == 3 and bench.house.paid() == 1


def test_an_id_that_is_not_known_yet_is_asked_for_again(bench: Bench) -> None:
    bench.house.behave(Fault("http_404", on="poll", times=2))
    assert bench.one(provider="modellix").error is None


def test_an_id_that_stays_unknown_is_told_and_kept(bench: Bench) -> None:
    bench.house.behave(Fault("http_404", on="poll"))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError
    assert "paid for and kept" in str(outcome.error) and "does not know its id" in str(outcome.error)
    assert bench.states() == ["accepted"]
    bench.house.behave()
    assert bench.one(provider="modellix").error is None and bench.house.paid() == 1


def test_a_key_that_is_refused_while_waiting_is_told_and_the_task_kept(bench: Bench) -> None:
    bench.house.behave(Fault("http_401", on="poll", times=1))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and outcome.task is not None
    assert outcome.error.handle == outcome.task.handle and "refuses the key" in str(outcome.error)
    assert "collect it without paying" in str(outcome.error) and bench.states() == ["accepted"]
    assert bench.one(provider="modellix").error is None and bench.house.paid() == 1


@pytest.mark.parametrize("fault", [None, Fault("http_503", on="poll")])
def test_a_task_that_never_ends_is_kept_after_hours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Fault | None
) -> None:
    monkeypatch.setattr(follow, "GIVE_UP_SECONDS", 0.1)
    bench.house.behave(*([fault] if fault else []), seconds=1000)
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and "has not ended after" in str(outcome.error)
    assert bench.states() == ["accepted"]


def test_a_task_of_another_day_is_not_given_up_at_the_first_error(bench: Bench) -> None:
    bench.house.behave(Fault("http_401", on="poll"))
    bench.one(provider="modellix")
    bench.change(accepted_at=1.0, created_at=1.0)
    bench.house.behave(Fault("http_503", on="poll", times=2))
    assert bench.one(provider="modellix").error is None


@pytest.mark.parametrize("shape", ["envelope", "dispatch", "failed"])
def test_a_failed_task_says_the_providers_reason(bench: Bench, shape: str) -> None:
    bench.house.behave(Fault("task_failed", reason="Face not found", shape=shape))
    outcome = bench.one("edit", pictures=[1], provider="eachlabs")
    assert type(outcome.error) is FailedError and "Face not found" in str(outcome.error)
    assert bench.states() == ["failed"] and "Face not found" in bench.rows()[0]["reason"]


def test_a_reason_that_quotes_a_key_or_a_link_is_redacted_everywhere(bench: Bench) -> None:
    reason = "cannot read https://cdn.example/a.png?X-Amz-Signature=abc123 with key-of-modellix-123456"
    bench.house.behave(Fault("task_failed", reason=reason, shape="message"))
    outcome = bench.one(provider="modellix")
    for place in (str(outcome.error), str(bench.rows())):
        assert (
            "abc123" not in place and "key-of-modellix" not in place and "https://cdn.example/a.png?[hidden]" in place
        )


@pytest.mark.slow
def test_how_long_such_tasks_take_is_learned(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    bench.one(provider="modellix")
    (ticket,) = bench.submit(provider="modellix", seed=1)
    ticket.accepted.result(SECONDS)
    assert 0.1 < ticket.progress.expected < 3
    ended([ticket])


@pytest.mark.slow
def test_many_handles_are_collected_at_once(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    tickets = bench.submit("image", pictures=[1, 2], provider="apimodels", model="kling-v3")
    for ticket in tickets:
        ticket.accepted.result(SECONDS)
    handles = tuple(Handle("apimodels", row["provider_id"]) for row in bench.rows() if row["provider_id"])
    collected = ended(bench.engine.poll(handles, bench.settings).result(SECONDS))
    assert all(len(outcome.files) == 1 for outcome in collected) and bench.house.paid() == 2
