"""A fair line before a bounded number of places: runs take turns, and within a run the longest tasks go first."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Turn:
    """Somebody in line, for a task that takes about `seconds`."""

    seconds: float
    called: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Place:
    """One place. `leave` gives it back; a second time does nothing."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def leave(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back:
            give_back()


class Line:
    """Used on one event loop. A hundred tasks of one run do not keep a single one of another waiting.

    Within a run, whose results are wanted together, those that take longest go first: the short ones then fill the
    places that are left at its end. Of equally long ones, who came first goes first.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._runs: OrderedDict[Hashable, list[Turn]] = OrderedDict()

    @property
    def waiting(self) -> int:
        return sum(len(turns) for turns in self._runs.values())

    @asynccontextmanager
    async def place(self, run: Hashable, seconds: float, told: Callable[[Turn], None]) -> AsyncIterator[Place]:
        """A place, held until it is left or the block ends.

        `seconds` is how long the task is likely to take; `told` hears what to ask `position` with meanwhile.
        """
        turn = Turn(seconds)
        insort(self._runs.setdefault(run, []), turn, key=lambda other: -other.seconds)
        self._call_next()
        told(turn)
        try:
            await turn.called
        except asyncio.CancelledError:
            if turn.called.done() and not turn.called.cancelled():
                self._give_back()
            else:
                self._forget(run, turn)
            raise
        place = Place(self._give_back)
        try:
            yield place
        finally:
            place.leave()

    def position(self, turn: Turn) -> int:
        """How many are called up to this one, itself included; 0 for one that was called."""
        runs = list(self._runs.values())
        for mine, turns in enumerate(runs):
            if turn in turns:
                before = turns.index(turn)
                return 1 + sum(
                    min(len(others), before + (place < mine)) if place != mine else before
                    for place, others in enumerate(runs)
                )
        return 0

    def _call_next(self) -> None:
        while self._free and self._runs:
            run, turns = next(iter(self._runs.items()))
            turn = turns.pop(0)
            if turns:
                self._runs.move_to_end(run)
            else:
                del self._runs[run]
            if not turn.called.done():
                self._free -= 1
                turn.called.set_result(None)

    def _give_back(self) -> None:
        self._free += 1
        self._call_next()

    def _forget(self, run: Hashable, turn: Turn) -> None:
        turns = self._runs.get(run)
        if turns and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._runs[run]
