"""The ledger on real SQLite files: durable, checked, and clear when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from rows import ACCEPTED, DONE, add

from kling_pack.errors import SetupError
from kling_pack.jobs.drives import Mount
from kling_pack.jobs.ledger import Ledger, Saving, find_open
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Result, TakenError, Task

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder with ümlaut" / "ledger.sqlite"


@pytest.fixture
def ledger(file: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{file}")
    yield ledger
    ledger.close()


def find(ledger: Ledger, identity: str, *providers: str) -> Task | None:
    with ledger.reading() as connection:
        return find_open(connection, identity, providers)


def test_a_new_row_is_new_and_seen_by_others_at_once(ledger: Ledger, file: Path) -> None:
    task = add(ledger, changes=["a change"])
    assert (task.number, task.state, task.handle, task.changes) == (1, State.NEW, "modellix:~1", ("a change",))
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT state FROM tasks").fetchall() == [("new",)]
    other.close()


def test_commits_survive_a_power_cut(ledger: Ledger, file: Path) -> None:
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_step_is_written_with_what_came_with_it(ledger: Ledger) -> None:
    task = add(ledger, State.SUBMITTING)
    accepted = ledger.step(task, State.ACCEPTED, provider_id="abc", accepted_at=101.0)
    assert (accepted.state, accepted.handle, accepted.accepted_at) == (State.ACCEPTED, "modellix:abc", 101.0)
    assert ledger.by_handle("modellix", "abc") == accepted == ledger.by_handle("modellix", "~1")
    assert ledger.by_handle("eachlabs", "abc") is None is ledger.by_handle("modellix", "~2")


def test_a_step_that_is_not_allowed_changes_nothing(ledger: Ledger) -> None:
    task = add(ledger)
    with pytest.raises(ValueError, match="from new to done"):
        ledger.step(task, State.DONE)
    assert ledger.by_handle("modellix", "~1") == task


def test_a_step_from_a_state_that_another_has_left_changes_nothing(ledger: Ledger) -> None:
    stale = add(ledger)
    ahead = ledger.step(ledger.step(stale, State.SUBMITTING), State.ACCEPTED, provider_id="abc")
    with pytest.raises(TakenError, match="no longer new"):
        ledger.step(stale, State.CANCELLED)
    assert ledger.by_handle("modellix", "abc") == ahead


def test_notes_change_columns_and_no_state(ledger: Ledger) -> None:
    task = ledger.note(add(ledger, *ACCEPTED), word="warming_up")
    assert (task.word, task.state) == ("warming_up", State.ACCEPTED)


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ((), False),
        ((State.FAILED,), False),
        ((State.CANCELLED,), False),
        ((State.SUBMITTING,), True),
        ((State.SUBMITTING, State.UNCERTAIN), True),
        (ACCEPTED, True),
        ((*ACCEPTED, State.UNREAD), True),
        (DONE, True),
    ],
)
def test_the_same_request_is_found_unless_it_surely_cost_nothing(
    ledger: Ledger, states: tuple[State, ...], found: bool
) -> None:
    task = add(ledger, *states)
    assert find(ledger, "i", "modellix") == (task if found else None)
    assert find(ledger, "i", "eachlabs", "apimodels") is None
    assert find(ledger, "other", "modellix") is None


def test_what_is_nearest_to_pictures_is_found_first(ledger: Ledger) -> None:
    add(ledger, State.SUBMITTING, State.UNCERTAIN)
    done = add(ledger, *DONE)
    add(ledger, *ACCEPTED)
    assert find(ledger, "i", "modellix") == done


def test_kept_pictures_come_back_in_order_and_are_replaced_by_place(ledger: Ledger) -> None:
    task = add(ledger, *DONE)
    first, second, again = Result(0, "a.png", 3, "aa"), Result(1, "b.png", 4, "bb"), Result(0, "c.png", 5, "cc")
    for result in (second, first, again):
        ledger.keep(task, result)
    assert ledger.results(task) == (again, second)
    ledger.forget_results(task)
    assert ledger.results(task) == ()


def test_lists_are_newest_first_and_by_state(ledger: Ledger) -> None:
    old, new = add(ledger, *DONE), add(ledger)
    assert ledger.recent(10) == (new, old)
    assert ledger.recent(1) == (new,)
    assert ledger.recent(10, State.DONE) == (old,)
    assert ledger.in_state(State.NEW, State.DONE) == (old, new)


def test_the_first_answer_counts_once_one_was_read(ledger: Ledger) -> None:
    assert ledger.first_answer("modellix", "text") is None
    add(ledger, *ACCEPTED, State.UNREAD)
    assert ledger.first_answer("modellix", "text") is State.UNREAD
    add(ledger, *DONE)
    assert ledger.first_answer("modellix", "text") is State.DONE
    assert ledger.first_answer("modellix", "image") is None


def test_durations_tell_between_which_looks_like_tasks_ended(ledger: Ledger) -> None:
    """Seconds from acceptance, the newest first; where nobody saw it running, from acceptance itself."""
    times = {"accepted_at": 100.0, "running_at": 109.0, "finished_at": 110.0}
    add(ledger, *DONE, **times)
    add(ledger, *DONE, **times | {"running_at": None, "finished_at": 114.0})
    add(ledger, *DONE, **times, resolution="2k")
    add(ledger, *ACCEPTED, **times)
    assert ledger.durations("modellix", "text", "kling-v3", "1k", 1) == ((0.0, 14.0), (9.0, 10.0))
    assert ledger.durations("modellix", "text", "kling-v3", "1k", 2) == ()


def test_what_was_spared_is_told_with_its_price(ledger: Ledger) -> None:
    task = add(ledger, *DONE, estimated_amount="0.028")
    free = add(ledger, *DONE, provider="sandbox")
    for at, spared, kind in ((10.0, task, "reused"), (20.0, task, "joined"), (30.0, free, "reused")):
        ledger.note_saving(spared, kind, at)
    assert ledger.saved(15.0) == (Saving(20.0, "modellix", "joined", "0.028", "USD"),)
    assert [saving.kind for saving in ledger.saved(0.0)] == ["reused", "joined"]


def test_spent_counts_what_is_or_may_be_paid(ledger: Ledger) -> None:
    for states in (
        (),
        (State.SUBMITTING,),
        (State.SUBMITTING, State.UNCERTAIN),
        ACCEPTED,
        (*ACCEPTED, State.UNREAD),
        DONE,
    ):
        add(ledger, *states, estimated_usd=1.0)
    for states in ((State.FAILED,), (State.CANCELLED,), (*ACCEPTED, State.FAILED)):
        add(ledger, *states, estimated_usd=100.0)
    add(ledger, *DONE, provider="sandbox", estimated_usd=100.0)
    add(ledger, *DONE, estimated_usd=100.0, created_at=1.0)
    assert ledger.spent_usd(since=50.0) == 6.0


# A ledger that cannot be used is told before anything is paid.

CLEAR = "ledger at .* cannot be used .*No task was started that could not be written down.*run again"


BROKEN = "No task was started.*put a copy in its place.*or move it away.*run again"


def test_a_file_that_is_no_ledger(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("this is no database, and long enough to have no header of one" * 20)
    with pytest.raises(SetupError, match=f"not a database.*{BROKEN}"):
        Ledger(f"sqlite:///{file}")


def test_a_file_that_lost_its_end(ledger: Ledger, file: Path) -> None:
    ledger.close()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SetupError, match=f"malformed.*{BROKEN}"):
        Ledger(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=CLEAR):
        Ledger(f"sqlite:///{tmp_path / 'file' / 'kling' / 'ledger.sqlite'}")


def test_a_ledger_that_may_only_be_read(ledger: Ledger, file: Path) -> None:
    ledger.close()
    with pytest.raises(SetupError, match=CLEAR):
        add(Ledger(f"sqlite:///file:{file}?mode=ro&uri=true"))


def test_a_full_disk(ledger: Ledger) -> None:
    task = add(ledger, State.SUBMITTING)
    # SQLite's own way to be full: the file may have no more pages than it has.
    sa.event.listen(ledger._engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"))
    with pytest.raises(SetupError, match="full.*Make room"):
        for _ in range(200):
            add(ledger, request={"prompt": "x" * 4000})
    assert ledger.by_handle("modellix", f"~{task.number}") == task


def test_an_address_that_is_none_and_a_driver_that_is_missing() -> None:
    with pytest.raises(SetupError, match=CLEAR):
        Ledger("no address")
    with pytest.raises(SetupError, match=CLEAR) as raised:
        Ledger("oracle://someone:password1@db.example/kling")
    assert "password1" not in str(raised.value)


def test_a_ledger_that_another_keeps_locked(ledger: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_pack.jobs.database.LOCK_SECONDS", 0.05)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SetupError, match="locked"):
        Ledger(f"sqlite:///{file}")
    other.close()


@pytest.mark.slow
def test_processes_that_find_a_blank_ledger_at_once_all_get_it(file: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "from pack import load_pack; load_pack()\n"
        "from kling_pack.jobs.ledger import Ledger\n"
        "sys.stdin.readline()\n"
        f"Ledger({f'sqlite:///{file}'!r}).close()\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    ends = [one.communicate(timeout=20) for one in started]
    assert [one.returncode for one in started] == [0] * 3, ends


def test_a_ledger_on_a_network_drive_says_so(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("kling_pack.jobs.drives.mounts", lambda: (Mount("/", "nfs4"),))
    Ledger(f"sqlite:///{file}").close()
    assert "lies on a network drive (nfs4)" in caplog.text
    file.write_text("no ledger")
    with pytest.raises(SetupError, match="not a database.*lies on a network drive"):
        Ledger(f"sqlite:///{file}")
