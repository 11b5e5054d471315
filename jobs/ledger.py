"""The ledger: what was asked, paid, answered and kept. One row a task, written before anything is paid.

Calls block; the engine makes them on a thread of their own. What several workers decide together is in `sharing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from ..catalog.request import SANDBOX
from .database import Database
from .migrations import RESULTS, SAVINGS, TASKS
from .states import OPEN, UNPAID, State, check_step
from .task import Bill, Result, TakenError, Task

RECENT_TASKS = 40
"""How many finished tasks of a kind tell how long the next one takes."""

# What is asked with every step of a task is built once: building takes longer than asking.
_TASK = sa.select(TASKS).where(TASKS.c.number == sa.bindparam("wanted"))
_OPEN = sa.select(TASKS).where(
    TASKS.c.identity == sa.bindparam("same"),
    TASKS.c.provider.in_(sa.bindparam("providers", expanding=True)),
    TASKS.c.state.in_([state.value for state in OPEN]),
)
_CHANGE = sa.update(TASKS).where(
    *(TASKS.c[name] == sa.bindparam(f"{name}_known") for name in ("number", "state", "worker"))
)
_PLACE_EMPTIED = sa.delete(RESULTS).where(
    RESULTS.c.task == sa.bindparam("of"), RESULTS.c.position == sa.bindparam("at")
)
_RESULTS_OF = sa.select(RESULTS).where(RESULTS.c.task == sa.bindparam("of")).order_by(RESULTS.c.position)
_ONE_THAT_IS = (
    sa.select(TASKS.c.number)
    .where(
        TASKS.c.provider == sa.bindparam("at"),
        TASKS.c.operation == sa.bindparam("doing"),
        TASKS.c.state == sa.bindparam("is"),
    )
    # In its index's order: PostgreSQL would else read the table until it meets one.
    .order_by(TASKS.c.model)
    .limit(1)
)
_SINCE = TASKS.c.accepted_at
_DURATIONS = (
    sa.select(sa.func.coalesce(TASKS.c.running_at, _SINCE) - _SINCE, TASKS.c.finished_at - _SINCE)
    .where(
        *(
            TASKS.c[name] == sa.bindparam(f"its_{name}")
            for name in ("provider", "operation", "model", "resolution", "count")
        ),
        TASKS.c.state == State.DONE.value,
        TASKS.c.finished_at.is_not(None),
        _SINCE.is_not(None),
    )
    .order_by(TASKS.c.number.desc())
    .limit(RECENT_TASKS)
)


@dataclass(frozen=True)
class Saving:
    """Something that was not paid for: `kind` is joined, reused or recovered; `amount` decimal text in `unit`."""

    at: float
    provider: str
    kind: str
    amount: str | None
    unit: str


class Ledger(Database):
    """One row a task, and its kept pictures."""

    def adopt(self, row: Mapping[str, Any]) -> Task:
        """Writes a task that another ledger paid for and that is known here only by its handle."""
        with self.writing() as connection:
            return insert(connection, {**row, "state": State.ACCEPTED.value})

    def step(self, task: Task, state: State, **changed: Any) -> Task:
        """Takes `task` to `state`, with further columns.

        Raises ValueError for a step that is not allowed, TakenError when the task is no longer as given.
        """
        with self.writing() as connection:
            return step(connection, task, state, **changed)

    def note(self, task: Task, **changed: Any) -> Task:
        """Writes columns without a step: what was sent, the last answer, the provider's status word.

        Raises TakenError like `step`.
        """
        with self.writing() as connection:
            return write(connection, task, changed)

    def seen(self, task: Task) -> Task:
        """The task as it stands now, whoever took it on."""
        with self.reading() as connection:
            return one(connection, task.number)

    def keep(self, task: Task, result: Result) -> None:
        """Writes down one kept picture; the same position again replaces it."""
        with self.alone() as connection:
            connection.execute(_PLACE_EMPTIED, {"of": task.number, "at": result.position})
            connection.execute(sa.insert(RESULTS), {"task": task.number, **_columns(result)})

    def forget_results(self, task: Task) -> None:
        """What was kept does not count any more; the files stay until whole new ones take their place."""
        with self.writing() as connection:
            connection.execute(sa.delete(RESULTS).where(RESULTS.c.task == task.number))

    def results(self, task: Task) -> tuple[Result, ...]:
        """The kept pictures in order."""
        with self.reading() as connection:
            rows = connection.execute(_RESULTS_OF, {"of": task.number})
            return tuple(Result(row.position, row.file, row.size, row.digest) for row in rows)

    def by_handle(self, provider: str, name: str) -> Task | None:
        """The task of a handle's two parts; `~N` is its number here."""
        here = TASKS.c.number == int(name[1:]) if name.startswith("~") else TASKS.c.provider_id == name
        query = sa.select(TASKS).where(TASKS.c.provider == provider, here).order_by(TASKS.c.number.desc())
        with self.reading() as connection:
            row = connection.execute(query).first()
        return task_of(row) if row else None

    def in_state(self, *states: State) -> tuple[Task, ...]:
        """All tasks in these states, oldest first."""
        wanted = TASKS.c.state.in_([state.value for state in states])
        with self.reading() as connection:
            rows = connection.execute(sa.select(TASKS).where(wanted).order_by(TASKS.c.number))
            return tuple(task_of(row) for row in rows)

    def recent(self, limit: int, state: State | None = None) -> tuple[Task, ...]:
        """The newest tasks first."""
        query = sa.select(TASKS).order_by(TASKS.c.number.desc()).limit(limit)
        if state:
            query = query.where(TASKS.c.state == state.value)
        with self.reading() as connection:
            return tuple(task_of(row) for row in connection.execute(query))

    def first_answer(self, provider: str, operation: str) -> State | None:
        """DONE once an answer of this provider and operation was read, UNREAD if only unreadable ones came."""
        kind = {"at": provider, "doing": operation}
        for state in (State.DONE, State.UNREAD):
            with self.reading() as connection:
                if connection.execute(_ONE_THAT_IS, {**kind, "is": state.value}).first():
                    return state
        return None

    def durations(
        self, provider: str, operation: str, model: str, resolution: str, count: int
    ) -> tuple[tuple[float, float], ...]:
        """Of the latest finished tasks of this kind, seconds from acceptance between which each one ended."""
        kind = {"provider": provider, "operation": operation, "model": model, "resolution": resolution, "count": count}
        with self.reading() as connection:
            rows = connection.execute(_DURATIONS, {f"its_{name}": value for name, value in kind.items()}).all()
        return tuple((max(0.0, float(row[0])), max(0.0, float(row[1]))) for row in rows)

    def note_saving(self, task: Task, kind: str, at: float) -> None:
        """Writes down that `task` spared its price once more."""
        spared = {"at": at, "task": task.number, "kind": kind, "unit": task.price_unit}
        with self.writing() as connection:
            connection.execute(sa.insert(SAVINGS), {**spared, "amount": task.actual_amount or task.estimated_amount})

    def saved(self, since: float) -> tuple[Saving, ...]:
        """What was not paid since `since`, oldest first; the sandbox is free anyway."""
        query = sa.select(SAVINGS, TASKS.c.provider).join(TASKS, TASKS.c.number == SAVINGS.c.task)
        query = query.where(SAVINGS.c.at >= since, TASKS.c.provider != SANDBOX).order_by(SAVINGS.c.at)
        with self.reading() as connection:
            return tuple(
                Saving(row.at, row.provider, row.kind, row.amount, row.unit) for row in connection.execute(query)
            )

    def spent_usd(self, since: float) -> float:
        """What paid and possibly paid tasks since `since` cost in USD, as estimated; the sandbox is free."""
        with self.reading() as connection:
            return spent_usd(connection, since)

    def paid(self, since: float) -> tuple[Bill, ...]:
        """What was, or may have been, paid for since `since`, alike tasks together, by provider and unit."""
        amount = sa.func.coalesce(TASKS.c.actual_amount, TASKS.c.estimated_amount)
        alike = (TASKS.c.provider, TASKS.c.price_unit, TASKS.c.state, amount)
        query = (
            sa.select(*alike, sa.func.count(), sa.func.sum(TASKS.c.count))
            .where(TASKS.c.created_at >= since, _in_none(State.NEW, *UNPAID), TASKS.c.provider != SANDBOX)
            .group_by(*alike)
            .order_by(*alike)
        )
        with self.reading() as connection:
            rows = connection.execute(query)
            return tuple(Bill(row[0], row[1], State(row[2]), row[3], row[4], int(row[5])) for row in rows)

    def asked(self, task: Task) -> Mapping[str, Any]:
        """The request of a task as it was meant: our names and values, pictures as digests. Empty where unknown."""
        query = sa.select(TASKS.c.request).where(TASKS.c.number == task.number)
        with self.reading() as connection:
            return dict(connection.execute(query).scalar() or {})

    def kept_pictures(self, oldest: Task) -> Mapping[int, int]:
        """How many pictures are kept of each task from `oldest` on, by number."""
        query = sa.select(RESULTS.c.task, sa.func.count()).where(RESULTS.c.task >= oldest.number)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(RESULTS.c.task))}


