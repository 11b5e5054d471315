"""What a node holds while it waits. Letting go of it never stops a task that is paid for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import replace

from .job import Job
from .work import Outcome, Progress


class Ticket:
    """One waiter of one task. Every method may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, job: Job, how: str) -> None:
        self._loop, self._job, self._how = loop, job, how
        job.waiting += 1
        job.dropped = False

    @property
    def progress(self) -> Progress:
        """How the task stands right now."""
        return self._job.progress

    @property
    def finished(self) -> Future[Outcome]:
        """Done when the task has ended one way or another. Not to be cancelled."""
        return self._job.finished

    @property
    def accepted(self) -> Future[None]:
        """Done when the provider has the task, or it has ended without that. Not to be cancelled."""
        return self._job.accepted

    @property
    def same_task(self) -> int:
        """Equal for tickets of one task."""
        return id(self._job)

    def outcome(self) -> Outcome:
        """How it ended, or how it stands now: without files and without an error."""
        job = self._job
        if not job.finished.done():
            return Outcome(job.request, job.task, how=self._how, notes=tuple(job.notes), price=job.price)
        ended = job.finished.result()
        return replace(ended, how=self._how)

    def let_go(self, stop: bool, cancel: bool = False) -> None:
        """The node no longer waits.

        With `stop`, a task that nobody else waits for is never sent if it was not yet; one that was is
        kept, or with `cancel` stopped at the provider.
        """
        self._loop.call_soon_threadsafe(self._let_go, stop, cancel)

    def _let_go(self, stop: bool, cancel: bool) -> None:
        job = self._job
        job.waiting -= 1
        if not stop or job.waiting > 0 or job.finished.done():
            return
        job.dropped = True
        if not job.sent and job.work is not None:
            job.work.cancel()
        elif cancel:
            job.cancel_wanted.set()
