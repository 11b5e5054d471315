"""The ledger: what was asked, paid, answered and kept. One row a task, written before anything is paid.

Calls block; the engine makes them on a thread of their own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..catalog.request import SANDBOX
from ..errors import SetupError
from .migrations import METADATA, MIGRATIONS, NEWEST, RESULTS, TASKS, VERSIONS
from .redact import redact
from .states import OPEN, PAID, State, check_step
from .task import Result, Task

LOCK_SECONDS = 10
RECENT_TASKS = 25


class Ledger:
    """Opens the ledger at an SQLAlchemy URL. Raises SetupError when it cannot be written or read."""

    def __init__(self, url: str) -> None:
        self._shown = redact(url)
        with self._told():
            self._database = sa.create_engine(url, connect_args=_arguments(url))
            if self._database.dialect.name == "sqlite":
                _make_folder(self._database.url.database or "")
                sa.event.listen(self._database, "connect", _prepare_sqlite)
            with self._database.begin() as connection:
                if self._database.dialect.name == "sqlite":
                    # Of two processes that find a blank ledger, one makes the tables and the other sees them.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                _migrate(connection)

    def close(self) -> None:
        self._database.dispose()

    def add(self, row: Mapping[str, Any]) -> Task:
        """Writes a new task, durably, before anything is sent."""
        with self._told(), self._database.begin() as connection:
            added = connection.execute(sa.insert(TASKS).values(**row, state=State.NEW.value))
            number = int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0
            return _one(connection, TASKS.c.number == number)

    def adopt(self, row: Mapping[str, Any]) -> Task:
        """Writes a task that another ledger paid for and that is known here only by its handle."""
        with self._told(), self._database.begin() as connection:
            added = connection.execute(sa.insert(TASKS).values(**row, state=State.ACCEPTED.value))
            number = int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0
            return _one(connection, TASKS.c.number == number)

    def step(self, task: Task, state: State, **changed: Any) -> Task:
        """Takes `task` to `state`, with further columns. Raises ValueError for a step that is not allowed."""
        check_step(task.state, state)
        with self._told(), self._database.begin() as connection:
            mine = sa.and_(TASKS.c.number == task.number, TASKS.c.state == task.state.value)
            done = connection.execute(sa.update(TASKS).where(mine).values(**changed, state=state.value))
            if done.rowcount != 1:
                raise ValueError(f"task {task.number} is no longer {task.state.value}")
            return _one(connection, TASKS.c.number == task.number)

    def note(self, task: Task, **changed: Any) -> Task:
        """Writes columns without a step: what was sent, the last answer, the provider's status word."""
        with self._told(), self._database.begin() as connection:
            connection.execute(sa.update(TASKS).where(TASKS.c.number == task.number).values(**changed))
            return _one(connection, TASKS.c.number == task.number)

    def keep(self, task: Task, result: Result) -> None:
        """Writes down one kept picture; the same position again replaces it."""
        place = sa.and_(RESULTS.c.task == task.number, RESULTS.c.position == result.position)
        with self._told(), self._database.begin() as connection:
            connection.execute(sa.delete(RESULTS).where(place))
            connection.execute(sa.insert(RESULTS).values(task=task.number, **_columns(result)))

    def forget_results(self, task: Task) -> None:
        """What was kept does not count any more; the files stay until whole new ones take their place."""
        with self._told(), self._database.begin() as connection:
            connection.execute(sa.delete(RESULTS).where(RESULTS.c.task == task.number))

    def results(self, task: Task) -> tuple[Result, ...]:
        """The kept pictures in order."""
        query = sa.select(RESULTS).where(RESULTS.c.task == task.number).order_by(RESULTS.c.position)
        with self._told(), self._database.connect() as connection:
            return tuple(Result(row.position, row.file, row.size, row.digest) for row in connection.execute(query))

    def find(self, identity: str, providers: Iterable[str]) -> Task | None:
        """The same request at one of `providers` that must not be paid for again, best kept first."""
        same = sa.and_(
            TASKS.c.identity == identity,
            TASKS.c.provider.in_(tuple(providers)),
            TASKS.c.state.in_([state.value for state in OPEN]),
        )
        with self._told(), self._database.connect() as connection:
            found = [_task(row) for row in connection.execute(sa.select(TASKS).where(same))]
        order = (State.DONE, State.ACCEPTED, State.UNREAD, State.SUBMITTING, State.UNCERTAIN)
        return min(found, key=lambda task: (order.index(task.state), -task.number), default=None)

    def by_handle(self, provider: str, name: str) -> Task | None:
        """The task of a handle's two parts; `~N` is its number here."""
        here = TASKS.c.number == int(name[1:]) if name.startswith("~") else TASKS.c.provider_id == name
        query = sa.select(TASKS).where(TASKS.c.provider == provider, here).order_by(TASKS.c.number.desc())
        with self._told(), self._database.connect() as connection:
            row = connection.execute(query).first()
        return _task(row) if row else None

    def in_state(self, *states: State) -> tuple[Task, ...]:
        """All tasks in these states, oldest first."""
        wanted = TASKS.c.state.in_([state.value for state in states])
        with self._told(), self._database.connect() as connection:
            rows = connection.execute(sa.select(TASKS).where(wanted).order_by(TASKS.c.number))
            return tuple(_task(row) for row in rows)

    def recent(self, limit: int, state: State | None = None) -> tuple[Task, ...]:
        """The newest tasks first."""
        query = sa.select(TASKS).order_by(TASKS.c.number.desc()).limit(limit)
        if state:
            query = query.where(TASKS.c.state == state.value)
        with self._told(), self._database.connect() as connection:
            return tuple(_task(row) for row in connection.execute(query))

    def first_answer(self, provider: str, operation: str) -> State | None:
        """DONE once an answer of this provider and operation was read, UNREAD if only unreadable ones came."""
        here = sa.and_(TASKS.c.provider == provider, TASKS.c.operation == operation)
        for state in (State.DONE, State.UNREAD):
            query = sa.select(TASKS.c.number).where(here, TASKS.c.state == state.value).limit(1)
            with self._told(), self._database.connect() as connection:
                if connection.execute(query).first():
                    return state
        return None

    def usual_seconds(self, provider: str, model: str, operation: str, resolution: str, count: int) -> float | None:
        """The median time of the latest finished tasks like this one, or None without any."""
        alike = {"provider": provider, "model": model, "operation": operation}
        alike |= {"resolution": resolution, "state": State.DONE.value}
        query = sa.select(TASKS.c.finished_at - TASKS.c.submitted_at).where(
            *(TASKS.c[name] == value for name, value in alike.items()),
            TASKS.c.count == count,
            TASKS.c.finished_at.is_not(None),
            TASKS.c.submitted_at.is_not(None),
        )
        with self._told(), self._database.connect() as connection:
            rows = connection.execute(query.order_by(TASKS.c.number.desc()).limit(RECENT_TASKS))
            seconds = [float(row[0]) for row in rows]
        return median(seconds) if seconds else None

    def spent_usd(self, since: float) -> float:
        """What paid and possibly paid tasks since `since` cost in USD, as estimated; the sandbox is free."""
        counted = [state.value for state in (*PAID, State.SUBMITTING, State.UNCERTAIN, State.NEW)]
        query = sa.select(sa.func.sum(TASKS.c.estimated_usd)).where(
            TASKS.c.created_at >= since, TASKS.c.state.in_(counted), TASKS.c.provider != SANDBOX
        )
        with self._told(), self._database.connect() as connection:
            return float(connection.execute(query).scalar() or 0.0)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            cause = redact(str(getattr(error, "orig", None) or error).splitlines()[0])
            raise SetupError(
                f"The ledger at {self._shown} cannot be used ({cause}). No task was started that could not be "
                "written down. Make room, make the folder writable, or set KLING_HOME or KLING_LEDGER_URL; then run "
                "again."
            ) from error


