"""What several workers on one ledger decide together, each in one step: who is alive and owns which task, that a
request is paid once and within the budget, and that a key's limits hold over all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import sqlalchemy as sa

from ..providers.base import Limits
from .ledger import Ledger, find_open, insert, spent_usd, step, task_of, write
from .migrations import CALLS, TASKS, WORKERS
from .states import HELD, State
from .task import NOBODY, Check, Claim, TakenError, Task, Wanted

LEASE_SECONDS = 30.0
"""A worker that has not beaten for so long is dead, or asleep: others carry its tasks on."""

MINUTE = 61.0
"""Seconds. The provider counts when calls arrive, so a second is left for those that take longer than others."""

LONGEST_FLIGHT = 2 * 3600.0
"""A task that was sent so long ago takes no place any more, whatever became of it."""

LONGEST_DOUBT = 120.0
"""Nor does one that was sent so long ago and that nobody follows, as its answer was lost or its key is refused: if it
was created, it has most likely ended."""

# Built once, as in the ledger: these are asked with every beat and before every call.
_BEAT = sa.update(WORKERS).where(WORKERS.c.name == sa.bindparam("who"))
_ALIVE = sa.select(WORKERS.c.name).where(WORKERS.c.beat_at > sa.bindparam("old"))
_LEFT_BEHIND = (
    sa.select(TASKS)
    .where(
        TASKS.c.state.in_([state.value for state in HELD]),
        sa.or_(
            TASKS.c.worker.not_in(sa.bindparam("alive", expanding=True)),
            sa.and_(TASKS.c.worker == sa.bindparam("me"), TASKS.c.created_at < sa.bindparam("old")),
        ),
    )
    .order_by(TASKS.c.number)
)
_ABOUT_TO_BE_SENT = (
    sa.select(TASKS)
    .where(
        TASKS.c.identity == sa.bindparam("same"),
        TASKS.c.provider.in_(sa.bindparam("providers", expanding=True)),
        TASKS.c.state == State.NEW.value,
        TASKS.c.worker.in_(sa.bindparam("others", expanding=True)),
    )
    .limit(1)
)
_OLD_CALLS_FORGOTTEN = sa.delete(CALLS).where(CALLS.c.key == sa.bindparam("whose"), CALLS.c.at <= sa.bindparam("old"))
_CALLS = sa.select(sa.func.count(), sa.func.min(CALLS.c.at)).where(CALLS.c.key == sa.bindparam("whose"))
_ON_THEIR_WAY = (
    TASKS.c.state.in_((State.SUBMITTING.value, State.ACCEPTED.value)),
    TASKS.c.worker != NOBODY,
    TASKS.c.submitted_at > sa.bindparam("long_ago"),
)
"""At the provider, or perhaps about to be."""
_IN_DOUBT = (
    # The states once more by themselves: an index cannot follow an alternative.
    TASKS.c.state.in_((State.UNCERTAIN.value, State.ACCEPTED.value)),
    sa.or_(TASKS.c.state == State.UNCERTAIN.value, TASKS.c.worker == NOBODY),
    TASKS.c.submitted_at > sa.bindparam("doubtful"),
)
"""Perhaps still at the provider, without anybody looking."""


def _counted(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    here = (TASKS.c.provider == sa.bindparam("at"), TASKS.c.finished_at.is_(None))
    return sa.select(sa.func.count()).where(*here, *which).scalar_subquery()


_KEY = TASKS.c.key_hash == sa.bindparam("key")
_IN_FLIGHT = sa.select(_counted(_KEY, *_ON_THEIR_WAY) + _counted(_KEY, *_IN_DOUBT))
_ALIKE = sa.select(_counted(TASKS.c.operation == sa.bindparam("doing"), *_ON_THEIR_WAY))


class Sharing:
    """One for each worker. Calls block, like the ledger's."""

    def __init__(self, ledger: Ledger, worker: str) -> None:
        self._ledger, self._worker = ledger, worker

    def beat(self) -> None:
        """Says that this worker is alive."""
        with self._ledger.alone() as connection:
            beat = {"name": self._worker, "beat_at": self._ledger.clock(connection)}
            if connection.execute(_BEAT, {"who": self._worker, **beat}).rowcount == 0:
                connection.execute(sa.insert(WORKERS), beat)

    def leave(self, worker: str | None = None) -> None:
        """This worker, or one that is known to be dead, owns nothing from now on."""
        with self._ledger.writing() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name == (worker or self._worker)))

    def others(self) -> tuple[str, ...]:
        """The other workers that count as alive."""
        with self._ledger.reading() as connection:
            return self._others(connection, self._ledger.clock(connection))

    def left_behind(self, released: bool = False) -> tuple[Task, ...]:
        """Tasks that need somebody and whose worker is dead, oldest first; with `released`, also those nobody owns.

        Also this worker's own of a while ago: it may have them in hand, or could not write down how they ended.
        """
        with self._ledger.reading() as connection:
            now = self._ledger.clock(connection)
            alive = [self._worker, *self._others(connection, now), *([] if released else [NOBODY])]
            asked = {"alive": alive, "me": self._worker, "old": now - LEASE_SECONDS}
            return tuple(task_of(row) for row in connection.execute(_LEFT_BEHIND, asked))

    def release(self, task: Task) -> Task:
        """Nobody follows this accepted task for now: whoever is asked for it takes it over, or the next engine."""
        with self._ledger.writing() as connection:
            return write(connection, task, {"worker": NOBODY})

    def take_over(self, task: Task) -> Task | None:
        """The task as this worker's own, or None when another one was faster."""
        with self._ledger.writing() as connection:
            with contextlib.suppress(TakenError):
                return write(connection, task, {"worker": self._worker})
            return None

    def admit(self, wanted: Sequence[Wanted], check: Check) -> tuple[tuple[Task, bool], ...]:
        """Lets a run in as a whole: for each request the task that answers it, and whether it is a new one.

        The price of what is new is reserved by its rows being there; what fails or is cancelled gives it back.
        Raises what `check` raises, and then nothing was written.
        """
        with self._ledger.alone() as connection:
            found = [self._answer(connection, one_wanted) for one_wanted in wanted]
            new = [place for place, task in enumerate(found) if task is None]
            if new:
                check(new, lambda since: spent_usd(connection, since))
            return tuple(
                (task, False) if task else (insert(connection, {**one_wanted.row, "state": State.NEW.value}), True)
                for one_wanted, task in zip(wanted, found, strict=True)
            )

    def claim(self, task: Task, key: str, limits: Limits, alone: bool) -> Claim:
        """Takes a place in flight and a call of the minute, and the task from new to submitting, or none of it.

        `key` is what the key's calls are counted under. With `alone`, only while no other task of its provider and
        operation is on its way anywhere. Raises TakenError when the task is no longer this worker's to send.
        """
        with self._ledger.alone() as connection:
            if same := find_open(connection, task.identity, (task.provider,)):
                return Claim(None, 0, same=same)
            now = self._ledger.clock(connection)
            since = {"long_ago": now - LONGEST_FLIGHT, "doubtful": now - LONGEST_DOUBT}
            here = {"at": task.provider, "key": task.key_hash, "doing": task.operation, **since}
            in_flight = connection.execute(_IN_FLIGHT, here).scalar_one()
            if in_flight >= limits.in_flight or (alone and connection.execute(_ALIKE, here).scalar_one()):
                return Claim(None, in_flight, 1.0)
            _, wait = _call(connection, key, limits.per_minute, now)
            if wait:
                return Claim(None, in_flight, wait)
            return Claim(step(connection, task, State.SUBMITTING, submitted_at=now), in_flight + 1)

    def call(self, key: str, most: int) -> tuple[int, float]:
        """Counts one more API call unless `most` were made in the last minute.

        How many there are then, and 0, or the seconds until there is room for one.
        """
        with self._ledger.alone() as connection:
            return _call(connection, key, most, self._ledger.clock(connection))

    def _others(self, connection: sa.Connection, now: float) -> tuple[str, ...]:
        names = connection.execute(_ALIVE, {"old": now - LEASE_SECONDS}).scalars()
        return tuple(name for name in names if name != self._worker)

    def _answer(self, connection: sa.Connection, wanted: Wanted) -> Task | None:
        """An open task of the same request, or one that another living worker is about to send."""
        identity = wanted.row["identity"]
        found = find_open(connection, identity, wanted.providers)
        if found is not None:
            return found
        if not (others := self._others(connection, self._ledger.clock(connection))):
            return None
        asked = {"same": identity, "providers": wanted.providers, "others": others}
        row = connection.execute(_ABOUT_TO_BE_SENT, asked).first()
        return task_of(row) if row else None


def _call(connection: sa.Connection, key: str, most: int, now: float) -> tuple[int, float]:
    """Counts one more call unless there were `most` in the last minute; how many there are, and how long to wait."""
    connection.execute(_OLD_CALLS_FORGOTTEN, {"whose": key, "old": now - MINUTE})
    counted, oldest = connection.execute(_CALLS, {"whose": key}).one()
    if counted >= most:
        return counted, max(0.01, float(oldest) + MINUTE - now)
    connection.execute(sa.insert(CALLS), {"key": key, "at": now})
    return counted + 1, 0.0
