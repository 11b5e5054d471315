"""Joining, reusing and taking up again: the same request is paid for once, whatever happens in between."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from kling_pack.catalog.models import PROVIDERS
from kling_pack.errors import FailedError, InputError, SetupError, UncertainError, UnfinishedError, UnreadError
from kling_pack.jobs import engine as engine_module
from kling_pack.jobs import leases, sharing
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task
from kling_pack.jobs.work import Context, Handle, Run
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended, until

StartLine = Callable[[Callable[[socket.socket, bytes], None]], Any]
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def poll(bench: Bench, *handles: str) -> list[Any]:
    asked = tuple(Handle(*handle.split(":", 1)) for handle in handles)
    return ended(bench.engine.poll(asked, bench.settings).result(SECONDS))


# Joined and reused.


def test_equal_pictures_of_a_batch_share_a_task_and_results_keep_their_order(bench: Bench) -> None:
    tickets = bench.submit("image", pictures=[1, 2, 1], provider="modellix", model="kling-v3")
    first, second, third = ended(tickets)
    assert first.files == third.files != second.files
    assert tickets[0].same_task == tickets[2].same_task != tickets[1].same_task
    assert bench.house.paid() == 2


def test_two_runs_at_once_pay_once(bench: Bench) -> None:
    bench.house.behave(seconds=0.1)
    (first,), (second,) = bench.submit(provider="modellix"), bench.submit(provider="modellix")
    one, other = ended([first, second])
    assert one.files == other.files and (one.how, other.how) == ("", "joined")
    assert bench.house.paid() == 1


def test_runs_from_many_threads_pay_once(bench: Bench) -> None:
    asked, pixels = bench.requests(provider="modellix")
    run, engine, tickets = Run(asked, pixels, bench.settings, Context()), bench.engine, []
    threads = [threading.Thread(target=lambda: tickets.extend(engine.submit(run).result(SECONDS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({outcome.files for outcome in ended(tickets)}) == 1
    assert bench.house.paid() == 1


def test_what_is_done_is_reused_also_after_a_restart_without_asking_anybody(bench: Bench) -> None:
    first = bench.one(provider="modellix")
    requests = bench.house.stats("modellix")["requests"]
    again = bench.one(provider="modellix")
    bench.restart()
    later = bench.one(provider="modellix")
    assert first.files == again.files == later.files and (again.how, later.how) == ("reused", "reused")
    assert bench.house.stats("modellix")["requests"] == requests
    assert again.final and later.request is not None


def test_files_that_are_gone_are_fetched_again_for_nothing(bench: Bench) -> None:
    first = bench.one(provider="modellix", n=2)
    first.files[1].unlink()
    again = bench.one(provider="modellix", n=2)
    assert again.how == "reused" and again.files == first.files and all(file.is_file() for file in again.files)
    assert bench.house.paid() == 1 and bench.house.stats("modellix")["downloads"] == 3, "only what is missing"


def test_a_file_that_lost_its_end_counts_as_gone(bench: Bench) -> None:
    first = bench.one(provider="modellix")
    whole = first.files[0].read_bytes()
    first.files[0].write_bytes(whole[:10])
    assert bench.one(provider="modellix").files[0].read_bytes() == whole
    assert bench.house.paid() == 1


def test_when_files_and_the_provider_are_gone_the_run_is_refused_with_the_date(bench: Bench) -> None:
    first = bench.one(provider="modellix")
    first.files[0].unlink()
    bench.change(collected_at=1_767_268_800.0)
    bench.house.reset()
    for _ in range(2):
        again = bench.one(provider="modellix")
        assert type(again.error) is UnfinishedError and first.task is not None
        for said in (
            "paid for and collected on 01 January 2026",
            first.task.handle,
            "not paid for again",
            "change the seed",
        ):
            assert said in str(again.error)
    assert bench.house.paid() == 0 and bench.states() == ["done"]


def test_gone_files_while_the_key_is_refused_say_so_and_do_not_ask_to_pay(bench: Bench) -> None:
    bench.one(provider="modellix").files[0].unlink()
    bench.house.behave(Fault("http_401", on="poll"))
    again = bench.one(provider="modellix")
    assert type(again.error) is UnfinishedError
    assert "refuses the key" in str(again.error) and "change the seed" not in str(again.error)
    bench.house.behave()
    assert bench.one(provider="modellix").error is None


def test_a_task_that_was_collected_once_is_never_paid_again_because_the_provider_forgot_it(bench: Bench) -> None:
    bench.one(provider="modellix").files[0].unlink()
    bench.house.behave(Fault("task_failed", on="poll", times=1))
    again = bench.one(provider="modellix")
    assert type(again.error) is UnfinishedError and "not paid for again" in str(again.error)
    assert bench.states() == ["done"]
    bench.one(provider="modellix")
    assert bench.house.paid() == 1


def test_what_failed_may_be_sent_again(bench: Bench) -> None:
    bench.house.behave(Fault("task_failed", times=1))
    failed = bench.one(provider="modellix")
    assert type(failed.error) is FailedError and "Content policy violation" in str(failed.error)
    assert bench.one(provider="modellix").error is None
    assert bench.states() == ["failed", "done"]


def test_auto_takes_any_real_providers_answer_and_a_named_one_its_own_alone(bench: Bench) -> None:
    bench.one(provider="apimodels")
    assert bench.one().how == "reused"
    assert bench.one(provider="modellix").how == ""
    assert bench.one(provider="apimodels").how == "reused"
    assert (bench.house.paid("apimodels"), bench.house.paid("modellix")) == (1, 1)


def test_the_sandboxs_answer_counts_for_the_sandbox_alone(bench: Bench) -> None:
    assert bench.one(provider="sandbox").how == ""
    assert bench.one().how == "", "with keys at hand, auto means the real ones"
    assert bench.one(provider="sandbox").how == "reused"
    bench.keys()
    assert bench.one(context=Context(from_editor=True)).how == "reused", (
        "without any, auto in the editor is the sandbox"
    )


def test_without_any_key_a_headless_auto_is_refused(bench: Bench) -> None:
    bench.keys()
    asked, pixels = bench.requests()
    with pytest.raises(SetupError, match="No key is set at all"):
        bench.engine.submit(Run(asked, pixels, bench.settings, Context())).result(SECONDS)


def test_a_named_provider_does_not_join_an_auto_that_may_still_go_elsewhere(bench: Bench) -> None:
    """Else it could end with another provider's picture."""
    bench.house.behave(
        Fault("slow", provider="modellix", seconds=0.1, times=1), Fault("http_402", provider="modellix", times=1)
    )
    tickets = [*bench.submit(), *bench.submit(provider="modellix")]
    assert tickets[0].same_task != tickets[1].same_task
    _, named = ended(tickets)
    assert named.task is not None and named.task.provider == "modellix"