def spent_usd(connection: sa.Connection, since: float) -> float:
    query = sa.select(sa.func.sum(TASKS.c.estimated_usd)).where(
        TASKS.c.created_at >= since, _in_none(*UNPAID), TASKS.c.provider != SANDBOX
    )
    return float(connection.execute(query).scalar() or 0.0)


def _in_none(*states: State) -> sa.ColumnElement[bool]:
    """Said by what is left out: SQLite would look up all tasks in the states that count, which are nearly all."""
    return TASKS.c.state.not_in([state.value for state in states])


def find_open(connection: sa.Connection, identity: str, providers: Iterable[str]) -> Task | None:
    """The same request at one of `providers` that must not be paid for again, best kept first."""
    same = {"same": identity, "providers": tuple(providers)}
    found = [task_of(row) for row in connection.execute(_OPEN, same)]
    order = (State.DONE, State.ACCEPTED, State.UNREAD, State.SUBMITTING, State.UNCERTAIN)
    return min(found, key=lambda task: (order.index(task.state), -task.number), default=None)


def insert(connection: sa.Connection, row: Mapping[str, Any]) -> Task:
    added = connection.execute(sa.insert(TASKS), row)
    return one(connection, int(added.inserted_primary_key[0]) if added.inserted_primary_key else 0)


def step(connection: sa.Connection, task: Task, state: State, **changed: Any) -> Task:
    """See `Ledger.step`."""
    check_step(task.state, state)
    return write(connection, task, {**changed, "state": state.value})


def write(connection: sa.Connection, task: Task, changed: Mapping[str, Any]) -> Task:
    """Changes columns of a task that is as this worker knows it."""
    as_known = {"number_known": task.number, "state_known": task.state.value, "worker_known": task.worker}
    if connection.execute(_CHANGE, {**as_known, **changed}).rowcount != 1:
        raise TakenError(f"task {task.number} is no longer {task.state.value} with {task.worker}")
    return one(connection, task.number)


def one(connection: sa.Connection, number: int) -> Task:
    return task_of(connection.execute(_TASK, {"wanted": number}).one())


def task_of(row: Any) -> Task:
    columns = {name: getattr(row, name) for name in _PLAIN}
    return Task(state=State(row.state), changes=tuple(row.changes or ()), **columns)


_PLAIN = tuple(field.name for field in fields(Task) if field.name not in ("state", "changes"))


def _columns(result: Result) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in fields(Result)}
