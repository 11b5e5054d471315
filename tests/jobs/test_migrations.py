"""The ledger's own versions: an older pack goes on with a newer ledger unless that says it must not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kling_pack.errors import SetupError
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.migrations import MIGRATIONS, NEWEST


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ask(file: Path) -> Callable[[str], list[tuple[object, ...]]]:
    """Rows of the file by a connection of its own."""

    def rows(query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(file)
        found: list[tuple[object, ...]] = connection.execute(query).fetchall()
        connection.commit()
        connection.close()
        return found

    return rows


def open_and_close(file: Path) -> None:
    Ledger(f"sqlite:///{file}").close()


def test_steps_are_numbered_one_by_one() -> None:
    assert [step.number for step in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert all(step.oldest_reader <= step.number for step in MIGRATIONS)


def test_a_blank_ledger_takes_every_step_once(file: Path, ask: Callable[[str], list[tuple[object, ...]]]) -> None:
    open_and_close(file)
    first = ask("SELECT number, name, oldest_reader, applied_at FROM ledger_versions")
    assert [row[:3] for row in first] == [(step.number, step.name, step.oldest_reader) for step in MIGRATIONS]
    open_and_close(file)
    assert ask("SELECT number, name, oldest_reader, applied_at FROM ledger_versions") == first


def test_the_first_step_has_every_column_of_the_story(
    file: Path, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    open_and_close(file)
    columns = {row[1] for row in ask("PRAGMA table_info(tasks)")}
    promised = {
        "sent", "answer", "created_at", "submitted_at", "accepted_at", "finished_at", "collected_at",
        "estimated_amount", "actual_amount", "price_unit", "price_basis", "prompt_id", "worker",
        "pack_version", "key_hash", "labels",
        "identity", "identity_rule",
    }  # fmt: skip
    assert promised <= columns


def newer(ask: Callable[[str], list[tuple[object, ...]]], oldest_reader: int) -> None:
    """A later version takes a step that this one does not know."""
    ask("ALTER TABLE tasks ADD COLUMN colour TEXT")
    ask(f"INSERT INTO ledger_versions VALUES ({NEWEST + 1}, 'colours', 0, {oldest_reader})")


def test_a_newer_ledger_that_allows_it_is_used(file: Path, ask: Callable[[str], list[tuple[object, ...]]]) -> None:
    open_and_close(file)
    newer(ask, oldest_reader=NEWEST)
    open_and_close(file)
    assert len(ask("SELECT * FROM ledger_versions")) == NEWEST + 1


def test_a_newer_ledger_that_forbids_it_is_left_alone(
    file: Path, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    open_and_close(file)
    newer(ask, oldest_reader=NEWEST + 1)
    with pytest.raises(
        SetupError, match=f"newer version of this pack .step {NEWEST + 1}; .*Nothing was paid: update the pack"
    ):
        open_and_close(file)


def test_a_ledger_of_the_first_step_is_brought_up_to_date(
    file: Path, ask: Callable[[str], list[tuple[object, ...]]]
) -> None:
    """Nothing that is there is touched: the tasks keep what they say."""
    open_and_close(file)
    whole = ask("SELECT type, name FROM sqlite_master ORDER BY name"), ask("PRAGMA table_info(tasks)")
    for what in ("INDEX tasks_by_hook", "INDEX tasks_of_kind", "TABLE savings", "TABLE calls", "TABLE workers"):
        ask(f"DROP {what}")
    for column in ("hook", "running_at"):
        ask(f"ALTER TABLE tasks DROP COLUMN {column}")
    columns = ", ".join(str(row[1]) for row in ask("PRAGMA table_info(tasks)") if row[3] and row[1] != "number")
    ask(f"INSERT INTO tasks ({columns}) SELECT {', '.join('1' for _ in columns.split(', '))}")
    ask("DELETE FROM ledger_versions WHERE number > 1")
    open_and_close(file)
    assert ask("SELECT type, name FROM sqlite_master ORDER BY name") == whole[0]
    assert {row[1:3] for row in ask("PRAGMA table_info(tasks)")} == {row[1:3] for row in whole[1]}
    assert ask("SELECT count(*), max(provider) FROM tasks") == [(1, "1")]
    assert ask("SELECT max(number) FROM ledger_versions") == [(NEWEST,)]
