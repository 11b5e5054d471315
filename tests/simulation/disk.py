"""One real SQLite ledger for all machines of a schedule, whose disk can be full and whose lock can be held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from plan import OFFERS, Trouble
from sqlalchemy.exc import OperationalError
from virtual import Blocking, Clock

from kling_pack.jobs.database import LOCK_SECONDS
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.migrations import METADATA, TASKS, VERSIONS

START = 1_700_000_000.0
"""Seconds since 1970 when a schedule begins. Long ago, so that no real file is older than what may be kept."""


A_MOMENT = 0.001


class BusyError(Exception):
    """Another program holds the lock: the call blocks here."""


class Disk(Ledger):
    """Kept from schedule to schedule in one process, as opening it takes longer than most schedules do."""

    def __init__(self) -> None:
        self.timeline = Clock()
        self._troubles: tuple[Trouble, ...] = ()
        self._patient = True
        super().__init__("sqlite://", lambda: START + self.timeline.now)
        sa.event.listen(self._engine, "before_cursor_execute", self._before)
        sa.event.listen(self._engine, "commit", self._before_commit)
        self._wrote = False

    def begin(self, clock: Clock, troubles: tuple[Trouble, ...], known: bool) -> None:
        """Empty for a new schedule; with `known`, an answer of each provider and operation was read long ago."""
        self.timeline, self._troubles = Clock(), ()
        with self.writing() as connection:
            for table in reversed(METADATA.sorted_tables):
                if table is not VERSIONS:
                    connection.execute(sa.delete(table))
            if known:
                connection.execute(sa.insert(TASKS), [_done(*kind) for kind in _KINDS])
        self.timeline, self._troubles = clock, troubles

    def close(self) -> None:
        """The file is there for the next process."""

    def trouble(self, since: float = 0.0) -> str:
        """What troubles the disk now, or did within the last `since` seconds; else nothing."""
        now = self.timeline.now
        return next((one.kind for one in self._troubles if one.at <= now < one.until + since), "")

    def patiently(self, act: Callable[[], Any], lives: Callable[[], bool]) -> Any:
        """Runs a call of the ledger; a generator of its waiting where another program holds the lock."""
        try:
            return act()
        except BusyError:
            return self._wait(act, lives)

    def _wait(self, act: Callable[[], Any], lives: Callable[[], bool]) -> Blocking:
        began = self.timeline.now
        while lives():
            self._patient = self.timeline.now - began < LOCK_SECONDS - A_MOMENT
            try:
                return act()
            except BusyError:
                until = next(one.until for one in self._troubles if one.at <= self.timeline.now < one.until)
            finally:
                self._patient = True
            yield min(until, began + LOCK_SECONDS) - self.timeline.now + A_MOMENT

    def _before(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            return
        trouble = self.trouble()
        self._wrote = True
        if trouble == "locked":
            if self._patient:
                raise BusyError
            raise OperationalError(statement, None, sqlite3.OperationalError("database is locked"))
        if trouble == "full" and not statement.startswith("BEGIN"):
            raise OperationalError(statement, None, sqlite3.OperationalError("database or disk is full"))

    def _before_commit(self, connection: Any) -> None:
        wrote, self._wrote = self._wrote, False
        if wrote and self.trouble() == "full at the end":
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))


_KINDS = [(provider, *kind) for kind, offers in OFFERS.items() for provider in offers]


def _done(provider: str, operation: str, model: str) -> dict[str, Any]:
    then = START - 1e6
    empty = dict.fromkeys(("wire_model", "resolution", "price_unit", "price_basis", "pack_version"), "")
    times = {f"{name}_at": then for name in ("created", "submitted", "accepted", "collected")}
    return {
        **empty, **times, "finished_at": then + 5.0, "state": "done", "provider": provider, "provider_id": "long-ago",
        "operation": operation, "model": model, "dialect": provider, "identity": f"{provider}-{operation}",
        "identity_rule": 1, "count": 1, "request": {}, "changes": [], "worker": "long/1/1/ago",
    }  # fmt: skip
