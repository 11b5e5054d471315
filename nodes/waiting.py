"""A node waits beside the engine in short slices: it sees Stop, shows progress, and never cancels a task."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from ..jobs.pool import Pool
from ..jobs.settings import Settings
from ..jobs.states import State
from ..jobs.ticket import Ticket
from ..jobs.work import Progress
from . import host
from .report import moment

SLICE_SECONDS = 0.2
STEPS = 100
THREADS = Pool("kling-node", 8)
"""Not asyncio's own: ComfyUI would wait for the threads of those before it shows that a run was stopped."""

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Started:
    """A run that the engine has taken in, and the settings it goes by."""

    tickets: tuple[Ticket, ...]
    settings: Settings

    def go_on(self) -> None:
        """The node has what it waited for."""
        for ticket in self.tickets:
            ticket.let_go(stop=False)

    def drop(self, pressed: bool) -> None:
        """The node no longer waits: what was not sent never is. What was is kept or, where Stop was pressed and the
        settings say so, cancelled."""
        for ticket in self.tickets:
            ticket.let_go(stop=True, cancel=pressed and self.settings.on_interrupt == "cancel")


async def apart(act: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
    """Runs blocking work on a thread. Stop does not wait for it."""
    return await _beside(THREADS.submit(act, *args, **kwargs))


async def begin(start: Callable[Arguments, Started], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Started:
    """Runs `start` on a thread in one go: a node that blocks ComfyUI meanwhile must not keep the task from being sent.

    When Stop comes first, the run is dropped as soon as it is there.
    """

    starting = THREADS.submit(start, *args, **kwargs)
    try:
        return await _beside(starting)
    except BaseException:
        pressed = host.interrupted()

        def drop(ended: Future[Started]) -> None:
            if ended.exception() is None:
                ended.result().drop(pressed)

        starting.add_done_callback(drop)
        raise


async def watch(started: Started, node_id: str | None, finished: bool, timeout: float | None = None) -> None:
    """Waits until every ticket is finished (or accepted), showing progress; at most `timeout` seconds.

    When Stop is pressed, or ComfyUI drops the node, the run is dropped.
    """
    screen = _Screen(started.tickets, node_id)
    futures: list[Future[Any]] = [ticket.finished if finished else ticket.accepted for ticket in started.tickets]
    try:
        if not await _until(futures, screen, timeout):
            raise host.interruption()
    except BaseException:
        started.drop(pressed=host.interrupted())
        raise
    started.go_on()


async def _beside(future: Future[Answer]) -> Answer:
    """Waits for a future of another thread; Stop ends the waiting and leaves the future alone."""
    if not await _until([future], None):
        raise host.interruption()
    return future.result()


async def _until(futures: Sequence[Future[Any]], screen: _Screen | None, timeout: float | None = None) -> bool:
    """True when all are done or the time is over, False when Stop was pressed."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    ends = None if timeout is None else loop.time() + timeout

    def wake(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the prompt's loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ready.set)

    for future in futures:
        future.add_done_callback(wake)
    while not all(future.done() for future in futures):
        if host.interrupted():
            return False
        if ends is not None and loop.time() >= ends:
            return True
        if screen is not None:
            screen.update()
        ready.clear()
        if all(future.done() for future in futures):
            break
        left = SLICE_SECONDS if ends is None else max(0.0, min(SLICE_SECONDS, ends - loop.time()))
        # Not asyncio.wait_for, which makes a task for each slice: hundreds of nodes may wait side by side.
        alarm = loop.call_later(left, ready.set)
        try:
            await ready.wait()
        finally:
            alarm.cancel()
    if screen is not None:
        screen.update()
    return True


class _Screen:
    """The node's text and bar. Both are sent only when they change."""

    def __init__(self, tickets: Sequence[Ticket], node_id: str | None) -> None:
        self._tickets, self._node_id = tickets, node_id
        self._bar = host.progress_bar(node_id, STEPS)
        self._shown: tuple[str, int] = ("", -1)

    def update(self) -> None:
        distinct = {ticket.same_task: ticket for ticket in self._tickets}.values()
        if not distinct:
            return
        stands = [(not ticket.finished.done(), ticket.progress) for ticket in distinct]
        running, slowest = max(stands, key=lambda stand: (stand[0], stand[1].since))
        now, count, done = time.time(), len(stands), sum(not running for running, _ in stands)
        text = moment(slowest, now)
        if count > 1:
            text = f"{done} of {count} done · {text}"
        value = round(STEPS * (done + running * _share(slowest, now)) / count)
        if (text, value) != self._shown:
            self._shown = (text, value)
            host.show_text(text, self._node_id)
            self._bar(value)


def _share(progress: Progress, now: float) -> float:
    """How much of the time that a task takes is over: none before it is accepted, never all of it."""
    if progress.state is not State.ACCEPTED:
        return 0.0
    return min(0.95, max(0.0, (now - progress.since) / max(progress.expected, 0.1)))
