"""A ledger with as many rows as wanted: a thousand are written, and the database copies them through a year."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from pack import load_pack

load_pack()

from kling_pack.catalog.models import MODELS  # noqa: E402 - the pack is loaded first
from kling_pack.jobs.ledger import Ledger  # noqa: E402
from kling_pack.jobs.migrations import METADATA, RESULTS, SAVINGS, TASKS, bring_up_to_date  # noqa: E402

BLOCK = 1000
YEAR = 365 * 24 * 3600.0
WORKER, GONE = "here/1/1/w", "gone/1/1/w"
"""Two workers; nobody beats for the second one, so that what it had in hand is left behind."""

OPEN_TASKS = 12
"""The newest tasks are under way, half of them a dead worker's."""

SPREAD = ("done",) * 97 + ("failed", "cancelled", "unread")
"""How tasks ended, of a hundred."""

REQUEST = {"fields": {"prompt": "a lighthouse on a cliff, " * 6, "aspect_ratio": "16:9"}, "pictures": {}, "seed": 1}
ANSWER = {"code": 0, "data": {"status": "success", "result": {"resources": [{"url": "https://x.example/" + "x" * 99}]}}}
SCATTER, ROUND = 2_654_435_761, 4_294_967_296
"""Multiplying by the one within the other visits every number once, in no order: a digest as an index sees it."""

OFFERS = tuple((model, offer) for model in MODELS for offer in model.offers)


def fill(ledger: Ledger, rows: int) -> None:
    """Writes `rows` tasks, whole thousands, with their pictures and savings into a blank ledger."""
    blocks = rows // BLOCK
    seconds = YEAR / blocks
    with ledger.writing() as connection:
        for table in METADATA.sorted_tables:
            for index in table.indexes:
                index.drop(connection)
        written = [row(number, time.time() - YEAR + seconds * number / BLOCK) for number in range(1, BLOCK + 1)]
        connection.execute(sa.insert(TASKS), written)
        if blocks > 1:
            _copy(connection, blocks, seconds)
        connection.execute(
            sa.update(TASKS)
            .where(TASKS.c.number > rows - OPEN_TASKS)
            .values(state="accepted", collected_at=None, finished_at=None)
        )
        _spread_results(connection)
        bring_up_to_date(connection)
    _count_anew(ledger)


def identity(number: int) -> str:
    """What the task of this number is known by."""
    return f"{'f' * 50}{number * SCATTER % ROUND}"


def row(number: int, created_at: float) -> dict[str, Any]:
    """A finished task as the ledger has it, all columns but its number."""
    model, offer = OFFERS[number % len(OFFERS)]
    return {
        "state": SPREAD[number % len(SPREAD)],
        "provider": offer.provider,
        "provider_id": f"id-{number}",
        "operation": model.operation,
        "model": model.name,
        "wire_model": offer.wire_model,
        "dialect": offer.provider,
        "identity": identity(number),
        "identity_rule": 1,
        "count": 1,
        "resolution": "1k",
        "request": REQUEST,
        "changes": [],
        "answer": ANSWER,
        "created_at": created_at,
        "submitted_at": created_at + 1,
        "accepted_at": created_at + 2,
        "running_at": created_at + 20,
        "finished_at": created_at + 21 + number % 7,
        "collected_at": created_at + 29,
        "estimated_amount": "0.028",
        "estimated_usd": 0.028,
        "price_unit": "USD",
        "price_basis": "catalogue",
        "worker": GONE if number % 2 else WORKER,
        "pack_version": "1",
        "key_hash": f"key-{number % 2}",
    }


def _copy(connection: sa.Connection, blocks: int, seconds: float) -> None:
    """Writes the first block again and again, each time so many seconds later."""
    first = sa.select(sa.literal_column("1").label("block")).cte("copies", recursive=True)
    copies = first.union_all(sa.select(first.c.block + 1).where(first.c.block < blocks - 1))
    number = TASKS.c.number + copies.c.block * BLOCK
    scattered = sa.cast(number, sa.BigInteger) * SCATTER % ROUND
    changed = {
        "number": number,
        "provider_id": sa.literal("id-") + sa.cast(number, sa.String()),
        "identity": sa.literal("f" * 50) + sa.cast(scattered, sa.String()),
        **{name: TASKS.c[name] + copies.c.block * seconds for name in TASKS.c.keys() if name.endswith("_at")},  # noqa: SIM118 - columns, not a dict
    }
    copied = sa.select(*(changed.get(column.name, column) for column in TASKS.c)).join_from(TASKS, copies, sa.true())
    connection.execute(sa.insert(TASKS).from_select([column.name for column in TASKS.c], copied))


def _spread_results(connection: sa.Connection) -> None:
    done = TASKS.c.state == "done"
    file = sa.literal("2026-01/") + TASKS.c.provider_id
    kept = sa.select(TASKS.c.number, sa.literal(0), file, sa.literal(1_500_000), TASKS.c.identity).where(done)
    connection.execute(sa.insert(RESULTS).from_select(["task", "position", "file", "size", "digest"], kept))
    spared = sa.select(
        TASKS.c.finished_at, TASKS.c.number, sa.literal("reused"), TASKS.c.estimated_amount, TASKS.c.price_unit
    ).where(done, TASKS.c.number % 5 == 0)
    connection.execute(sa.insert(SAVINGS).from_select(["at", "task", "kind", "amount", "unit"], spared))


def _count_anew(ledger: Ledger) -> None:
    """A PostgreSQL server counts its rows by itself, within a minute; SQLite never does."""
    with ledger.reading() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('tasks_number_seq', (SELECT max(number) FROM tasks))")
            connection.commit()
            connection.exec_driver_sql("ANALYZE")
            connection.commit()
