"""What all requests to one sandbox share."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import aiohttp

from .behaviour import PROVIDERS, Behaviour
from .faults import Dice
from .files import Pictures
from .intake import Reader
from .refusal import Refused
from .stats import Counts
from .tasks import Tasks
from .uploads import Uploads

DAY = 86_400
MINUTE = 60


class Desk:
    """The state of a running sandbox under ``home``. Made and used on its event loop."""

    def __init__(self, home: Path, behaviour: Behaviour, pool: Executor, session: aiohttp.ClientSession) -> None:
        self.pictures = Pictures(home / "pictures")
        self.uploads = Uploads(home / "uploads")
        self.tasks = Tasks(home / "tasks", self.pictures, pool)
        self.session = session
        self._running: set[asyncio.Task[None]] = set()
        self.behave(behaviour)
        self.forget_counts()

    def behave(self, behaviour: Behaviour) -> None:
        """From now on; the rules of faults start counting anew."""
        self.behaviour = behaviour
        self.dice = Dice(behaviour.faults, behaviour.rng)
        self.rng = random.Random(behaviour.rng)
        self.tasks.repaint = behaviour.repaint
        self.reader = Reader(self.uploads, self.pictures, self.session, behaviour.reachable)

    def forget_counts(self) -> None:
        self.counts = {provider: Counts() for provider in PROVIDERS}
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def forget_all(self) -> None:
        """All but uploads: a client that lives on may hand their links out again."""
        self.forget_counts()
        for task in list(self.tasks):
            self.tasks.forget(task)
        self.pictures.clean(float("inf"), set())

    def admit_call(self, provider: str, key: str) -> None:
        """Counts one API call; raises Refused (429) when the last 60 seconds are full."""
        limit = self.behaviour.limit(provider).requests_per_minute
        calls, now = self._calls[provider, key], time.monotonic()
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if limit is not None and len(calls) >= limit:
            wait = calls[0] + MINUTE - now
            raise Refused(429, f"Rate limit of {limit} requests per minute exceeded", "rate", wait)
        calls.append(now)

    def admit_task(self, provider: str, key: str) -> None:
        """Raises Refused (429) when the key has as many tasks in flight as it may."""
        limit = self.behaviour.limit(provider).in_flight
        if limit is not None and self.tasks.in_flight(provider, key) >= limit:
            raise Refused(429, f"limited to {limit} concurrent executions", "limit")

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` beside the requests until the sandbox stops."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def clean_daily(self) -> None:
        while True:
            before = time.time() - self.behaviour.keep_days * DAY
            self.tasks.clean(before)
            self.uploads.clean(before)
            self.pictures.clean(before, {digest for task in self.tasks for digest in task.pictures})
            await asyncio.sleep(DAY)

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
