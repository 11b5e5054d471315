"""One key's API calls a minute: spent where a look is likeliest to find something finished, with room for creates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import SetupError
from .durations import EAGER

SHY = 0.7
"""However scarce calls are, a look is made when the chance that it finds the end has grown to this."""

WHOLE_MINUTE = 60.0
LONGEST_SLEEP = 1.0
"""Seconds after which who waits for a call is asked anew whose look is the likeliest."""

BACK_OFF, RECOVERY, LEAST = 0.8, 1.1, 0.25
"""After a refusal only this share of the calls that were too many is made, and each minute so many times more; never
less than the last share of what the page says, as the refusal may have had another reason."""


@dataclass
class _Look:
    chance: Callable[[], float]
    granted: asyncio.Future[None]


class Pacer:
    """Used on one event loop. `count` counts one more call among all workers' unless so many were made already;
    it returns how many there were and, if that was too many, the seconds until there is room."""

    def __init__(self, per_minute: int, count: Callable[[int], Awaitable[tuple[int, float]]]) -> None:
        self._page, self._count = per_minute, count
        self._learned = float(per_minute)
        self._refused_at = 0.0
        self._closed_until = 0.0
        self._used = 0
        self._looks: list[_Look] = []
        self._serving: asyncio.Task[None] | None = None
        self.creates_waiting = 0

    @property
    def per_minute(self) -> int:
        """What the page says, or less after refusals: a limit is what the provider keeps, not what it writes."""
        minutes = (asyncio.get_running_loop().time() - self._refused_at) / WHOLE_MINUTE
        return max(1, min(self._page, int(self._learned * RECOVERY**minutes)))

    async def call(self) -> None:
        """Returns when one more API call may be made and is counted. Goes before every look."""
        self.creates_waiting += 1
        try:
            while wait := await self._counted(self.per_minute):  # noqa: ASYNC110 - other workers use the minute up
                await asyncio.sleep(min(wait, LONGEST_SLEEP))
        finally:
            self.creates_waiting -= 1

    async def look(self, chance: Callable[[], float]) -> None:
        """Returns when a look may be made; of those that wait, the one with the highest `chance` now goes first."""
        look = _Look(chance, asyncio.get_running_loop().create_future())
        self._looks.append(look)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        try:
            await look.granted
        finally:
            if look in self._looks:
                self._looks.remove(look)

    async def open(self) -> None:
        """Returns when the provider takes calls again."""
        loop = asyncio.get_running_loop()
        while (pause := self._closed_until - loop.time()) > 0:  # noqa: ASYNC110 - nothing but time ends it
            await asyncio.sleep(pause)

    def wanted(self, usual: float, in_flight: int, waiting: int, places: int) -> float:
        """The chance of finding the end that a look should have, so that the calls last for all.

        `usual` is how long a task takes, `in_flight` how many run, `waiting` how many are still to be created, and
        `places` how many may run at once.
        """
        tasks = in_flight + waiting
        rounds = tasks / max(1, min(places, tasks))
        later = self.per_minute * max(0.0, usual * rounds - WHOLE_MINUTE) / WHOLE_MINUTE
        for_looks = self.per_minute - self._used + later - waiting
        each = for_looks / max(1, tasks)
        return SHY if each <= 0 else min(SHY, max(EAGER, 1 / each))

    def refused(self, pause: float) -> None:
        """The provider said that there were too many calls, and to come back after `pause` seconds."""
        loop = asyncio.get_running_loop()
        self._closed_until = max(self._closed_until, loop.time() + pause)
        self._learned = max(LEAST * self._page, BACK_OFF * min(self.per_minute, self._used))
        self._refused_at = loop.time()

    async def _serve(self) -> None:
        while self._looks:
            wait = await self._counted(max(1, self.per_minute - self._room()))
            if wait:
                await asyncio.sleep(min(wait, LONGEST_SLEEP))
            elif self._looks:
                best = max(self._looks, key=lambda look: look.chance())
                self._looks.remove(best)
                if not best.granted.done():
                    best.granted.set_result(None)

    def _room(self) -> int:
        return min(max(1, self.creates_waiting), self.per_minute // 4)

    async def _counted(self, most: int) -> float:
        await self.open()
        try:
            self._used, wait = await self._count(most)
        except SetupError:
            # A ledger that is full counts no calls; what is paid for must be collected all the same.
            return 0.0
        return wait
