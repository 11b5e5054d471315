"""Row: what the pacer costs, on paper. Its own code runs on a clock that jumps, so only its decisions take time.

Every key has as many tasks in flight as any other; each task is looked for, as `jobs/follow.py` does it, until it has
ended, and the key's requests a minute are too few for all who would look.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from pack import load_pack

from benchmark.figures import Figure, Goal
from benchmark.sizes import Sizes

KEYS = 50
TITLE = "Processor seconds of the pacer's decisions until all tasks have ended"
ACROSS = f"tasks in flight, over {KEYS} keys"
PER_MINUTE = 60
LEAST, MOST = 10.0, 30.0
HISTORY = 20
MINUTE = 60.0


class JumpingClock(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Where a loop would wait for a moment, the moment is there."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


class Minute:
    """Counts the calls of one key, as the ledger does for all workers."""

    def __init__(self, clock: JumpingClock) -> None:
        self._clock = clock
        self._calls: deque[float] = deque()

    async def count(self, most: int) -> tuple[int, float]:
        """One more call, unless so many were made: how many there were, and the seconds until there is room."""
        now = self._clock.now
        while self._calls and self._calls[0] <= now - MINUTE:
            self._calls.popleft()
        used = len(self._calls)
        if used >= most:
            return used, self._calls[used - most] + MINUTE - now
        self._calls.append(now)
        return used, 0.0


def seconds_for(tasks: int, seed: int = 0) -> float:
    """Processor seconds for all decisions until `tasks` tasks over KEYS keys have been found ended."""
    load_pack()
    from kling_pack.jobs.durations import Durations
    from kling_pack.jobs.pacer import Pacer

    rng = random.Random(seed)
    known = Durations(tuple((seconds, seconds) for seconds in (rng.uniform(LEAST, MOST) for _ in range(HISTORY))))
    clock = JumpingClock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now  # type: ignore[method-assign]

    async def followed(pacer: Any, seconds: float) -> None:
        began, looked = clock.now, 0.0
        while looked < seconds:
            wanted = pacer.wanted(known.usual(0.0), tasks // KEYS, 0, tasks // KEYS)
            await asyncio.sleep(max(0.0, began + known.next_look(looked, wanted) - clock.now))
            await pacer.look(lambda before=looked: known.chance(before, clock.now - began))
            looked = clock.now - began

    async def all_keys() -> None:
        pacers = [Pacer(PER_MINUTE, Minute(clock).count) for _ in range(KEYS)]
        await asyncio.gather(*(followed(pacers[number % KEYS], rng.uniform(LEAST, MOST)) for number in range(tasks)))

    before = time.process_time()
    try:
        loop.run_until_complete(all_keys())
    finally:
        loop.close()
    return time.process_time() - before


def pacer(stage: object, sizes: Sizes) -> Iterator[Figure]:
    """Needs no stage. Of several runs the least counts: other work on the machine only ever adds."""
    taken = {tasks: min(seconds_for(tasks, seed) for seed in range(sizes.pacer_runs)) for tasks in sizes.pacer_tasks}
    few, many = min(taken), max(taken)
    each = {tasks: seconds / tasks * 1000 for tasks, seconds in taken.items()}
    yield Figure("pacer", f"all decisions for a task, among {many}", (each[many],), "ms", points=tuple(taken.items()))
    yield Figure("pacer", f"… beside a task among {few}", (each[many] / each[few],), "×", Goal(worst=1.5), bound=1.0)
