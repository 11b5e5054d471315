"""The paid request: on record before it leaves, and never sent twice where it may have been taken."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kling_pack.errors import FailedError, RefusedError, SetupError, UncertainError, UnfinishedError
from kling_pack.jobs import http, submit
from kling_pack.jobs.states import State
from kling_pack.jobs.work import Context, Handle
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended

StartLine = Callable[[Callable[[socket.socket, bytes], None]], Any]


# On record.


def test_the_ledger_tells_the_whole_story(bench: Bench) -> None:
    labels = {"project": "spring", "api_key": "sk-live-123456", "link": "https://x.example/y?sig=abc"}
    context = Context("prompt-1", "7", labels)
    bench.house.behave(seconds=0.1)
    began = time.time()
    outcome = bench.one("edit", pictures=[10], prompt="make @Image1 red", provider="eachlabs", n=2, context=context)
    (row,) = bench.rows()
    assert (row["state"], row["provider"], row["dialect"], row["operation"]) == ("done", "eachlabs", "eachlabs", "edit")
    assert (row["model"], row["wire_model"], row["count"], row["resolution"]) == ("kling-image-o1", "kling-o1", 2, "1k")
    assert outcome.request is not None and row["identity"] == outcome.request.identity and row["identity_rule"] == 1
    assert (
        began
        < row["created_at"]
        < row["submitted_at"]
        < row["accepted_at"]
        < row["finished_at"]
        < row["collected_at"]
        < time.time()
    )
    digest = outcome.request.pictures["image"][0].digest
    assert row["request"]["pictures"] == {"image": [{"sha256": digest, "width": 300, "height": 300}]}
    assert row["request"]["fields"]["prompt"] == "make @Image1 red"
    assert row["sent"]["input"]["image_urls"] == [f"sha256:{digest}"] and row["sent"]["model"] == "kling-o1"
    assert row["answer"]["status"] == "success" and row["word"] == "success"
    assert (row["actual_amount"], row["price_unit"], row["price_basis"]) == ("0.056", "USD", "provider")
    assert (row["prompt_id"], row["node_id"], row["pack_version"]) == ("prompt-1", "7", "1.2.3")
    assert row["labels"] == {"project": "spring", "api_key": "[hidden]", "link": "https://x.example/y?[hidden]"}
    assert row["worker"].count("/") == 3 and len(row["key_hash"]) == 16
    written = json.dumps(row)
    for secret in ("key-of-eachlabs", "?token=", "X-Amz-Signature", "sk-live"):
        assert secret not in written
    assert str(row["answer"]["output"]).count("?[hidden]") == 2, "links are kept, their right is not"


def test_the_estimate_and_its_basis_are_kept_where_the_provider_names_no_cost(bench: Bench) -> None:
    bench.one(provider="apimodels", n=2)
    bench.one(provider="modellix")
    credits, unknown = bench.rows()
    assert (credits["estimated_amount"], credits["actual_amount"], credits["price_unit"]) == (
        "0.302",
        "0.302",
        "credits",
    )
    assert (credits["price_basis"], unknown["price_basis"]) == ("catalogue", "unknown")
    assert unknown["estimated_amount"] is unknown["actual_amount"] is None


def test_base64_pictures_go_as_pictures_and_are_kept_as_digests(bench: Bench) -> None:
    bench.one("image", pictures=[10], provider="modellix", model="kling-v3")
    (row,) = bench.rows()
    assert row["sent"]["image"].startswith("sha256:")
    assert (
        bench.house.tasks()[0]["body"]["image"].startswith("sha256:")
        or len(bench.house.tasks()[0]["body"]["image"]) > 100
    )


def test_the_row_is_durable_before_the_request_leaves_and_has_its_id_right_after(bench: Bench, line: StartLine) -> None:
    seen: list[list[str]] = []

    def act(connection: socket.socket, asked: bytes) -> None:
        seen.append(bench.states())
        body = b'{"code": 200, "data": {"taskId": "abc", "state": "pending"}}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    bench.environment.setenv("APIMODELS_BASE_URL", line(act).url)
    (ticket,) = bench.submit(provider="apimodels")
    ticket.accepted.result(SECONDS)
    assert seen[0] == ["submitting"]
    assert bench.rows()[0]["provider_id"] == "abc" and bench.states() == ["accepted"]


# Never twice.


@pytest.mark.parametrize(
    ("provider", "fault"),
    [
        ("eachlabs", "error_after"),
        ("eachlabs", "no_id"),
        ("modellix", "drop_before"),
        ("modellix", "not_json"),
        ("modellix", "no_id"),
        ("apimodels", "drop_after"),
        ("apimodels", "cut"),
        ("apimodels", "html"),
        ("apimodels", "no_id"),
    ],
)
def test_a_lost_or_unclear_answer_is_never_repeated(bench: Bench, provider: str, fault: str) -> None:
    bench.house.behave(Fault(fault, times=1))
    asked: dict[str, Any] = {"provider": provider, "name": "edit", "pictures": [10]}
    outcome = bench.one(**asked)
    assert type(outcome.error) is UncertainError
    assert outcome.error.handle == f"{provider}:~1"
    for said in (
        "may or may not have been created",
        "not sent again",
        f"Look at {provider} for kling-",
        "/resolve",
        "change the seed",
    ):
        assert said in str(outcome.error)
    again = bench.one(**asked)
    assert type(again.error) is UncertainError and again.how == "reused"
    bench.restart()
    assert type(bench.one(**asked).error) is UncertainError
    assert bench.states() == ["uncertain"]
    assert bench.house.paid() == (0 if fault == "drop_before" else 1)
    assert bench.house.stats(provider)["faults"] == {fault: 1}, "one request and no more"


def test_auto_does_not_try_another_provider_after_a_lost_answer(bench: Bench) -> None:
    bench.house.behave(Fault("drop_after", provider="modellix"))
    assert type(bench.one().error) is UncertainError
    assert bench.house.paid() == bench.house.paid("modellix") == 1


def test_an_answer_that_does_not_come_is_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    bench.house.behave(Fault("hang", seconds=0.6))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UncertainError and "ReadTimeout" in str(outcome.error)
    assert bench.house.paid() == 1


def test_a_new_seed_is_a_new_request(bench: Bench) -> None:
    bench.house.behave(Fault("drop_after", times=1))
    bench.one(provider="modellix")
    assert bench.one(provider="modellix", seed=1).error is None
    assert bench.house.paid() == 2


# Repeated only when it surely created nothing.


def test_a_refused_connection_is_tried_again_and_paid_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is down for the first three attempts."""
    real = bench.house.sandbox.base_url("modellix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    bases = iter([closed] * 3)
    send = http.Http.send
    monkeypatch.setattr(http.Http, "send", lambda self, call, base, *more: send(self, call, next(bases, base), *more))
    outcome = bench.one(provider="modellix")
    assert outcome.error is None and real == bench.settings.endpoints["modellix"].base_url
    assert bench.house.paid() == 1 and bench.states() == ["done"]


def test_a_provider_that_stays_down_is_told_and_nothing_is_paid(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        bench.environment.setenv("MODELLIX_BASE_URL", f"http://127.0.0.1:{free.getsockname()[1]}/v1")
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is RefusedError
    assert "no connection could be made" in str(outcome.error) and "nothing was paid" in str(outcome.error)
    assert bench.states() == ["failed"]


def test_auto_goes_on_when_a_provider_stays_down(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        bench.environment.setenv("MODELLIX_BASE_URL", f"http://127.0.0.1:{free.getsockname()[1]}/v1")
    outcome = bench.one()
    assert outcome.task is not None and (outcome.task.provider, outcome.error) == ("apimodels", None)


@pytest.mark.parametrize("retry_after", [None, 0.2])
@pytest.mark.slow
def test_a_full_provider_is_waited_out_and_paid_once(bench: Bench, retry_after: float | None) -> None:
    bench.house.behave(Fault("rate_limited", times=2, retry_after=retry_after))
    outcome = bench.one("edit", pictures=[1], provider="eachlabs")
    assert outcome.error is None
    assert bench.house.paid() == 1 and bench.house.stats("eachlabs")["given_429"] == 2
    assert bench.states() == ["done"]


@pytest.mark.slow
def test_retry_after_is_kept(bench: Bench) -> None:
    bench.house.behave(Fault("rate_limited", times=1, retry_after=5))
    began = time.monotonic()
    assert bench.one("edit", pictures=[1], provider="eachlabs").error is None
    assert time.monotonic() - began >= 0.3, "as long as was asked, here cut to 0.3 s"


@pytest.mark.slow
def test_patience_with_a_full_provider_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "PATIENCE_WHEN_FULL", 0.05)
    bench.house.behave(Fault("rate_limited"))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is RefusedError
    assert "too many requests" in str(outcome.error) and "Wait a little and run again" in str(outcome.error)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("http_401", "the key was refused"),
        ("http_403", "the key was refused"),
        ("http_402", "there is no credit left"),
        ("no_credit", "there is no credit left"),
        ("http_404", "the model or task is not known there"),
        ("rate_limited", "too many requests or tasks at once"),
    ],
)
def test_auto_asks_the_next_one_after_a_refusal_and_the_report_says_so(bench: Bench, fault: str, said: str) -> None:
    bench.house.behave(Fault(fault, provider="modellix"))
    outcome = bench.one()
    assert outcome.error is None and outcome.task is not None and outcome.task.provider == "apimodels"
    assert f"modellix refused: {said}" in outcome.notes
    assert bench.house.paid() == bench.house.paid("apimodels") == 1
    assert bench.states() == ["failed", "done"]