@pytest.mark.slow
def test_a_joined_task_knows_its_request_also_after_a_restart(bench: Bench) -> None:
    bench.house.behave(seconds=0.3)
    (ticket,) = bench.submit("expand", pictures=[1], provider="modellix", right_expansion_ratio=0.5)
    ticket.accepted.result(SECONDS)
    bench.restart()
    joined = bench.one("expand", pictures=[1], provider="modellix", right_expansion_ratio=0.5)
    assert joined.how == "joined" and joined.request is not None and bench.house.paid() == 1


# Restart.


def test_what_was_accepted_is_collected_by_the_next_engine_unasked(bench: Bench) -> None:
    bench.house.behave(seconds=0.2)
    (ticket,) = bench.submit(provider="modellix")
    ticket.accepted.result(SECONDS)
    bench.close()
    left = ticket.outcome()
    assert type(left.error) is UnfinishedError and "kept and collected after the next start" in str(left.error)
    assert bench.states() == ["accepted"]
    (task,) = bench.start().look(lambda ledger: ledger.recent(10)).result(SECONDS)
    (outcome,) = poll(bench, task.handle)
    assert outcome.how == "joined" and len(outcome.files) == 1 and bench.house.paid() == 1


def test_a_task_that_waits_for_the_key_knows_its_place_in_line(bench: Bench) -> None:
    bench.environment.setenv("MODELLIX_CONCURRENCY", "1")
    bench.submit(provider="modellix")[0].finished.result(SECONDS)
    bench.house.behave(seconds=5)
    tickets = [bench.submit(provider="modellix", seed=seed)[0] for seed in range(1, 9)]
    until(lambda: sorted(ticket.progress.place for ticket in tickets) == list(range(8)))
    assert {ticket.progress.words for ticket in tickets if ticket.progress.place} == {"waiting for a place"}


def test_closing_waits_a_moment_for_the_answer_to_a_paid_request(bench: Bench) -> None:
    bench.house.behave(Fault("slow", seconds=0.2))
    (ticket,) = bench.submit(provider="modellix")
    until(lambda: ticket.progress.state is State.SUBMITTING)
    bench.close()
    assert bench.states() == ["accepted"], "its id was not lost"
    assert ticket.finished.done()


