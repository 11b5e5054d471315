"""What holds a request back: the limits of a key over all workers, and the first answer of an operation."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager

from ..errors import RefusedError, UncertainError
from ..providers.base import Limits
from .line import Line, Place, Turn
from .pacer import Pacer
from .states import State

AHEAD = 4
"""So many tasks beyond those in flight get their pictures ready while they wait."""

RECOVERY_SECONDS = 30.0
"""After a refusal for too many tasks at once, one more is tried after so long."""


Position = Callable[[], int]
"""How many are let through up to this one, itself included; 0 once it was."""


class KeyGate:
    """The limits of one key as this worker keeps them: a fair line, paced calls, and who may send next."""

    def __init__(self, limits: Limits, count: Callable[[int], Awaitable[tuple[int, float]]]) -> None:
        self._page = limits.in_flight
        self.line = Line(limits.in_flight + AHEAD)
        self.pacer = Pacer(limits.per_minute, count)
        self._sending = asyncio.Lock()
        self._ready: deque[object] = deque()
        self.in_flight = 0
        self._learned, self._refused_at = limits.in_flight, 0.0
        self._freed = asyncio.Event()

    @property
    def limits(self) -> Limits:
        """What may be in flight and called a minute right now: the page's numbers, or less after refusals."""
        more = int((asyncio.get_running_loop().time() - self._refused_at) / RECOVERY_SECONDS)
        return Limits(min(self._page, self._learned + more), self.pacer.per_minute)

    @asynccontextmanager
    async def place(self, run: Hashable, seconds: float, told: Callable[[Position], None]) -> AsyncIterator[Place]:
        """A place in the line of this worker for a task that takes about `seconds`; `told` hears how to ask for the
        position meanwhile."""
        async with self.line.place(run, seconds, lambda turn: told(lambda: self._before(turn))) as place:
            yield place

    @asynccontextmanager
    async def next_to_send(self, told: Callable[[Position], None]) -> AsyncIterator[None]:
        """The turn to ask whether the key has room: one after the other, in the order in which they got ready."""
        mine = object()
        self._ready.append(mine)
        told(lambda: self._ready.index(mine) + 1 if mine in self._ready else 0)
        try:
            async with self._sending:
                yield
        finally:
            self._ready.remove(mine)

    def _before(self, turn: Turn) -> int:
        position = self.line.position(turn)
        return position + len(self._ready) if position else 0

    def wanted(self, usual: float) -> float:
        """See `Pacer.wanted`."""
        waiting = self.line.waiting + len(self._ready) + self.pacer.creates_waiting
        return self.pacer.wanted(usual, max(1, self.in_flight), waiting, self.limits.in_flight)

    def free(self) -> None:
        """A task in flight has ended."""
        self.in_flight = max(0, self.in_flight - 1)
        self._freed.set()

    async def until_free(self, seconds: float) -> None:
        """Returns when a task of this worker has ended, at the latest after so many seconds."""
        self._freed.clear()
        try:
            await asyncio.wait_for(self._freed.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def refused(self, pause: float, created: bool) -> None:
        """The provider had no room for a call, or (not `created`) for one more task."""
        self.pacer.refused(pause)
        if not created:
            self._learned = max(1, min(self._learned, self.in_flight - 1))
            self._refused_at = asyncio.get_running_loop().time()


class FirstAnswers:
    """Lets the first task ever of a provider and operation go ahead alone.

    The rest follows when its answer has been read, so that an answer this version cannot read costs one
    task and not a batch. `recorded` asks the ledger what is known.
    """

    def __init__(self, recorded: Callable[[str, str], Awaitable[State | None]]) -> None:
        self._recorded = recorded
        self._read: set[tuple[str, str]] = set()
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}
        self._lost: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def turn(self, provider: str, operation: str) -> AsyncIterator[None]:
        """Held from before the paid request until the task has ended. Raises RefusedError to hold back."""
        key = (provider, operation)
        if await self.is_read(*key):
            yield
            return
        lost_before = self._lost[key]
        async with self._turns.setdefault(key, asyncio.Lock()):
            if await self.is_read(*key):
                pass
            elif self._lost[key] > lost_before:
                raise RefusedError(
                    f"Held back, not sent and not paid: the answer to the first task of {provider} for {operation}, "
                    "which went ahead alone, was lost or cannot be understood. See to that task first, then run again."
                )
            elif await self._recorded(*key) is State.UNREAD:
                raise RefusedError(
                    f"Held back, not sent and not paid: the first answer of {provider} for {operation} could not be "
                    "read, so further tasks would not be either. Collect that task with Kling Poll, after an update of "
                    "the pack if need be: that pays nothing. Then run again."
                )
            else:
                try:
                    yield
                except UncertainError:
                    self._lost[key] += 1
                    raise
                return
        yield

    async def is_read(self, provider: str, operation: str) -> bool:
        """Whether an answer of this provider and operation was ever read."""
        key = (provider, operation)
        if key not in self._read and await self._recorded(*key) is State.DONE:
            self._read.add(key)
        return key in self._read