def test_every_refusal_on_the_way_is_told(bench: Bench) -> None:
    bench.house.behave(Fault("http_402", provider="eachlabs"), Fault("http_401", provider="modellix"))
    outcome = bench.one("edit", pictures=[1])
    assert outcome.notes[:2] == ("eachlabs refused: there is no credit left", "modellix refused: the key was refused")


def test_auto_does_not_carry_a_request_that_is_wrong_to_the_next_one(bench: Bench) -> None:
    bench.house.behave(Fault("http_400", provider="modellix"))
    outcome = bench.one()
    assert type(outcome.error) is RefusedError
    assert "the request was refused" in str(outcome.error) and "nothing was paid" in str(outcome.error)
    assert bench.house.stats("apimodels")["requests"] == 0


def test_when_all_refuse_the_error_names_them(bench: Bench) -> None:
    bench.house.behave(Fault("http_402"))
    outcome = bench.one()
    assert type(outcome.error) is RefusedError
    assert "apimodels did not take the task" in str(outcome.error)
    assert "Before that, modellix refused as well" in str(outcome.error)
    assert "Add credit at apimodels" in str(outcome.error)
    assert bench.states() == ["failed", "failed"]


def test_what_was_refused_may_be_sent_again(bench: Bench) -> None:
    bench.house.behave(Fault("http_402", times=1))
    assert type(bench.one(provider="modellix").error) is RefusedError
    assert bench.one(provider="modellix").error is None
    assert bench.house.paid() == 1


