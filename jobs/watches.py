"""Where the wait loop looks: at the provider, or in the ledger where another worker carries the task on."""

from __future__ import annotations

import asyncio
import random

from ..providers.base import Phase, Provider, Refusal, Refused, Status
from .follow import Seen
from .http import AnswerLostError, NotSentError
from .job import Job
from .redact import redact
from .schedule import backoff, retry_after_seconds
from .settings import Endpoint
from .states import HELD
from .submit import kept
from .task import NOBODY

FREE_LOOKS = 10
"""Looks that a task may cost beside one for each interval that the provider's page advises."""

JITTER = 0.1
"""Share by which moments to look are spread, so that tasks of one second do not ask in one instant for ever."""

LEDGER_PAUSES = (0.2, 0.5, 1.0)
"""Seconds between looks at a task that another worker carries on: those cost a query and no request."""


class AtProvider:
    """Asks the provider, when the end is likely and the key's calls allow it."""

    def __init__(self, job: Job, endpoint: Endpoint, adapter: Provider, resumed: bool = False) -> None:
        task = job.task
        assert task.provider_id is not None  # noqa: S101 - accepted tasks have an id
        self._endpoint, self._adapter, self._id = endpoint, adapter, task.provider_id
        self._gate = job.services.gate(endpoint)
        self._accepted_at = task.accepted_at or task.created_at
        self._running_at: float | None = None
        self._looks, self._at_once = 0, resumed

    async def pause(self, job: Job, errors: int, asked: float | None) -> None:
        elapsed = job.services.now() - self._accepted_at
        until = elapsed + (asked if asked is not None else backoff(errors) if errors else 0.0)
        looked = 0.0 if self._running_at is None else self._running_at - self._accepted_at
        if not errors and not self._at_once:
            wanted = self._gate.wanted(job.expected) * random.uniform(1 - JITTER, 1 + JITTER)
            until = max(until, job.durations.next_look(looked, wanted))
            until = max(until, (self._looks + 1 - FREE_LOOKS) * self._adapter.advised_pause)
        self._at_once = False
        await _sleep_or_called(job, until - elapsed)
        await self._gate.pacer.look(
            lambda: job.durations.chance(looked, max(looked, job.services.now() - self._accepted_at))
        )

    async def look(self, job: Job) -> Seen:
        self._looks += 1
        asked_at = job.services.now()
        try:
            reply = await job.services.send(self._endpoint, self._adapter, self._adapter.poll(self._id))
        except (NotSentError, AnswerLostError):
            return Seen()
        answer = self._adapter.status(reply)
        if isinstance(answer, Status):
            self._running_at = asked_at if answer.phase is Phase.RUNNING else self._running_at
            asked = retry_after_seconds(reply.headers.get("retry-after"), job.services.now())
            return Seen(answer, reply=reply, asked=asked)
        asked = retry_after_seconds(reply.retry_after, job.services.now())
        if isinstance(answer, Refused) and answer.kind is Refusal.FULL:
            self._gate.refused(backoff(2) if asked is None else asked, created=True)
        return Seen(refused=answer if isinstance(answer, Refused) else None, reply=reply, asked=asked)

    async def cancel_when_wanted(self, job: Job) -> None:
        await job.cancel_wanted.wait()
        call = self._adapter.cancel(self._id)
        if call is None:
            job.notes.append(f"{self._endpoint.name} has no cancel call: the task goes on and is kept")
            return
        try:
            reply = await job.services.ask(self._endpoint, self._adapter, call)
        except (NotSentError, AnswerLostError):
            job.notes.append("the cancel call did not get through: the task goes on and is kept")
            return
        job.look_now.set()
        if not reply.ok:
            job.notes.append(
                f"{self._endpoint.name} did not cancel it (HTTP {reply.status}): the task goes on and is kept"
            )

    async def ended(self, job: Job, seen: Seen) -> None:
        assert seen.status is not None and seen.reply is not None  # noqa: S101 - it is what ended the task
        changed = {"word": redact(seen.status.word)[:64], "answer": kept(job, seen.reply)}
        if job.task.finished_at is None:
            changed |= {"finished_at": job.services.now(), "running_at": self._running_at}
        if seen.status.cost is not None:
            changed |= {"actual_amount": str(seen.status.cost), "price_unit": "USD", "price_basis": "provider"}
        await job.note(**changed)
        self._gate.free()


class InLedger:
    """Watches a task that another worker carries on."""

    def __init__(self) -> None:
        self._looks = 0

    async def pause(self, job: Job, errors: int, asked: float | None) -> None:
        await asyncio.sleep(LEDGER_PAUSES[min(self._looks, len(LEDGER_PAUSES) - 1)])
        self._looks += 1

    async def look(self, job: Job) -> Seen:
        job.task = await job.services.write(job.services.ledger.seen, job.task)
        running = job.task.state in HELD and job.task.worker != NOBODY
        if job.task.provider_id:
            job.tell_accepted()
        return Seen(Status(Phase.RUNNING if running else Phase.DONE, "carried on by another ComfyUI"))

    async def cancel_when_wanted(self, job: Job) -> None:
        """What another worker carries on, somebody there may be waiting for."""

    async def ended(self, job: Job, seen: Seen) -> None:
        """Whoever carried it on has written everything down."""


async def _sleep_or_called(job: Job, seconds: float) -> None:
    """Sleeps, unless the provider says meanwhile that there is something to see."""
    try:
        await asyncio.wait_for(job.look_now.wait(), max(0.0, seconds))
    except asyncio.TimeoutError:
        return
    job.look_now.clear()
