"""The ledger's own versions: an older pack goes on with a newer ledger unless that says it must not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kling_pack.errors import SetupError
from kling_pack.jobs import ledger as ledger_module
from kling_pack.jobs import migrations
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.migrations import MIGRATIONS, NEWEST, Migration


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


def test_an_older_ledger_is_brought_up_to_date(
    file: Path, ask: Callable[[str], list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_close(file)
    step = Migration(
        NEWEST + 1,
        "colours",
        1,
        lambda connection: connection.execute(sa.text("ALTER TABLE tasks ADD COLUMN colour TEXT")),
    )  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(ledger_module, "MIGRATIONS", (*MIGRATIONS, step))
    open_and_close(file)
    assert "colour" in {row[1] for row in ask("PRAGMA table_info(tasks)")}
    assert ask("SELECT max(number) FROM ledger_versions") == [(migrations.NEWEST + 1,)]
