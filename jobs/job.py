"""One task on its way from request to kept pictures: the order of its steps and what is told about them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from ..catalog.order import Order
from ..catalog.prices import Price
from ..catalog.request import Request
from ..errors import FailedError, KlingError, RefusedError, SetupError
from ..providers.base import Limits, Refusal
from .durations import Durations
from .gate import Position
from .services import Services
from .settings import Settings
from .states import State
from .task import Claim, TakenError, Task
from .uploads import Uploads
from .work import Context, Outcome, Pixels, Progress

Written = TypeVar("Written", Task, Claim)

STOPPED = "stopped before it was sent"


class TurnedDownError(Exception):
    """A provider refused to create the task; nothing was paid. `kind` says whether another may be asked."""

    def __init__(self, kind: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Job:
    """What the engine knows of one task while it runs. Used on the engine's loop alone.

    `accepted` and `finished` may be waited for from any thread. `orders` are the offers to try, the first of which
    `task` was written for; a job that was found in the ledger has none. `sent` is true from before the paid request
    until it surely created nothing; `dropped` when everybody who waited has pressed Stop; `elsewhere` where another
    worker carries the task on. `look_now` is set when the
    provider says that the task has ended.
    """

    def __init__(
        self,
        services: Services,
        uploads: Uploads,
        settings: Settings,
        task: Task,
        *,
        request: Request | None = None,
        orders: tuple[Order, ...] = (),
        pixels: Mapping[str, Pixels] | None = None,
        context: Context | None = None,
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
        self.sent = task.state is not State.NEW
        self.dropped = self.elsewhere = False
        self.cancel_wanted, self.look_now = asyncio.Event(), asyncio.Event()
        self.durations, self.unlearned = Durations(), 20.0
        self._progress = Progress(task.state, "preparing", services.now(), self.unlearned, task.handle)
        self._position: Position | None = None
        self.work: asyncio.Task[None] | None = None

    @property
    def handle(self) -> str:
        return self.task.handle

    @property
    def progress(self) -> Progress:
        """How the task stands right now, with its place where it waits in line. May be asked from any thread."""
        place = self._position() if self._position else 0
        return replace(self._progress, place=place) if place else self._progress

    @property
    def expected(self) -> float:
        """Seconds that the task usually takes once it is accepted."""
        return self.durations.usual(self.unlearned)

    def say(self, words: str, position: Position | None = None, **changed: Any) -> None:
        """Tells everybody who waits how the task stands; `position` asks for its place in line, if it has one."""
        self._position = position
        self._progress = replace(
            self._progress,
            words=words,
            state=self.task.state,
            handle=self.handle,
            expected=self.expected,
            **changed,
        )

    async def learn(self, unlearned: float) -> None:
        """Looks up how long tasks like this one took; `unlearned` seconds are expected of the first of its kind."""
        self.unlearned = unlearned
        self.durations = await self.services.durations(self.task)

    async def claim(self, key: str, limits: Limits, alone: bool) -> Claim:
        """Takes the task to submitting if it may be sent now; see `Sharing.claim`."""
        return await self._write(self.services.sharing.claim, self.task, key, limits, alone)

    async def step(self, state: State, **changed: Any) -> None:
        """Takes the task on, in the ledger first. Raises TakenError when another worker was faster."""
        await self._write(self.services.ledger.step, self.task, state, **changed)
        self._progress = replace(self._progress, state=self.task.state, handle=self.handle)

    async def note(self, **changed: Any) -> None:
        """Writes columns of the task without a step."""
        await self._write(self.services.ledger.note, self.task, **changed)

    async def settle(self, unsent: State, reason: str) -> None:
        """Ends a row that is not carried on: as `unsent`, or as uncertain where something may have been sent."""
        ends = {State.NEW: unsent, State.SUBMITTING: State.UNCERTAIN}
        if self.task.state in ends:
            # A ledger that cannot be written now is settled when the next engine takes up what is left.
            with contextlib.suppress(SetupError, TakenError):
                await self.step(ends[self.task.state], reason=reason)

    async def release(self) -> None:
        """Leaves a task that is accepted, and cannot be collected now, to whoever is asked for it next."""
        if self.task.state is State.ACCEPTED and self.task.worker == self.services.worker:
            # A ledger that cannot be written now is told when this worker next looks for what it has not in hand.
            with contextlib.suppress(SetupError, TakenError):
                await self._write(self.services.sharing.release, self.task)

    async def join(self, same: Task) -> None:
        """Goes over to the task that answers the same request already: one run named its provider, another did not.

        Always raises TakenError.
        """
        await self.step(State.CANCELLED, reason=f"not sent: the same request is {same.handle}")
        await self.services.write(self.services.ledger.note_saving, same, "joined", self.services.now())
        self.task = same
        raise TakenError(f"the same request is {same.handle}")

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

    async def _write(self, act: Callable[..., Written], *args: Any, **changed: Any) -> Written:
        """The task is as the ledger has it from now on, also for a job that is cancelled while it is written."""
        writing = asyncio.ensure_future(self.services.write(act, *args, **changed))
        try:
            return await asyncio.shield(writing)
        finally:
            if not writing.done():
                await asyncio.wait({writing})
            if not writing.cancelled() and writing.exception() is None:
                written = writing.result()
                self.task = (written.task if isinstance(written, Claim) else written) or self.task


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
