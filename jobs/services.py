"""What every job shares: threads, connections, the ledger, the keys' gates. Lives on the engine's loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..catalog.request import SANDBOX
from ..providers import ADAPTERS
from ..providers.base import Call, Provider, Reply
from .durations import Durations
from .gate import FirstAnswers, KeyGate
from .http import Http
from .pool import Pool
from .settings import Endpoint, Settings, sandbox_endpoint
from .states import State
from .task import Task
from .worker import name_worker

if TYPE_CHECKING:
    from .ledger import Ledger

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

SandboxAddress = Callable[[Path, str], str]
"""(KLING_HOME, dialect) -> base URL of the sandbox for that dialect, started if need be."""


@dataclass(frozen=True)
class Unwritten:
    """A task that its provider has accepted, and what the ledger could not take of that."""

    task: Task
    columns: Mapping[str, Any]


class Services:
    """One set for an engine. `now` is wall-clock time in seconds since 1970; `pool` makes the threads."""

    def __init__(
        self,
        ledger: Ledger,
        version: str,
        sandbox_address: SandboxAddress,
        *,
        http: Http | None = None,
        pool: Callable[[str, int], Executor] = Pool,
        now: Callable[[], float] = time.time,
    ) -> None:
        from .sharing import Sharing

        self.ledger, self.version, self.now = ledger, version, now
        self.worker = name_worker()
        self.sharing = Sharing(ledger, self.worker)
        self.http = http or Http()
        self.first_answers = FirstAnswers(self._first_answer)
        self._sandbox_address = sandbox_address
        self.unwritten: deque[Unwritten] = deque()
        self._gates: dict[str, KeyGate] = {}
        # SQLite has one writer; a single thread keeps the ledger's calls in order and off the loop.
        self._ledger_thread = pool("kling-ledger", 1)
        self.api_threads = pool("kling-api", 24)
        self.upload_threads = pool("kling-upload", 6)
        self.download_threads = pool("kling-download", 16)
        self.picture_threads = pool("kling-picture", max(1, (os.cpu_count() or 2) - 1))

    def close(self) -> None:
        """Lets threads end after what they do, and closes the ledger after its last call."""
        pools = (self.api_threads, self.upload_threads, self.download_threads, self.picture_threads)
        for pool in pools:
            pool.shutdown()
        self._ledger_thread.submit(self.ledger.close)
        self._ledger_thread.shutdown()

    async def on(
        self,
        pool: Executor,
        act: Callable[Arguments, Answer],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Answer:
        """Runs blocking work on `pool`."""
        return await asyncio.wrap_future(pool.submit(act, *args, **kwargs))

    async def write(
        self, act: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Answer:
        """Runs a call of the ledger. Once begun it ends, also when who asked is cancelled."""
        return await asyncio.shield(asyncio.wrap_future(self._ledger_thread.submit(act, *args, **kwargs)))

    async def endpoint(self, settings: Settings, provider: str, dialect: str) -> Endpoint:
        """Where and with which key `provider` is asked; starts the sandbox where that is meant."""
        if provider != SANDBOX:
            return settings.endpoints[provider]
        address = await self.on(self.picture_threads, self._sandbox_address, settings.home, dialect)
        return sandbox_endpoint(address)

    def gate(self, endpoint: Endpoint) -> KeyGate:
        """The gate of this endpoint's key; shared by every task that uses it."""
        key = endpoint.limits_key

        async def count(most: int) -> tuple[int, float]:
            return await self.write(self.sharing.call, key, most)

        if key not in self._gates:
            self._gates[key] = KeyGate(endpoint.limits, count)
        return self._gates[key]

    async def ask(self, endpoint: Endpoint, adapter: Provider, call: Call) -> Reply:
        """One API call within the key's limits. Raises NotSentError or AnswerLostError."""
        await self.gate(endpoint).pacer.call()
        return await self.send(endpoint, adapter, call)

    async def send(self, endpoint: Endpoint, adapter: Provider, call: Call) -> Reply:
        """One API call right now, for who has been let through the gate already."""
        headers = adapter.authorize(endpoint.key.get_secret_value()) if endpoint.key else {}
        return await self.on(self.api_threads, self.http.send, call, endpoint.base_url, headers)

    def adapter(self, dialect: str) -> Provider:
        return ADAPTERS[dialect]

    async def durations(self, task: Task) -> Durations:
        """How long tasks like this one took."""
        kind = (task.provider, task.operation, task.model, task.resolution, task.count)
        return Durations(await self.write(self.ledger.durations, *kind))

    async def _first_answer(self, provider: str, operation: str) -> State | None:
        return await self.write(self.ledger.first_answer, provider, operation)
