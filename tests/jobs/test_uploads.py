"""Input pictures: uploaded once for all tasks that use them, deleted soon after the last, and never too early."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import build_requests
from kling_pack.errors import RefusedError
from kling_pack.jobs import uploads
from kling_pack.jobs.encode import describe, encode
from kling_pack.jobs.route import candidates
from kling_pack.jobs.work import Run
from kling_pack.providers import ADAPTERS
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended, until

EDIT: dict[str, Any] = {"name": "edit", "provider": "eachlabs"}


def test_a_picture_is_uploaded_once_for_tasks_side_by_side(bench: Bench) -> None:
    bench.one(**EDIT, pictures=[1])
    bench.house.behave(seconds=0.15)
    before = bench.house.stats("eachlabs")
    tickets = [ticket for seed in (1, 2, 3) for ticket in bench.submit(**EDIT, pictures=[9], seed=seed)]
    assert all(outcome.error is None for outcome in ended(tickets))
    after = bench.house.stats("eachlabs")
    assert (after["uploads"] - before["uploads"], after["puts"] - before["puts"]) == (1, 1)


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.01)


@pytest.mark.usefixtures("short_linger")
def test_an_upload_is_deleted_soon_after_the_last_task_that_uses_it(bench: Bench) -> None:
    bench.one(**EDIT, pictures=[1])
    until(lambda: bench.house.stats("eachlabs")["deletes"] == 1)
    bench.house.behave(seconds=0.15)
    first = bench.submit(**EDIT, pictures=[9], seed=1)
    first[0].accepted.result(SECONDS)
    second = bench.submit(**EDIT, pictures=[9], seed=2)
    outcomes = ended([*first, *second])
    assert [outcome.error for outcome in outcomes] == [None, None], "the sandbox fails a task that loses its picture"
    until(lambda: bench.house.stats("eachlabs")["deletes"] == 2)


def test_the_next_run_with_the_same_picture_finds_it_there_still(bench: Bench) -> None:
    for seed in range(3):
        assert bench.one(**EDIT, pictures=[1], seed=seed).error is None
    stats = bench.house.stats("eachlabs")
    assert (stats["uploads"], stats["puts"], stats["deletes"]) == (1, 1, 0)


@pytest.mark.slow
def test_a_task_that_comes_back_in_time_keeps_the_picture_from_being_deleted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.3)
    bench.one(**EDIT, pictures=[1])
    bench.house.behave(seconds=0.5)
    assert bench.one(**EDIT, pictures=[1], seed=1).error is None
    assert bench.house.stats("eachlabs")["uploads"] == 1


def test_a_picture_that_was_of_no_use_is_deleted_at_once_and_put_anew(bench: Bench) -> None:
    """Whoever presses Run again must not get the same dead link for another minute."""
    bench.house.behave(Fault("task_failed", reason="the input could not be downloaded"))
    assert bench.one(**EDIT, pictures=[1]).error is not None
    until(lambda: bench.house.stats("eachlabs")["deletes"] == 1)
    bench.house.behave()
    assert bench.one(**EDIT, pictures=[1]).error is None
    assert bench.house.stats("eachlabs")["uploads"] == 2


def test_what_lingers_is_deleted_when_the_engine_closes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LAST_DELETIONS_SECONDS", SECONDS)
    bench.one(**EDIT, pictures=[1])
    bench.close()
    assert bench.house.stats("eachlabs")["deletes"] == 1


@pytest.mark.usefixtures("short_linger")
def test_a_picture_is_uploaded_anew_before_its_link_could_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "REUSE_SECONDS", 0.0)
    bench.one(**EDIT, pictures=[7])
    bench.house.behave(seconds=0.15)
    tickets = [ticket for seed in (1, 2) for ticket in bench.submit(**EDIT, pictures=[9], seed=seed)]
    assert [outcome.error for outcome in ended(tickets)] == [None, None]
    until(lambda: bench.house.stats("eachlabs")["deletes"] == 3)
    assert bench.house.stats("eachlabs")["uploads"] == 3


def test_a_task_that_never_used_an_upload_does_not_take_it_from_one_that_does(bench: Bench) -> None:
    """As one does that is stopped between its row and its upload."""
    bench.house.behave(seconds=0.15)
    asked, pixels = bench.requests("edit", [9], provider="eachlabs")
    (user,) = bench.engine.submit(Run(asked, pixels, bench.settings)).result(SECONDS)
    user.accepted.result(SECONDS)
    (order,) = candidates(asked[0], bench.settings, auto_is_sandbox=False)

    async def let_go_of_nothing() -> None:
        endpoint = bench.settings.endpoints["eachlabs"]
        uploads = bench.engine._dispatch._uploads
        uploads.let_go(order, endpoint, ADAPTERS["eachlabs"], user=object(), delete=True, again=True)

    bench.engine.call(let_go_of_nothing()).result(SECONDS)
    assert ended([user])[0].error is None


@pytest.mark.usefixtures("short_linger")
def test_an_upload_of_an_uncertain_task_stays_as_long_as_it_may_be_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LAST_DELETIONS_SECONDS", SECONDS)
    bench.house.behave(Fault("drop_after", times=1), seconds=0.1)
    bench.one(**EDIT, pictures=[1])
    assert bench.one(**EDIT, pictures=[1], seed=1).error is None
    until(lambda: bench.house.stats("eachlabs")["deletes"] == 1)
    bench.close()
    stats = bench.house.stats("eachlabs")
    assert (stats["uploads"], stats["deletes"]) == (2, 1), "the other one's"
    assert bench.house.tasks()[0]["state"] == "done", "it may exist, so it kept its picture"


@pytest.mark.parametrize(
    ("provider", "fault", "on"),
    [("eachlabs", "http_503", "upload"), ("eachlabs", "drop_before", "put"), ("apimodels", "http_500", "put"),
     ("apimodels", "rate_limited", "upload")],
)  # fmt: skip
def test_an_upload_that_fails_is_repeated(bench: Bench, provider: str, fault: str, on: str) -> None:
    bench.house.behave(Fault(fault, on=on, times=2))
    assert bench.one("edit", provider=provider, pictures=[1]).error is None
    assert bench.house.paid() == 1


@pytest.mark.parametrize(
    ("fault", "on", "times"), [("http_500", "put", 4), ("http_401", "upload", 1), ("http_503", "upload", 4)]
)
def test_an_upload_that_keeps_failing_is_told_and_nothing_is_paid(
    bench: Bench, fault: str, on: str, times: int
) -> None:
    bench.house.behave(Fault(fault, on=on))
    outcome = bench.one(**EDIT, pictures=[1])
    assert type(outcome.error) is RefusedError
    assert "could not be uploaded to eachlabs" in str(outcome.error) and "nothing was paid" in str(outcome.error)
    assert bench.states() == ["failed"] and bench.house.paid() == 0
    assert bench.house.stats("eachlabs")[f"{on}s"] == times
    bench.house.behave()
    assert bench.one(**EDIT, pictures=[1]).error is None, "and the next run starts afresh"


def test_no_key_is_sent_along_to_storage(bench: Bench) -> None:
    for provider in ("eachlabs", "apimodels"):
        bench.one("edit", provider=provider, pictures=[1])
        assert bench.house.stats(provider)["puts"] == 1 and bench.house.stats(provider)["keys_leaked"] == 0


@pytest.mark.usefixtures("short_linger")
def test_who_waits_does_not_wait_for_the_deletion(bench: Bench) -> None:
    bench.house.behave(Fault("hang", on="delete", seconds=0.5))
    ended(bench.submit(**EDIT, pictures=[1]))
    assert bench.states() == ["done"]


def test_what_was_sent_instead_of_a_picture_that_is_too_large_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "encode", lambda pixels: encode(pixels, limit=200_000))
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    picture = describe(noise)
    asked = build_requests(operation("edit"), {"prompt": "a house", "provider": "modellix"}, {"image_1": [picture]})
    (ticket,) = bench.engine.submit(Run(asked, {picture.digest: noise}, bench.settings)).result(SECONDS)
    (outcome,) = ended([ticket])
    assert outcome.error is None
    (note,) = [note for note in outcome.notes if "JPEG" in note]
    assert note.startswith("image_list sent as JPEG") or note.startswith("image sent as JPEG")
    assert outcome.task is not None and note in outcome.task.changes


@pytest.mark.slow
def test_a_task_that_outlives_the_engine_keeps_its_picture(bench: Bench) -> None:
    """The provider may not have read it yet; only the end of the task says that it is no longer needed."""
    bench.house.behave(seconds=0.5)
    (ticket,) = bench.submit(**EDIT, pictures=[1])
    ticket.accepted.result(SECONDS)
    bench.restart()
    assert bench.one(**EDIT, pictures=[1]).error is None
    assert bench.house.paid() == 1
