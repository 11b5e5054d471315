"""What holds a request back: the limits of a key, kept in a fair queue, and the first answer of an operation."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ..errors import RefusedError, UncertainError
from ..providers.base import Limits
from .states import State

MINUTE = 61.0
"""Seconds. The provider counts when calls arrive, so a second is left for those that take longer than others."""


class KeyGate:
    """Tasks in flight and API calls a minute of one key; who comes first goes first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._calls: deque[float] = deque()
        self._turn = asyncio.Lock()
        self._closed_until = 0.0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among the tasks in flight, held until the provider has ended the task."""
        async with self._slots:
            yield

    async def call(self) -> None:
        """Returns when one more API call may be made."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            while (pause := self._pause(loop.time())) > 0:  # noqa: ASYNC110 - nothing but time ends it
                await asyncio.sleep(pause)
            self._calls.append(loop.time())

    def close_for(self, seconds: float) -> None:
        """No call for so long: the provider asked for it."""
        self._closed_until = max(self._closed_until, asyncio.get_running_loop().time() + seconds)

    def _pause(self, now: float) -> float:
        while self._calls and self._calls[0] <= now - MINUTE:
            self._calls.popleft()
        full = len(self._calls) >= self._limits.per_minute
        until_free = self._calls[0] + MINUTE - now if full else 0.0
        return max(until_free, self._closed_until - now)


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
        if await self._is_read(key):
            yield
            return
        lost_before = self._lost[key]
        async with self._turns.setdefault(key, asyncio.Lock()):
            if await self._is_read(key):
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

    async def _is_read(self, key: tuple[str, str]) -> bool:
        if key not in self._read and await self._recorded(*key) is State.DONE:
            self._read.add(key)
        return key in self._read
