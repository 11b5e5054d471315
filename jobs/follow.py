"""The one wait loop: looks how a task stands until it has ended. Resuming is the same loop entered later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from ..errors import UnfinishedError
from ..providers.base import Phase, Refusal, Refused, Reply, Status
from .job import Job
from .redact import redact

GIVE_UP_SECONDS = 2 * 3600.0
UNKNOWN_ANSWERS = 4
"""How often a provider may say that it does not know a task's id, right after giving it."""


class GoneError(Exception):
    """The provider no longer has the task or its pictures; says why."""


@dataclass(frozen=True)
class Seen:
    """What one look brought: how the task stands, or why that cannot be told. `asked` is the provider's own wish
    for a pause, in seconds."""

    status: Status | None = None
    refused: Refused | None = None
    reply: Reply | None = None
    asked: float | None = None


class Watch(Protocol):
    """Where a task is looked at."""

    async def pause(self, job: Job, errors: int, asked: float | None) -> None:
        """Returns when the next look is worth it, or may be made after `errors` that failed one after the other."""

    async def look(self, job: Job) -> Seen:
        """One look. A look that failed says nothing about the task and is simply repeated."""

    async def cancel_when_wanted(self, job: Job) -> None:
        """Has the task stopped once somebody wants that; the loop sees what came of it."""

    async def ended(self, job: Job, seen: Seen) -> None:
        """Writes the last answer down."""


async def follow(job: Job, watch: Watch) -> Status:
    """Returns the status that ends the task, its last answer written down.

    Raises UnfinishedError when the task can no longer be followed, GoneError when the provider does not know it;
    it stays accepted in the ledger.
    """
    cancelling = asyncio.create_task(watch.cancel_when_wanted(job))
    began, errors, unknown, asked = job.services.now(), 0, 0, None
    try:
        while True:
            await watch.pause(job, errors, asked)
            seen = await watch.look(job)
            asked = seen.asked
            if seen.status is not None:
                errors = unknown = 0
                job.say(seen.status.word)
                if seen.status.phase is not Phase.RUNNING:
                    await watch.ended(job, seen)
                    return seen.status
            else:
                errors += 1
            unknown += seen.refused is not None and seen.refused.kind is Refusal.UNKNOWN
            _give_up_if_hopeless(job, seen.refused, unknown, job.services.now() - began)
            job.tell_accepted()
    finally:
        cancelling.cancel()


def _give_up_if_hopeless(job: Job, refused: Refused | None, unknown: int, followed: float) -> None:
    task = job.task
    start = f"Task {task.handle} is paid for and kept, but "
    later = "Run again, or use Kling Poll with its handle, to collect it without paying."
    if refused is not None:
        reason = redact(refused.reason, job.settings.secrets)
        if refused.kind is Refusal.KEY:
            raise UnfinishedError(
                f"{start}{task.provider} refuses the key ({reason}). Correct it. {later}", task.handle
            )
        if unknown >= UNKNOWN_ANSWERS:
            raise GoneError(f"{task.provider} does not know its id ({reason})")
    if followed > GIVE_UP_SECONDS:
        raise UnfinishedError(f"{start}has not ended after {followed / 3600:.1f} hours. {later}", task.handle)