@pytest.mark.slow
def test_closing_does_not_wait_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LAST_ANSWERS_SECONDS", 0.1)
    bench.house.behave(Fault("hang", seconds=0.6))
    (ticket,) = bench.submit(provider="modellix")
    until(lambda: ticket.progress.state is State.SUBMITTING)
    bench.close()
    assert type(ticket.outcome().error) is UncertainError and bench.states() == ["uncertain"]


def test_closing_sends_nothing_that_was_not_sent(bench: Bench) -> None:
    bench.environment.setenv("MODELLIX_CONCURRENCY", "1")
    bench.house.behave(seconds=5)
    first, second = bench.submit(provider="modellix"), bench.submit(provider="modellix", seed=1)
    first[0].accepted.result(SECONDS)
    bench.close()
    assert bench.states() == ["accepted", "cancelled"] and bench.house.paid() == 1
    assert "nothing was paid" in str(second[0].outcome().error)


KILLED = """
import sys; sys.path.insert(0, {scripts!r})
from pack import load_pack; load_pack()
from pathlib import Path
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import build_requests
from kling_pack.jobs.engine import Engine
from kling_pack.jobs.settings import load_settings
from kling_pack.jobs.work import Run
settings = load_settings(Path({home!r}))
engine = Engine(settings, "0", lambda home, dialect: "")
asked = build_requests(operation("text"), {{"prompt": "a lighthouse", "provider": {provider!r}}}, {{}})
(ticket,) = engine.submit(Run(asked, {{}}, settings)).result(20)
if {accepted}:
    ticket.accepted.result(20)
else:
    while ticket.progress.words != "sending":
        pass
print("now", flush=True)
sys.stdin.read()
"""


def killed(bench: Bench, provider: str, accepted: bool) -> None:
    """Another process is killed once its task was accepted, or while the paid request is under way."""
    program = KILLED.format(scripts=str(SCRIPTS), home=str(bench.home), provider=provider, accepted=accepted)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        until(lambda: accepted or bench.house.paid() == 1)
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait(SECONDS)


@pytest.mark.slow
def test_after_a_kill_what_was_accepted_is_collected_and_joined(bench: Bench) -> None:
    bench.house.behave(seconds=0.3)
    killed(bench, "modellix", accepted=True)
    assert bench.states() == ["accepted"]
    bench.start()
    outcome = bench.one(provider="modellix")
    assert outcome.error is None and outcome.how in ("joined", "reused")
    assert bench.house.paid() == 1
    assert bench.rows()[0]["worker"] == bench.engine._services.worker, "it is in this process's hands now"


@pytest.mark.slow
def test_after_a_kill_what_was_on_its_way_is_uncertain(bench: Bench) -> None:
    bench.house.behave(Fault("hang", seconds=1.5))
    killed(bench, "modellix", accepted=False)
    assert bench.states() == ["submitting"]
    bench.start()
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UncertainError and outcome.error.handle == "modellix:~1"
    assert bench.states() == ["uncertain"] and bench.house.paid() == 1


@pytest.mark.parametrize(("left", "becomes"), [("new", "cancelled"), ("submitting", "uncertain"), ("accepted", "done")])
def test_what_a_dead_process_left(bench: Bench, left: str, becomes: str) -> None:
    bench.one(provider="modellix")
    bench.close()
    dead = psutil.Popen([sys.executable, "-c", ""])
    dead.wait(SECONDS)
    bench.change(state=left, worker=f"{socket.gethostname()}/{dead.pid}/1/x")
    bench.start()
    if becomes == "done":
        poll(bench, "modellix:~1")
    bench.engine.submit(Run((), {}, bench.settings)).result(SECONDS)
    assert bench.states() == [becomes]


@pytest.mark.parametrize("left", ["new", "submitting", "accepted"])
@pytest.mark.parametrize("where", ["live", "elsewhere"])
def test_what_a_live_process_or_another_machine_has_in_hand_is_left_alone(bench: Bench, left: str, where: str) -> None:
    bench.one(provider="modellix")
    bench.close()
    parent = psutil.Process(os.getppid())
    mine = f"{socket.gethostname()}/{parent.pid}/{int(parent.create_time())}/x"
    worker = mine if where == "live" else "another-machine/1/1/x"
    bench.change(state=left, worker=worker)
    bench.hire(worker)
    polls = bench.house.stats("modellix")["polls"]
    bench.start()
    bench.engine.submit(Run((), {}, bench.settings)).result(SECONDS)
    assert bench.states() == [left] and bench.house.stats("modellix")["polls"] == polls


