"""The ledger's database: opened, brought up to date, and every failure told as the pack tells failures.

Calls block; the engine makes them on a thread of their own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..errors import SetupError
from .drives import sqlite_advice
from .migrations import METADATA, MIGRATIONS, NEWEST, VERSIONS, bring_up_to_date
from .redact import redact

LOG = logging.getLogger("kling")
LOCK_SECONDS = 10
BROKEN = ("not a database", "malformed")
"""SQLite's words for a file that no longer is what it wrote."""

LEDGER_LOCK = 0x6B6C696E67
"""PostgreSQL's name for the one lock that steps which several workers must not take at once are taken under."""


class Database:
    """Opens the ledger at an SQLAlchemy URL. Raises SetupError when it cannot be written or read.

    `now` gives seconds since 1970. A PostgreSQL server's own clock goes before it: workers may disagree.
    """

    def __init__(self, url: str, now: Callable[[], float] = time.time) -> None:
        self._shown, self._now = redact(url), now
        self._file: Path | None = None
        with self._told():
            self._engine = sa.create_engine(url, **_arguments(url))
            self._is_sqlite = self._engine.dialect.name == "sqlite"
            if self._is_sqlite:
                self._file = _file(self._engine.url.database or "")
                self._warn_of_network_drive()
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            with self.alone() as connection:
                _migrate(connection, self._now())

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """For questions. Raises SetupError, like `writing` and `alone`."""
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, durable when it ends."""
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """One transaction in which what was read stays true until it ends: no other worker writes beside it."""
        with self._told(), self._engine.begin() as connection:
            if self._is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LEDGER_LOCK)))
            yield connection

    def clock(self, connection: sa.Connection) -> float:
        """Seconds since 1970, the same for every worker."""
        if self._is_sqlite:
            return self._now()
        return float(connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one())

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            cause = redact(str(getattr(error, "orig", None) or error).splitlines()[0])
            advice = sqlite_advice(self._file, trouble=cause) if self._file else None
            raise SetupError(
                f"The ledger at {self._shown} cannot be used ({cause}). No task was started that could not be "
                f"written down. {_remedy(cause)}; then run again.{' ' + advice if advice else ''}"
            ) from error

    def _warn_of_network_drive(self) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if advice := sqlite_advice(self._file):
                LOG.warning("%s", advice)


def _remedy(cause: str) -> str:
    if any(words in cause for words in BROKEN):
        return (
            "The file is broken: put a copy in its place if you have one, or move it away to begin a new ledger, which "
            "does not know what was paid for before (Kling Poll collects such tasks by their handles)"
        )
    return "Make room, make the folder writable, or set KLING_HOME or KLING_LEDGER_URL"


def _arguments(url: str) -> dict[str, Any]:
    if not url.startswith("sqlite"):
        return {"pool_pre_ping": True}
    arguments: dict[str, Any] = {"connect_args": {"timeout": LOCK_SECONDS, "check_same_thread": False}}
    # A database in memory is one connection's own.
    return arguments | ({"poolclass": StaticPool} if url in ("sqlite://", "sqlite:///:memory:") else {})


def _file(database: str) -> Path | None:
    """Where the ledger lies, if it does in a file of its own name."""
    return None if not database or database.startswith(("file:", ":memory:")) else Path(database)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """WAL lets readers pass; FULL makes every commit survive a power cut, which a paid task must."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: sa.Connection, now: float) -> None:
    METADATA.create_all(connection, tables=[VERSIONS])
    applied = {row.number: row.oldest_reader for row in connection.execute(sa.select(VERSIONS))}
    if applied and applied[max(applied)] > NEWEST:
        raise SetupError(
            f"The ledger was written by a newer version of this pack (step {max(applied)}; this one knows {NEWEST}) "
            "and says that older ones must not use it. Nothing was paid: update the pack."
        )
    missing = [step for step in MIGRATIONS if step.number not in applied]
    if not missing:
        return
    bring_up_to_date(connection)
    for step in missing:
        written = {"number": step.number, "name": step.name, "oldest_reader": step.oldest_reader}
        connection.execute(sa.insert(VERSIONS).values(**written, applied_at=now))
