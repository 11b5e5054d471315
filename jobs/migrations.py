"""The ledger's tables, one numbered step after the other. A released step is never changed."""

from __future__ import annotations

from collections.abc import Callable
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
    sa.Column("key_hash", sa.String(16)),
    sa.Column("labels", sa.JSON),
    sa.Index("tasks_by_identity", "identity", "provider"),
    sa.Index("tasks_by_state", "state"),
    sa.Index("tasks_by_provider_id", "provider", "provider_id"),
    sa.Index("tasks_by_time", "created_at"),
)

RESULTS = sa.Table(
    "results",
    METADATA,
    sa.Column("task", sa.Integer, sa.ForeignKey("tasks.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("file", sa.String(256), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)

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
    apply: Callable[[sa.Connection], None]


def _first_tables(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[TASKS, RESULTS])


MIGRATIONS = (Migration(1, "first tables", 1, _first_tables),)
NEWEST = MIGRATIONS[-1].number