def _arguments(url: str) -> dict[str, Any]:
    return {"timeout": LOCK_SECONDS, "check_same_thread": False} if url.startswith("sqlite") else {}


def _make_folder(file: str) -> None:
    if not file.startswith(("file:", ":memory:")):
        Path(file).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """WAL lets readers pass; FULL makes every commit survive a power cut, which a paid task must."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[VERSIONS])
    applied = {row.number: row.oldest_reader for row in connection.execute(sa.select(VERSIONS))}
    if applied and applied[max(applied)] > NEWEST:
        raise SetupError(
            f"The ledger was written by a newer version of this pack (step {max(applied)}; this one knows {NEWEST}) "
            "and says that older ones must not use it. Nothing was paid: update the pack."
        )
    for migration in MIGRATIONS:
        if migration.number not in applied:
            migration.apply(connection)
            written = {
                "number": migration.number,
                "name": migration.name,
                "oldest_reader": migration.oldest_reader,
            }
            connection.execute(sa.insert(VERSIONS).values(**written, applied_at=time.time()))


_PLAIN = tuple(field.name for field in fields(Task) if field.name not in ("state", "changes"))


def _task(row: Any) -> Task:
    columns = {name: getattr(row, name) for name in _PLAIN}
    return Task(state=State(row.state), changes=tuple(row.changes or ()), **columns)


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Task:
    return _task(connection.execute(sa.select(TASKS).where(where)).one())


def _columns(result: Result) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in fields(Result)}