# A ledger that cannot be written.


def fill(bench: Bench, states: set[str]) -> None:
    """From now on the disk is full for steps into these states."""

    def full(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE")) and states & {str(value) for value in parameters}:
            raise sa.exc.OperationalError(statement, {}, Exception("database or disk is full"))

    sa.event.listen(bench.engine._services.ledger._engine, "before_cursor_execute", full)


def test_what_cannot_be_written_down_is_not_sent(bench: Bench) -> None:
    fill(bench, {"submitting"})
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is SetupError and "Make room" in str(outcome.error)
    assert bench.house.stats("modellix")["requests"] == 0
    assert bench.states() == ["failed"]


def test_a_run_that_cannot_be_written_down_is_not_let_in(bench: Bench) -> None:
    fill(bench, {"new"})
    with pytest.raises(SetupError, match="Make room"):
        bench.submit(provider="modellix")
    assert bench.house.stats("modellix")["requests"] == 0
    assert bench.states() == []


def test_an_id_that_cannot_be_written_down_is_told(bench: Bench) -> None:
    fill(bench, {"accepted"})
    outcome = bench.one(provider="modellix")
    (task,) = bench.house.tasks()
    assert type(outcome.error) is UnfinishedError
    assert outcome.error.handle == f"modellix:{task['id']}" in str(outcome.error)
    assert "paid for" in str(outcome.error) and "Kling Poll" in str(outcome.error)
    assert bench.states() == ["uncertain"]
    bench.restart()
    (collected,) = ended(bench.engine.poll((Handle("modellix", task["id"]),), bench.settings).result(SECONDS))
    assert collected.error is None and len(collected.files) == 1
    assert bench.house.paid() == 1


def test_a_mistake_of_the_pack_leaves_nobody_waiting(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistake(*_: Any) -> None:
        raise LookupError("with https://x.example/y?sig=abc")

    monkeypatch.setattr("kling_pack.providers.modellix.Modellix.created", mistake)
    outcome = bench.one(provider="modellix")
    assert outcome.error is not None and "made a mistake (LookupError: with https://x.example/y?[hidden])" in str(
        outcome.error
    )
    assert "modellix:~1 is uncertain" in str(outcome.error)
    assert bench.states() == ["uncertain"], "it was sent: it is never sent again on its own"
    assert outcome.task is not None and outcome.task.state is State.UNCERTAIN
    assert not isinstance(outcome.error, FailedError)


def test_a_picture_that_does_not_fit_is_refused_and_leaves_no_open_row(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kling_pack.errors import InputError

    def too_large(*_: Any) -> None:
        raise InputError("does not fit")

    monkeypatch.setattr("kling_pack.jobs.uploads.encode", too_large)
    outcome = bench.one("edit", pictures=[1], provider="modellix")
    assert type(outcome.error) is InputError and bench.states() == ["failed"]
