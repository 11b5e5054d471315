"""One task on its way from request to kept pictures: the order of its steps and what is told about them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from ..catalog.order import Order
from ..catalog.prices import Price
from ..catalog.request import Request
from ..errors import FailedError, KlingError, RefusedError, SetupError
from ..providers.base import Refusal
from .services import Services
from .settings import Settings
from .states import State
from .task import Task
from .uploads import Uploads
from .work import Context, Outcome, Pixels, Progress

STOPPED = "stopped before it was sent"


class TurnedDownError(Exception):
    """A provider refused to create the task; nothing was paid. `kind` says whether another may be asked."""

    def __init__(self, kind: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Job:
    """What the engine knows of one task while it runs. Used on the engine's loop alone.

    `accepted` and `finished` may be waited for from any thread. `orders` are the offers still to try;
    a job that was found in the ledger has a `task` and none. `sent` is true from before the paid request until it
    surely created nothing; `dropped` when everybody who waited has pressed Stop.
    """

    def __init__(
        self,
        services: Services,
        uploads: Uploads,
        settings: Settings,
        *,
        request: Request | None = None,
        orders: tuple[Order, ...] = (),
        pixels: Mapping[str, Pixels] | None = None,
        context: Context | None = None,
        task: Task | None = None,
    ) -> None:
        self.services, self.uploads, self.settings = services, uploads, settings
        self.request, self.orders = request, orders
        self.pixels: Mapping[str, Pixels] = pixels or {}
        self.context = context or Context()
        self.task = task
        self.notes: list[str] = []
        self.price: Price | None = None
        self.accepted: Future[None] = Future()
        self.finished: Future[Outcome] = Future()
        self.waiting = 0
        self.sent = task is not None
        self.dropped = False
        self.cancel_wanted = asyncio.Event()
        self.progress = Progress(task.state if task else State.NEW, "preparing", services.now(), 20.0)
        self.work: asyncio.Task[None] | None = None

    @property
    def handle(self) -> str:
        return self.task.handle if self.task else ""

    def say(self, words: str, **changed: Any) -> None:
        """Tells everybody who waits how the task stands."""
        state = self.task.state if self.task else State.NEW
        self.progress = replace(self.progress, words=words, state=state, handle=self.handle, **changed)

    async def begin(self, row: Mapping[str, Any]) -> Task:
        """Writes the task's row, before anything is sent."""
        await self._write(self.services.ledger.add, row)
        assert self.task is not None  # noqa: S101 - it was just written
        return self.task

    async def step(self, state: State, **changed: Any) -> None:
        """Takes the task on, in the ledger first."""
        assert self.task is not None  # noqa: S101 - a job has a task before its first step
        await self._write(self.services.ledger.step, self.task, state, **changed)
        self.say(self.progress.words)

    async def note(self, **changed: Any) -> None:
        """Writes columns of the task without a step."""
        assert self.task is not None  # noqa: S101 - a job has a task before its first note
        await self._write(self.services.ledger.note, self.task, **changed)

    async def settle(self, unsent: State, reason: str) -> None:
        """Ends a row that is not carried on: as `unsent`, or as uncertain where something may have been sent."""
        ends = {State.NEW: unsent, State.SUBMITTING: State.UNCERTAIN}
        if self.task is not None and self.task.state in ends:
            # A ledger that cannot be written now is settled when the next engine takes up what is left.
            with contextlib.suppress(SetupError, ValueError):
                await self.step(ends[self.task.state], reason=reason)

    async def stop_if_dropped(self) -> None:
        """Asked before the request is sent again or elsewhere. Raises FailedError when nobody wants it any more."""
        if self.dropped:
            await self.settle(State.CANCELLED, STOPPED)
            raise stopped(self)

    def tell_accepted(self) -> None:
        if not self.accepted.done():
            self.accepted.set_result(None)

    def finish(self, outcome: Outcome) -> None:
        """Hands the outcome to everybody who waits. Only the first one counts."""
        self.tell_accepted()
        if not self.finished.done():
            self.finished.set_result(outcome)

    def fail(self, error: KlingError) -> None:
        self.finish(Outcome(self.request, self.task, notes=tuple(self.notes), price=self.price, error=error))

    async def _write(self, act: Callable[..., Task], *args: Any, **changed: Any) -> None:
        """The task as the ledger has it from now on, also for a job that is cancelled while it is written."""
        writing = asyncio.ensure_future(self.services.write(act, *args, **changed))
        try:
            await asyncio.shield(writing)
        finally:
            if not writing.done():
                await asyncio.wait({writing})
            if not writing.cancelled() and writing.exception() is None:
                self.task = writing.result()


def refused(order: Order, error: TurnedDownError, tried: list[str]) -> RefusedError:
    """The error for a person when the last candidate has refused."""
    before = f" Before that, {' and '.join(tried)} refused as well." if tried else ""
    todo = {
        Refusal.KEY: f"Check the key of {order.provider}",
        Refusal.CREDIT: f"Add credit at {order.provider} or choose another provider",
        Refusal.UNKNOWN: "Choose another model or provider",
        Refusal.FULL: "Wait a little and run again",
        Refusal.INVALID: "Change what it names and run again",
    }[error.kind]
    return RefusedError(
        f"{order.provider} did not take the task: {error.kind.value} ({error}).{before} Nothing was created and "
        f"nothing was paid. {todo}."
    )


def stopped(job: Job) -> FailedError:
    """The error of a task that was stopped before it was sent."""
    return FailedError("Stopped before it was sent: nothing was created and nothing was paid.", job.handle)