def test_a_process_id_that_was_given_away_again_is_another_process(bench: Bench) -> None:
    bench.one(provider="modellix")
    bench.close()
    bench.change(state="submitting", worker=f"{socket.gethostname()}/{os.getppid()}/1/x")
    bench.start().submit(Run((), {}, bench.settings)).result(SECONDS)
    assert bench.states() == ["uncertain"]


def test_one_task_that_cannot_be_taken_up_does_not_keep_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.run("image", pictures=[1, 2], provider="modellix", model="kling-v3")
    bench.close()
    bench.change(state="submitting")
    from kling_pack.jobs.ledger import Ledger

    step = Ledger.step

    def disturbed(self: Ledger, task: Any, *more: Any, **changed: Any) -> Any:
        if task.number == 1:
            raise ValueError("task 1 is no longer submitting")
        return step(self, task, *more, **changed)

    monkeypatch.setattr(Ledger, "step", disturbed)
    bench.start().submit(Run((), {}, bench.settings)).result(SECONDS)
    assert bench.states() == ["submitting", "uncertain"]
    assert "modellix-task" in caplog.text and "was not taken up" in caplog.text


def test_a_ledger_that_fails_while_open_tasks_are_taken_up_is_logged(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from kling_pack.jobs.sharing import Sharing

    def broken(*_: Any) -> None:
        raise SetupError("broken")

    monkeypatch.setattr(Sharing, "left_behind", broken)
    bench.start()
    assert bench.one(provider="modellix").error is None
    assert "Open tasks were not taken up: broken" in caplog.text


def test_a_home_that_cannot_be_written_is_told_before_anything_is_planned(bench: Bench) -> None:
    bench.home.write_text("a file where the folder should be")
    bench.environment.setenv("KLING_HOME", str(bench.home / "inside"))
    with pytest.raises(SetupError):
        bench.start()


# By handle.


def test_a_handle_of_this_ledger_is_collected_from_what_is_kept(bench: Bench) -> None:
    first = bench.one(provider="modellix")
    assert first.task is not None
    by_id, by_number = poll(bench, first.task.handle, "modellix:~1")
    assert by_id.files == by_number.files == first.files


def of_another_ledger(bench: Bench) -> str:
    """The handle of a finished task that this ledger does not know."""
    first = bench.one(provider="modellix")
    bench.close()
    for file in bench.home.glob("ledger.sqlite*"):
        file.unlink(missing_ok=True)  # SQLite clears up behind itself as well
    assert first.task is not None
    return first.task.handle


def test_a_handle_of_another_ledger_is_followed_written_down_and_kept(bench: Bench) -> None:
    (adopted,) = poll(bench, of_another_ledger(bench))
    assert adopted.error is None and len(adopted.files) == 1
    assert bench.states() == ["done"] and bench.house.paid() == 1
    assert bench.rows()[0]["price_basis"] == "unknown"


def test_a_handle_of_another_ledger_whose_links_do_not_work_is_collected_later(bench: Bench) -> None:
    handle = of_another_ledger(bench)
    bench.house.behave(Fault("http_403", on="download"))
    (outcome,) = poll(bench, handle)
    assert type(outcome.error) is UnfinishedError and "links no longer work" in str(outcome.error)
    assert bench.states() == ["accepted"]
    bench.house.behave()
    (outcome,) = poll(bench, handle)
    assert outcome.error is None and len(outcome.files) == 1


def test_a_handle_that_nobody_knows_is_told_and_not_kept_open(bench: Bench) -> None:
    (outcome,) = poll(bench, "modellix:mistyped")
    assert type(outcome.error) is FailedError
    assert "modellix:mistyped is not in this ledger" in str(outcome.error) and "check the handle" in str(outcome.error)
    assert bench.states() == ["failed"]


@pytest.mark.parametrize("handle", ["modellix:~9", "sandbox:other-1"])
def test_a_handle_that_cannot_be_is_refused(bench: Bench, handle: str) -> None:
    with pytest.raises(InputError, match="Nothing was asked and nothing was paid"):
        poll(bench, handle)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("failed", FailedError),
        ("cancelled", FailedError),
        ("uncertain", UncertainError),
        ("submitting", UnfinishedError),
    ],
)
def test_a_task_without_pictures_says_why(bench: Bench, state: str, kind: type[Exception]) -> None:
    bench.one(provider="modellix")
    bench.change(state=state, reason="as it was")
    (outcome,) = poll(bench, "modellix:~1")
    assert type(outcome.error) is kind and "as it was" in str(outcome.error)


