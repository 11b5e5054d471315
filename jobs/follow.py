"""The one wait loop: asks how a task stands until it has ended. Resuming is the same loop entered later."""

from __future__ import annotations

import asyncio

from ..errors import UnfinishedError
from ..providers.base import Call, Phase, Provider, Refusal, Refused, Reply, Status
from .http import AnswerLostError, NotSentError
from .job import Job
from .redact import redact
from .schedule import backoff, next_pause, retry_after_seconds
from .settings import Endpoint
from .submit import kept

GIVE_UP_SECONDS = 2 * 3600.0
UNKNOWN_ANSWERS = 4
"""How often a provider may say that it does not know a task's id, right after giving it."""


class GoneError(Exception):
    """The provider no longer has the task or its pictures; says why."""


async def follow(job: Job, endpoint: Endpoint, adapter: Provider, resumed: bool = False) -> Status:
    """Returns the status that ends the task, its last answer written down.

    Raises UnfinishedError when the task can no longer be followed, GoneError when the provider does not know it;
    it stays accepted in the ledger.
    """
    assert job.task is not None and job.task.provider_id is not None  # noqa: S101 - accepted tasks have an id
    call = adapter.poll(job.task.provider_id)
    cancelling = asyncio.create_task(_cancel_when_wanted(job, endpoint, adapter, job.task.provider_id))
    began, errors, unknown = job.services.now(), 0, 0
    pause = 0.0 if resumed else next_pause(0.0, job.progress.expected)
    try:
        while True:
            await asyncio.sleep(pause)
            elapsed = job.services.now() - (job.task.accepted_at or job.task.created_at)
            reply, status = await _look(job, endpoint, adapter, call)
            if isinstance(status, Status):
                errors = unknown = 0
                job.say(status.word)
                if status.phase is not Phase.RUNNING:
                    await _write_end(job, status, reply)
                    return status
                pause = next_pause(elapsed, job.progress.expected)
            unknown += isinstance(status, Refused) and status.kind is Refusal.UNKNOWN
            _give_up_if_hopeless(job, status, unknown, job.services.now() - began)
            job.tell_accepted()
            if isinstance(status, Status):
                continue
            errors += 1
            asked = retry_after_seconds(reply.retry_after, job.services.now()) if reply else None
            pause = backoff(errors) if asked is None else asked
    finally:
        cancelling.cancel()


async def _look(
    job: Job, endpoint: Endpoint, adapter: Provider, call: Call
) -> tuple[Reply | None, Status | Refused | None]:
    """One look; a look that failed says nothing about the task and is simply repeated."""
    try:
        reply = await job.services.ask(endpoint, adapter, call)
    except (NotSentError, AnswerLostError):
        return None, None
    answer = adapter.status(reply)
    if isinstance(answer, Refused) and answer.kind is Refusal.FULL:
        pause = retry_after_seconds(reply.retry_after, job.services.now())
        job.services.gate(endpoint).close_for(backoff(2) if pause is None else pause)
    return reply, answer if isinstance(answer, Status | Refused) else None


def _give_up_if_hopeless(job: Job, status: Refused | Status | None, unknown: int, followed: float) -> None:
    task = job.task
    assert task is not None  # noqa: S101 - only accepted tasks are followed
    start = f"Task {task.handle} is paid for and kept, but "
    later = "Run again, or use Kling Poll with its handle, to collect it without paying."
    if isinstance(status, Refused):
        reason = redact(status.reason, job.settings.secrets)
        if status.kind is Refusal.KEY:
            raise UnfinishedError(
                f"{start}{task.provider} refuses the key ({reason}). Correct it. {later}", task.handle
            )
        if unknown >= UNKNOWN_ANSWERS:
            raise GoneError(f"{task.provider} does not know its id ({reason})")
    if followed > GIVE_UP_SECONDS:
        raise UnfinishedError(f"{start}has not ended after {followed / 3600:.1f} hours. {later}", task.handle)


async def _write_end(job: Job, status: Status, reply: Reply | None) -> None:
    changed = {"word": redact(status.word)[:64], "answer": kept(job, reply) if reply else None}
    if job.task is not None and job.task.finished_at is None:
        changed["finished_at"] = job.services.now()
    if status.cost is not None:
        changed |= {"actual_amount": str(status.cost), "price_unit": "USD", "price_basis": "provider"}
    await job.note(**changed)


async def _cancel_when_wanted(job: Job, endpoint: Endpoint, adapter: Provider, provider_id: str) -> None:
    """Asks the provider to stop the task once somebody wants that; the loop sees what came of it."""
    await job.cancel_wanted.wait()
    call = adapter.cancel(provider_id)
    if call is None:
        job.notes.append(f"{endpoint.name} has no cancel call: the task goes on and is kept")
        return
    try:
        reply = await job.services.ask(endpoint, adapter, call)
    except (NotSentError, AnswerLostError):
        job.notes.append("the cancel call did not get through: the task goes on and is kept")
        return
    if not reply.ok:
        job.notes.append(f"{endpoint.name} did not cancel it (HTTP {reply.status}): the task goes on and is kept")
