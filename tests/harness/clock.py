"""An event loop whose time jumps to the next thing that is due: what waits for minutes is tested in no time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

FOR_EVER = 100_000.0


class Clock(asyncio.SelectorEventLoop):
    """Real work is waited for as ever; only sleeping costs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = 0.0

    def time(self) -> float:
        return super().time() + self.shift

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.shift += max(0.0, self._scheduled[0]._when - self.time())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` to its end. Raises TimeoutError where it waits for ever."""
    loop = Clock()
    try:
        loop.run_until_complete(asyncio.wait_for(work, FOR_EVER))
    finally:
        loop.close()


async def settle() -> None:
    """Lets everything happen that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)