def test_without_its_key_a_task_is_kept_and_says_so(bench: Bench) -> None:
    bench.house.behave(Fault("http_401", on="poll"))
    assert type(bench.one(provider="modellix").error) is UnfinishedError
    bench.keys("apimodels")
    (outcome,) = poll(bench, "modellix:~1")
    assert type(outcome.error) is UnfinishedError and "Set MODELLIX_API_KEY" in str(outcome.error)
    bench.keys(*PROVIDERS)
    bench.house.behave()
    assert poll(bench, "modellix:~1")[0].error is None


# Pictures that turn out to be damaged only when they are decoded.


def test_a_picture_marked_unread_is_fetched_anew_for_nothing(bench: Bench) -> None:
    first = bench.one(provider="modellix")
    whole = first.files[0].read_bytes()
    first.files[0].write_bytes(whole[:-20] + bytes(20))
    assert first.task is not None
    marked = [bench.engine.mark_unread(first.task, str(UnreadError("damaged"))).result(SECONDS) for _ in range(2)]
    assert [task.state for task in marked] == [State.UNREAD, State.UNREAD]
    again = bench.one(provider="modellix")
    assert again.files[0].read_bytes() == whole and bench.states() == ["done"] and bench.house.paid() == 1


def test_lists_of_tasks_are_newest_first(bench: Bench) -> None:
    bench.one(provider="modellix")
    bench.one(provider="apimodels")
    for limit, state, providers in (
        (10, None, ["apimodels", "modellix"]),
        (1, State.DONE, ["apimodels"]),
        (10, State.FAILED, []),
    ):
        found = bench.engine.look(partial(Ledger.recent, limit=limit, state=state)).result(SECONDS)
        assert [task.provider for task in found] == providers


# A ledger that cannot be written for a while, and tasks that nobody follows.


@pytest.fixture
def short_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(sharing, "LEASE_SECONDS", 0.5)


def test_an_id_that_could_not_be_written_down_is_told_kept_and_collected_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, short_beats: None
) -> None:
    step, full = Ledger.step, threading.Event()

    def no_room(ledger: Ledger, task: Task, state: State, **changed: Any) -> Task:
        if state is State.ACCEPTED and not full.is_set():
            raise SetupError("The disk is full.")
        return step(ledger, task, state, **changed)

    monkeypatch.setattr(Ledger, "step", no_room)
    told = bench.one(provider="modellix").error
    assert type(told) is UnfinishedError and told.handle is not None and told.handle in str(told)
    full.set()
    until(lambda: bench.states() == ["done"])
    assert bench.one(provider="modellix").how == "reused" and bench.house.paid() == 1


@pytest.mark.slow
def test_a_task_whose_end_could_not_be_written_down_does_not_stand_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, short_beats: None
) -> None:
    bench.house.behave(Fault("http_400", on="create"))
    step, full = Ledger.step, threading.Event()

    def no_room(ledger: Ledger, task: Task, state: State, **changed: Any) -> Task:
        if not full.is_set():
            raise SetupError("The disk is full.")
        return step(ledger, task, state, **changed)

    monkeypatch.setattr(Ledger, "step", no_room)
    assert bench.one(provider="modellix").error is not None
    full.set()
    until(lambda: bench.states() == ["uncertain"])


def test_a_task_that_cannot_be_followed_now_waits_for_nobody_and_for_whoever_asks(bench: Bench) -> None:
    bench.house.behave(Fault("http_401", on="poll"))
    assert type(bench.one(provider="modellix").error) is UnfinishedError
    assert [row["worker"] for row in bench.rows()] == [""]
    bench.house.behave()
    assert bench.one(provider="modellix").files and bench.house.paid() == 1


def test_an_open_and_a_named_provider_pay_once_where_both_are_about_to_be_sent(bench: Bench) -> None:
    bench.house.behave(seconds=0.1)
    (first,), (second,) = bench.submit(provider="auto"), bench.submit(provider="modellix")
    one, other = ended([first, second])
    assert one.files == other.files and bench.house.paid() == 1
    assert sorted(bench.states()) in (["cancelled", "done"], ["done"])


def test_a_ledger_that_fills_up_under_a_paid_task_does_not_make_it_look_unpaid(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise SetupError("The ledger cannot be used (disk full).")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "keep", full)
        outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError
    assert re.match(r"Task modellix:\S+ is paid for; .*for nothing. The ledger cannot be used", str(outcome.error))
    again = bench.one(provider="modellix")
    assert again.error is None and bench.house.paid() == 1
