"""What workers on one ledger decide together: on real SQLite files and on a real PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import rows
from postgres import Postgres

from kling_pack.errors import SetupError
from kling_pack.jobs import sharing
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.sharing import LEASE_SECONDS, LONGEST_DOUBT, MINUTE, Sharing
from kling_pack.jobs.states import State
from kling_pack.jobs.task import NOBODY, TakenError, Task, Wanted
from kling_pack.providers.base import Limits

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ROW: dict[str, Any] = {**rows.ROW, "estimated_usd": 0.5, "key_hash": "k"}
LIMITS = Limits(2, 60)
KEY = "modellix/k"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    new: str = request.getfixturevalue("postgres").database()
    return new


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    ledger = Ledger(url)
    yield ledger
    ledger.close()


@pytest.fixture
def worker(ledger: Ledger) -> Callable[[str], Sharing]:
    """A worker of this name that has just beaten."""

    def hire(name: str) -> Sharing:
        hired = Sharing(ledger, name)
        hired.beat()
        return hired

    return hire


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch, ledger: Ledger) -> Callable[[float], None]:
    """Lets every beat and call so far be so many seconds older."""

    def age(seconds: float) -> None:
        with ledger.writing() as connection:
            connection.exec_driver_sql(f"UPDATE workers SET beat_at = beat_at - {seconds}")
            connection.exec_driver_sql(f"UPDATE calls SET at = at - {seconds}")
            connection.exec_driver_sql(f"UPDATE tasks SET submitted_at = submitted_at - {seconds}")

    return age


def wanted(worker: str, **changed: Any) -> Wanted:
    return Wanted(ROW | {"worker": worker} | changed, ("modellix", "apimodels"))


def anything(new: Sequence[int], spent_since: Callable[[float], float]) -> None:
    """Everything may be paid for."""


def let_in(worker: Sharing, name: str, **changed: Any) -> Task:
    ((task, new),) = worker.admit([wanted(name, **changed)], anything)
    assert new
    return task


# Who is alive.


def test_workers_know_each_other_until_they_leave_or_fall_silent(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a, b, c = worker("a"), worker("b"), worker("c")
    assert set(a.others()) == {"b", "c"}
    b.leave()
    assert a.others() == ("c",)
    asleep(LEASE_SECONDS + 1)
    assert a.others() == ()
    c.beat()
    assert a.others() == ("c",)


def test_what_a_silent_worker_had_in_hand_is_taken_over_once(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a, b, c = worker("a"), worker("b"), worker("c")
    task = let_in(a, "a")
    assert b.left_behind() == ()
    asleep(LEASE_SECONDS + 1)
    b.beat()
    c.beat()
    assert b.left_behind() == c.left_behind() == (task,)
    taken = b.take_over(task)
    assert taken is not None and taken.worker == "b"
    assert c.take_over(task) is None and c.left_behind() == ()


def test_who_was_taken_for_dead_cannot_send_what_is_no_longer_its_own(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a, b = worker("a"), worker("b")
    task = let_in(a, "a")
    asleep(LEASE_SECONDS + 1)
    assert b.take_over(task)
    with pytest.raises(TakenError):
        a.claim(task, KEY, LIMITS, alone=False)


def test_what_nobody_follows_is_left_to_who_is_asked_for_it_and_to_the_next_engine(
    worker: Callable[[str], Sharing], ledger: Ledger
) -> None:
    a, b = worker("a"), worker("b")
    sent = a.claim(let_in(a, "a"), KEY, LIMITS, alone=False).task
    assert sent is not None
    released = a.release(ledger.step(sent, State.ACCEPTED, provider_id="x"))
    assert released.worker == NOBODY and a.left_behind() == b.left_behind() == ()
    assert b.left_behind(released=True) == (released,)
    taken = b.take_over(released)
    assert taken is not None and taken.worker == "b"


def test_a_worker_finds_its_own_tasks_of_a_while_ago(worker: Callable[[str], Sharing], ledger: Ledger) -> None:
    a = worker("a")
    old = let_in(a, "a")
    with ledger.reading() as connection:
        now = ledger.clock(connection)
    let_in(a, "a", identity="another", created_at=now)
    assert a.left_behind() == (old,)


def test_who_was_taken_for_dead_writes_nothing_into_what_is_no_longer_its_own(
    worker: Callable[[str], Sharing], ledger: Ledger
) -> None:
    a, b = worker("a"), worker("b")
    task = let_in(a, "a")
    assert b.take_over(task)
    with pytest.raises(TakenError):
        ledger.note(task, word="done")
    assert ledger.seen(task).word == ""


# A request is paid once.


def test_of_two_tasks_of_one_request_at_one_provider_only_the_first_is_sent(
    worker: Callable[[str], Sharing], ledger: Ledger
) -> None:
    """A run that names the provider and one that leaves it open may both have begun."""
    a = worker("a")
    first, second = let_in(a, "a"), let_in(a, "a")
    sent = a.claim(first, KEY, LIMITS, alone=False).task
    claim = a.claim(second, KEY, LIMITS, alone=False)
    assert claim.task is None and claim.same == sent
    assert ledger.seen(second).state is State.NEW


def test_the_same_request_of_two_workers_is_one_task(worker: Callable[[str], Sharing]) -> None:
    a, b = worker("a"), worker("b")
    task = let_in(a, "a")
    assert b.admit([wanted("b")], anything) == ((task, False),)
    sent = a.claim(task, KEY, LIMITS, alone=False).task
    assert b.admit([wanted("b")], anything) == ((sent, False),)


def test_a_task_that_nobody_will_send_is_not_waited_for(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a, b = worker("a"), worker("b")
    let_in(a, "a")
    asleep(LEASE_SECONDS + 1)
    b.beat()
    let_in(b, "b")


def test_a_worker_does_not_join_what_it_is_itself_about_to_drop(worker: Callable[[str], Sharing]) -> None:
    a = worker("a")
    let_in(a, "a")
    let_in(a, "a")


def test_another_provider_or_request_is_another_task(worker: Callable[[str], Sharing]) -> None:
    a, b = worker("a"), worker("b")
    let_in(a, "a")
    let_in(b, "b", identity="j")
    ((_, new),) = b.admit([Wanted(ROW | {"worker": "b", "provider": "eachlabs"}, ("eachlabs",))], anything)
    assert new


# The budget.


def test_what_is_new_is_reserved_and_what_was_not_paid_is_given_back(
    worker: Callable[[str], Sharing], ledger: Ledger
) -> None:
    a, b = worker("a"), worker("b")
    seen: list[tuple[list[int], float]] = []

    def check(new: Sequence[int], spent_since: Callable[[float], float]) -> None:
        seen.append((list(new), spent_since(0.0)))

    first = let_in(a, "a")
    b.admit([wanted("b"), wanted("b", identity="j"), wanted("b", identity="k")], check)
    ledger.step(first, State.CANCELLED)
    b.admit([wanted("b", identity="l")], check)
    assert seen == [([1, 2], 0.5), ([0], 1.0)]


def test_a_run_that_may_not_be_paid_for_leaves_nothing_behind(worker: Callable[[str], Sharing], ledger: Ledger) -> None:
    def refuse(new: Sequence[int], spent_since: Callable[[float], float]) -> None:
        raise SetupError("too dear")

    with pytest.raises(SetupError, match="too dear"):
        worker("a").admit([wanted("a"), wanted("a", identity="j")], refuse)
    assert ledger.recent(10) == ()


def test_what_is_known_needs_no_leave_to_be_paid_for(worker: Callable[[str], Sharing]) -> None:
    a, b = worker("a"), worker("b")
    let_in(a, "a")

    def refuse(new: Sequence[int], spent_since: Callable[[float], float]) -> None:
        raise AssertionError("nothing here is new")

    b.admit([wanted("b")], refuse)


# A key's limits.


def test_no_more_tasks_in_flight_than_the_key_may_whoever_sends_them(
    worker: Callable[[str], Sharing], ledger: Ledger
) -> None:
    a, b = worker("a"), worker("b")
    tasks = [let_in(a, "a", identity=str(number)) for number in range(3)]
    one = a.claim(tasks[0], KEY, LIMITS, alone=False)
    two = b.claim(let_in(b, "b", identity="x"), KEY, LIMITS, alone=False)
    three = a.claim(tasks[1], KEY, LIMITS, alone=False)
    assert [claim.task is not None for claim in (one, two, three)] == [True, True, False]
    assert [claim.in_flight for claim in (one, two, three)] == [1, 2, 2]
    assert one.task is not None
    ledger.note(ledger.step(one.task, State.ACCEPTED, provider_id="1"), finished_at=1.0)
    assert a.claim(tasks[1], KEY, LIMITS, alone=False).task


def test_a_task_that_may_be_there_unseen_takes_a_place_until_it_must_have_ended(
    worker: Callable[[str], Sharing], ledger: Ledger, asleep: Callable[[float], None]
) -> None:
    a, one = worker("a"), Limits(1, 60)
    lost = a.claim(let_in(a, "a"), KEY, one, alone=True).task
    assert lost is not None
    ledger.step(lost, State.UNCERTAIN)
    waits = let_in(a, "a", identity="another")
    assert a.claim(waits, KEY, one, alone=True).task is None
    asleep(LONGEST_DOUBT + 1)
    sent = a.claim(waits, KEY, one, alone=True).task
    assert sent is not None
    a.release(ledger.step(sent, State.ACCEPTED, provider_id="x"))
    asleep(LONGEST_DOUBT + 1)
    assert a.claim(let_in(a, "a", identity="a third"), KEY, one, alone=True).task


def test_another_key_has_places_of_its_own(worker: Callable[[str], Sharing]) -> None:
    a = worker("a")
    for number in range(2):
        a.claim(let_in(a, "a", identity=str(number)), KEY, LIMITS, alone=False)
    assert a.claim(let_in(a, "a", identity="x", key_hash="other"), "modellix/other", LIMITS, alone=False).task


def test_a_task_that_was_sent_hours_ago_takes_no_place(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a = worker("a")
    for number in range(2):
        a.claim(let_in(a, "a", identity=str(number)), KEY, LIMITS, alone=False)
    asleep(sharing.LONGEST_FLIGHT + 1)
    assert a.claim(let_in(a, "a", identity="x"), KEY, LIMITS, alone=False).task


def test_the_first_task_of_a_kind_goes_alone_over_all_workers(worker: Callable[[str], Sharing]) -> None:
    a, b = worker("a"), worker("b")
    assert a.claim(let_in(a, "a"), KEY, LIMITS, alone=True).task
    other = let_in(b, "b", identity="j")
    assert b.claim(other, KEY, LIMITS, alone=True).task is None
    assert b.claim(other, KEY, LIMITS, alone=False).task


def test_calls_of_all_workers_fill_one_minute(
    worker: Callable[[str], Sharing], asleep: Callable[[float], None]
) -> None:
    a, b = worker("a"), worker("b")
    assert [a.call(KEY, 3)[1], b.call(KEY, 3)[1], a.call(KEY, 3)[1]] == [0.0, 0.0, 0.0]
    used, wait = b.call(KEY, 3)
    assert used == 3 and MINUTE - 5 < wait <= MINUTE
    assert b.call("other key", 3) == (1, 0.0)
    asleep(MINUTE + 1)
    assert b.call(KEY, 3) == (1, 0.0)


def test_a_send_is_a_call_too_and_is_not_made_when_the_minute_is_full(worker: Callable[[str], Sharing]) -> None:
    a = worker("a")
    for _ in range(60):
        a.call(KEY, 60)
    claim = a.claim(let_in(a, "a"), KEY, LIMITS, alone=False)
    assert claim.task is None and claim.wait > MINUTE - 30


PROGRAM = """
import sys; sys.path.insert(0, {scripts!r})
from pack import load_pack; load_pack()
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.sharing import Sharing
from kling_pack.jobs.task import Wanted
from kling_pack.providers.base import Limits
me, row = sys.argv[1], {row!r}
worker = Sharing(Ledger({url!r}), me)
worker.beat()
print("ready", flush=True)
sys.stdin.readline()
new = sent = calls = 0
for number in range(20):
    ((task, is_new),) = worker.admit([Wanted(row | {{"worker": me, "identity": str(number)}}, ("modellix",))],
                                     lambda new, spent: None)
    new += is_new
    if is_new:
        sent += worker.claim(task, "modellix/k", Limits(7, 1000), alone=False).task is not None
    calls += worker.call("another", 25)[1] == 0.0
print(new, sent, calls)
"""


@pytest.mark.slow
def test_processes_that_want_the_same_at_the_same_moment_pay_once_and_keep_the_limits(url: str, ledger: Ledger) -> None:
    program = PROGRAM.format(scripts=str(SCRIPTS), row=ROW, url=url)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"worker-{number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(3)
    ]  # fmt: skip
    for one in started:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    counts = [[int(word) for word in one.communicate(timeout=60)[0].split()] for one in started]
    assert [sum(column) for column in zip(*counts, strict=True)] == [20, 7, 25]
    assert len(ledger.in_state(State.SUBMITTING)) == 7
