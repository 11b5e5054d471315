"""What every job shares: threads, connections, the ledger, the keys' gates. Lives on the engine's loop."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import psutil

from ..catalog.request import SANDBOX
from ..providers import ADAPTERS
from ..providers.base import Call, Provider, Reply
from .gate import FirstAnswers, KeyGate
from .http import Http
from .pool import Pool
from .settings import Endpoint, Settings, sandbox_endpoint
from .states import State
from .task import Task

if TYPE_CHECKING:
    from .ledger import Ledger

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

SandboxAddress = Callable[[Path, str], str]
"""(KLING_HOME, dialect) -> base URL of the sandbox for that dialect, started if need be."""


class Services:
    """One set for an engine. `now` is wall-clock time in seconds since 1970.

    `worker` is host, process id, the process's start in seconds since 1970, and a name of its own, between slashes.
    """

    def __init__(self, ledger: Ledger, version: str, sandbox_address: SandboxAddress) -> None:
        self.ledger = ledger
        self.version = version
        started = int(psutil.Process().create_time())
        self.worker = f"{socket.gethostname()}/{os.getpid()}/{started}/{secrets.token_hex(4)}"
        self.http = Http()
        self.now = time.time
        self.first_answers = FirstAnswers(self._first_answer)
        self._sandbox_address = sandbox_address
        self._gates: dict[tuple[str, str | None], KeyGate] = {}
        # SQLite has one writer; a single thread keeps the ledger's calls in order and off the loop.
        self._ledger_thread = Pool("kling-ledger", 1)
        self.api_threads = Pool("kling-api", 24)
        self.upload_threads = Pool("kling-upload", 6)
        self.download_threads = Pool("kling-download", 8)
        self.picture_threads = Pool("kling-picture", max(1, (os.cpu_count() or 2) - 1))

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
        return self._gates.setdefault((endpoint.name, endpoint.key_hash), KeyGate(endpoint.limits))

    async def ask(self, endpoint: Endpoint, adapter: Provider, call: Call) -> Reply:
        """One API call within the key's limits. Raises NotSentError or AnswerLostError."""
        await self.gate(endpoint).call()
        return await self.send(endpoint, adapter, call)

    async def send(self, endpoint: Endpoint, adapter: Provider, call: Call) -> Reply:
        """One API call right now, for who has been let through the gate already."""
        headers = adapter.authorize(endpoint.key.get_secret_value()) if endpoint.key else {}
        return await self.on(self.api_threads, self.http.send, call, endpoint.base_url, headers)

    def adapter(self, dialect: str) -> Provider:
        return ADAPTERS[dialect]

    async def usual_seconds(self, task: Task, resolution: str, default: float) -> float:
        """How long a task like this one takes: learned from the ledger, else `default`."""
        usual = await self.write(
            self.ledger.usual_seconds, task.provider, task.model, task.operation, resolution, task.count
        )
        return default if usual is None else usual

    async def _first_answer(self, provider: str, operation: str) -> State | None:
        return await self.write(self.ledger.first_answer, provider, operation)
