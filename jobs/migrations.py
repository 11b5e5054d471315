"""The ledger's tables, and the numbered steps that brought them here. A step only ever adds."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

METADATA = sa.MetaData()

TASKS = sa.Table(
    "tasks",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("provider_id", sa.String(256)),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Column("wire_model", sa.String(64), nullable=False),
    sa.Column("dialect", sa.String(32), nullable=False),
    sa.Column("identity", sa.String(64), nullable=False),
    sa.Column("identity_rule", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("resolution", sa.String(8), nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("sent", sa.JSON),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("answer", sa.JSON),
    sa.Column("word", sa.String(64), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("submitted_at", sa.Float),
    sa.Column("accepted_at", sa.Float),
    sa.Column("running_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("collected_at", sa.Float),
    sa.Column("estimated_amount", sa.String(32)),
    sa.Column("estimated_usd", sa.Float),
    sa.Column("actual_amount", sa.String(32)),
    sa.Column("price_unit", sa.String(16), nullable=False),
    sa.Column("price_basis", sa.String(32), nullable=False),
    sa.Column("prompt_id", sa.String(64)),
    sa.Column("node_id", sa.String(64)),
    sa.Column("worker", sa.String(128), nullable=False),
    sa.Column("pack_version", sa.String(32), nullable=False),
    sa.Column("key_hash", sa.String(16), nullable=False, server_default=""),
    sa.Column("hook", sa.String(64)),
    sa.Column("labels", sa.JSON),
    sa.Index("tasks_by_identity", "identity", "provider"),
    sa.Index("tasks_in_state", "state", "number"),
    sa.Index("tasks_of_key", "provider", "key_hash", "state"),
    sa.Index("tasks_of_kind", "provider", "operation", "state", "model", "resolution", "count", "number"),
    sa.Index("tasks_by_provider_id", "provider", "provider_id"),
    sa.Index("tasks_by_time", "created_at"),
    sa.Index("tasks_by_hook", "hook"),
)
"""`running_at` is the last look that found the task unfinished, so that its end lies between that and
`finished_at`. `hook` is the secret part of the address under which its provider may say that it ended."""

RESULTS = sa.Table(
    "results",
    METADATA,
    sa.Column("task", sa.Integer, sa.ForeignKey("tasks.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("file", sa.String(256), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)

WORKERS = sa.Table(
    "workers",
    METADATA,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("beat_at", sa.Float, nullable=False),
)
"""Who is alive: a task belongs to a worker, and a worker that has not beaten for long has lost its tasks."""

CALLS = sa.Table(
    "calls",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("calls_of_key", "key", "at"),
)
"""API calls of the last minute by key, so that all workers together keep its limit."""

SAVINGS = sa.Table(
    "savings",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("task", sa.Integer, sa.ForeignKey("tasks.number"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("amount", sa.String(32)),
    sa.Column("unit", sa.String(16), nullable=False),
    sa.Index("savings_by_time", "at"),
)
"""What was not paid because the pack knew better: `joined`, `reused`, `recovered`."""

VERSIONS = sa.Table(
    "ledger_versions",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("applied_at", sa.Float, nullable=False),
    sa.Column("oldest_reader", sa.Integer, nullable=False),
)


@dataclass(frozen=True)
class Migration:
    """One step. `oldest_reader` is the lowest step that a pack must know to use the ledger after this one."""

    number: int
    name: str
    oldest_reader: int


MIGRATIONS = (
    Migration(1, "first tables", 1),
    # A pack that does not share a key's limits and its requests with other workers would pay twice.
    Migration(2, "several workers", 2),
)
NEWEST = MIGRATIONS[-1].number


def bring_up_to_date(connection: sa.Connection) -> None:
    """Adds the tables, columns and indexes that are not there yet; nothing that is there is touched."""
    METADATA.create_all(connection)
    there = sa.inspect(connection)
    for table in METADATA.sorted_tables:
        known = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
