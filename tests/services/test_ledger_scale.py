"""No question of the engine reads the whole ledger, however long it has grown: the databases' own plans say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_scale import STEPS, Scale, table
from postgres import Postgres

ROWS = 100_000
INSTRUCTIONS = 10
"""So many of SQLite's own at a time are counted; a row that is read takes more than one."""
GROWING = ("tasks", "results", "savings")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def scale(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    folder = tmp_path_factory.mktemp("scale")
    if request.param == "sqlite":
        scale = Scale(f"sqlite:///{folder / 'ledger.sqlite'}", ROWS)
        yield scale
        scale.close()
        return
    with Postgres(folder) as server:
        scale = Scale(server.database(), ROWS)
        yield scale
        scale.close()


def plans(scale: Scale, name: str) -> Iterator[tuple[str, list[str]]]:
    """Each statement of a question, and how the database carries it out."""
    engine = scale.ledger._engine
    sent: list[tuple[str, Any]] = []
    question = scale.questions()[name]
    given = question.prepare()

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        sent.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    question.ask(given)
    sa.event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        for statement, parameters in sent:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
                yield statement, [str(row[-1]) for row in rows]


def whole_table(statement: str, plan: list[str]) -> list[str]:
    """The lines of a plan that read every row of a table that grows."""
    scans = [f"{word} {table}" for word in ("SCAN", "Seq Scan on") for table in GROWING]
    found = [line for line in plan if any(scan in line for scan in scans)]
    # SQLite says SCAN as well where it walks rows in the order asked for and leaves off after so many.
    in_order = "LIMIT" in statement and not any("TEMP B-TREE" in line for line in plan)
    return [line for line in found if line != "SCAN tasks" or not in_order]


QUESTIONS = (
    "let in: a new request", "let in: one that is known", "claim a place", "count a call", "step", "note", "by handle",
    "by number", "kept pictures", "newest 100", "newest 100 done", "newest 100 uncertain", "left behind",
    "how long such tasks take", "first answer", "first answer, never asked", "spent in a day", "saved in a day",
    "paid in a day", "as it was asked", "kept of the newest 100",
)  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_reads_by_an_index(scale: Scale, name: str) -> None:
    explained = list(plans(scale, name))
    assert explained
    for statement, plan in explained:
        assert whole_table(statement, plan) == [], statement


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("scale", ["sqlite"], indirect=True)
def test_a_question_is_little_work(scale: Scale, name: str) -> None:
    """An index that finds nearly all rows is none: the plan does not tell, the instructions carried out do."""
    question, done = scale.questions()[name], [0]
    given = question.prepare()

    def count() -> None:
        done[0] += INSTRUCTIONS

    with scale.ledger.reading() as connection:
        kept = connection.connection.driver_connection
        assert kept is not None
        kept.set_progress_handler(count, INSTRUCTIONS)
    question.ask(given)
    kept.set_progress_handler(None, 0)
    assert 0 < done[0] < ROWS / 4


def test_no_question_is_left_out(scale: Scale) -> None:
    assert set(scale.questions()) == set(QUESTIONS)


def test_the_table_has_a_row_for_each_question_and_a_column_for_each_ledger() -> None:
    figures = {
        "SQLite": {"1000": {"step": 0.5, STEPS: 800.0}, "1000000": {"step": 0.52, STEPS: 790.0}},
        "PostgreSQL": {"1000": {"step": 1.0, STEPS: 400.0}, "1000000": {"step": 1.1, STEPS: 390.0}},
    }
    assert table(figures).splitlines() == [
        "| | SQLite, 1,000 rows | SQLite, 1,000,000 rows | PostgreSQL, 1,000 rows | PostgreSQL, 1,000,000 rows |",
        "|---|---:|---:|---:|---:|",
        "| step | 0.50 ms | 0.52 ms | 1.00 ms | 1.10 ms |",
        "| steps a second | 800 | 790 | 400 | 390 |",
    ]
