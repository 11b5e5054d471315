"""Time that nobody waits for: one clock, event loops that it steps, and threads whose blocking costs nothing."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from asyncio import events
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any
from weakref import WeakSet

Blocking = Generator[float, None, Any]
"""Work of a thread that yields for how many seconds it blocks next, and returns its answer."""


class Clock:
    """Seconds since the schedule began, and what happens when. Equal moments keep the order they were given in."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + max(0.0, seconds), next(self._order), act))

    @property
    def next(self) -> float | None:
        return self._due[0][0] if self._due else None

    def happen(self) -> None:
        """Goes to the next thing that is due, and does it."""
        when, _, act = heapq.heappop(self._due)
        self.now = max(self.now, when)
        act()


class Loop(asyncio.BaseEventLoop):
    """The event loop of one process: it runs when it is stepped, and a process that crashes is stepped no more.

    `steps_left` counts down with every callback that ran; at 0, `crash` is called in its place.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.steps_left, self.crash = -1, lambda: None
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        """This loop's own: `asyncio.all_tasks` goes through those of every process that ever was."""

    def create_task(self, *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = super().create_task(*args, **kwargs)
        self.tasks.add(task)
        return task

    def time(self) -> float:
        return self._clock.now

    @property
    def next(self) -> float | None:
        if self._ready:  # type: ignore[attr-defined]
            return self._clock.now
        due = self._scheduled  # type: ignore[attr-defined]
        while due and due[0]._cancelled:
            heapq.heappop(due)._scheduled = False
        return due[0]._when if due else None

    def step(self) -> None:
        """Runs what is ready now."""
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]
        due = self._scheduled  # type: ignore[attr-defined]
        while due and due[0]._when <= self._clock.now:
            handle = heapq.heappop(due)
            handle._scheduled = False
            ready.append(handle)
        events._set_running_loop(self)
        try:
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                if self.steps_left == 0:
                    self.steps_left = -1
                    return self.crash()
                self.steps_left -= 1
                handle._run()
        finally:
            events._set_running_loop(None)

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


class Pool(Executor):
    """At most `size` threads in virtual time. Work that is a generator blocks for the seconds that it yields.

    `machine` says whether the process still lives, and when it is awake.
    """

    def __init__(self, machine: Any, size: int) -> None:
        self._machine, self._free = machine, size
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not self._machine.dead:
            self._queue.append((future, partial(self._machine.does, fn, *args, **kwargs)))
            self._begin()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Threads of virtual time end by themselves."""

    def _begin(self) -> None:
        while self._free and self._queue:
            self._free -= 1
            future, act = self._queue.popleft()
            self._machine.later(self._machine.moment(), partial(self._work, future, act))

    def _work(self, future: Future[Any], act: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return self._end()
        try:
            answer = act()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the future
            return self._end(partial(future.set_exception, error))
        if isinstance(answer, Generator):
            return self._go_on(future, answer)
        self._end(partial(future.set_result, answer))

    def _go_on(self, future: Future[Any], work: Blocking) -> None:
        """What has left the machine happens also when its process ends meanwhile."""
        try:
            pause = next(work)
        except StopIteration as ended:
            return self._end(partial(future.set_result, ended.value))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the future
            return self._end(partial(future.set_exception, error))
        self._machine.clock.after(pause, partial(self._go_on, future, work))

    def _end(self, tell: Callable[[], None] = lambda: None) -> None:
        self._free += 1
        if not self._machine.dead:
            tell()
            self._begin()
