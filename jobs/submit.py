"""The paid request: written down before it is sent, sent once, and its id written down at once.

It is repeated only when the connection was never made or the provider said that it took nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..catalog.order import Order
from ..errors import SetupError, UncertainError, UnfinishedError
from ..providers.base import Created, Provider, Refusal, Refused, Reply, Unclear
from .http import AnswerLostError, NotSentError
from .job import Job, TurnedDownError
from .redact import redact, redact_json
from .schedule import backoff, retry_after_seconds
from .services import Unwritten
from .settings import Endpoint
from .states import State
from .task import TakenError, Task
from .uploads import Handed

CONNECT_ATTEMPTS = 6
PATIENCE_WHEN_FULL = 600.0
"""Seconds that a refusal for being full is waited out where no other provider can be asked."""


async def create(job: Job, order: Order, endpoint: Endpoint, adapter: Provider, handed: Handed) -> None:
    """Makes the task exist at the provider. Raises TurnedDownError or UncertainError."""
    call = adapter.create(order, handed.by_digest, _callback(job, order))
    as_digests = {picture: f"sha256:{picture}" for picture in handed.by_digest}
    sent = redact_json(adapter.create(order, as_digests).json, job.settings.secrets)
    await job.note(sent=sent, changes=[*order.changes, *handed.notes])
    job.notes.extend(handed.notes)
    began, attempt = job.services.now(), 0
    while True:
        attempt += 1
        await _claim(job, endpoint, order)
        job.say("sending")
        try:
            reply = await job.services.send(endpoint, adapter, call)
        except NotSentError as error:
            await _again_or_refuse(job, attempt, str(error))
            continue
        except AnswerLostError as error:
            raise await _uncertain(job, f"the connection broke ({error})", None) from error
        answer = adapter.created(reply)
        if isinstance(answer, Created):
            return await _accept(job, answer.id, reply)
        if isinstance(answer, Unclear):
            raise await _uncertain(job, answer.reason, reply)
        if answer.kind.passes and not _can_go_elsewhere(job, order) and job.services.now() - began < PATIENCE_WHEN_FULL:
            await _wait_for_room(job, endpoint, reply, answer, attempt)
            continue
        await job.step(State.FAILED, reason=_said(job, answer.reason), answer=kept(job, reply))
        raise TurnedDownError(answer.kind, _said(job, answer.reason))


async def _claim(job: Job, endpoint: Endpoint, order: Order) -> None:
    """Returns with the task in submitting, a place and a call taken. One task of a key after the other asks."""
    gate, services = job.services.gate(endpoint), job.services
    alone = not await services.first_answers.is_read(order.provider, order.request.operation.name)
    async with gate.next_to_send(lambda position: job.say("waiting for a place", position)):
        while True:
            await gate.pacer.open()
            # Everything that waits lies outside of what is sent, so that Stop finds either nothing sent or all of it.
            job.sent = True
            claim = await job.claim(endpoint.limits_key, gate.limits, alone)
            if claim.same is not None:
                await job.join(claim.same)
            gate.in_flight = claim.in_flight
            if claim.task is not None:
                return
            job.sent = False
            await job.stop_if_dropped()
            await gate.until_free(claim.wait)


def _callback(job: Job, order: Order) -> str | None:
    """Where the provider may say that the task has ended; nobody can guess the address."""
    if job.task.hook is None or job.settings.public_url is None:
        return None
    return f"{job.settings.public_url}/kling/hooks/{order.provider}/{job.task.hook}"


async def _accept(job: Job, provider_id: str, reply: Reply) -> None:
    now = job.services.now()
    accepted = {"provider_id": provider_id, "accepted_at": now, "answer": kept(job, reply)}
    try:
        try:
            await job.step(State.ACCEPTED, **accepted)
        except TakenError:
            # This worker was taken for dead while it waited for the answer; the id must not be lost for that.
            job.task = await job.services.write(job.services.ledger.seen, job.task)
            await job.step(State.ACCEPTED, **accepted, worker=job.services.worker)
    except SetupError as error:
        handle = f"{job.task.provider}:{provider_id}"
        job.services.unwritten.append(Unwritten(job.task, accepted))
        raise UnfinishedError(
            f"The task was created and is paid for as {handle}, but that could not be written down: {error} It is "
            "written down and collected as soon as that works. Keep this handle until then: Kling Poll collects it "
            "without paying.",
            handle,
        ) from error
    job.say("accepted", since=now)
    job.tell_accepted()


async def _again_or_refuse(job: Job, attempt: int, reason: str) -> None:
    """No connection was made: the request had no effect and is sent again a few times."""
    await job.step(State.NEW)
    job.sent = False
    await job.stop_if_dropped()
    if attempt >= CONNECT_ATTEMPTS:
        await job.step(State.FAILED, reason=reason)
        raise TurnedDownError(Refusal.FULL, f"no connection could be made: {reason}")
    job.say("no connection, trying again")
    await asyncio.sleep(backoff(attempt))


async def _wait_for_room(job: Job, endpoint: Endpoint, reply: Reply, answer: Refused, attempt: int) -> None:
    await job.step(State.NEW, reason=_said(job, answer.reason), answer=kept(job, reply))
    job.sent = False
    await job.stop_if_dropped()
    pause = retry_after_seconds(reply.retry_after, job.services.now())
    job.services.gate(endpoint).refused(backoff(attempt + 1) if pause is None else pause, created=False)
    job.say("waiting: the provider has no room")


async def _uncertain(job: Job, reason: str, reply: Reply | None) -> UncertainError:
    said = _said(job, reason)
    await job.step(State.UNCERTAIN, reason=said, **({"answer": kept(job, reply)} if reply else {}))
    return uncertain(job.task, said)


def uncertain(task: Task, reason: str) -> UncertainError:
    """What a person should know of a task whose answer was lost."""
    return UncertainError(
        f"Task {task.handle} may or may not have been created: {reason}. It is not sent again, so that it is not paid "
        f"twice. Look at {task.provider} for {task.wire_model} with {task.count} picture(s) at the time it was sent; "
        f"then settle it with POST /kling/tasks/{task.handle}/resolve as its id or as not created, or change the seed "
        "to pay for a new one.",
        task.handle,
    )


def _can_go_elsewhere(job: Job, order: Order) -> bool:
    return order is not job.orders[-1]


def _said(job: Job, reason: str) -> str:
    return redact(reason, job.settings.secrets)


def kept(job: Job, reply: Reply) -> Any:
    """The raw answer for the ledger, redacted."""
    answer = reply.json()
    if answer is None:
        answer = {"status": reply.status, "text": reply.body[:2000].decode("utf-8", "replace")}
    return redact_json(answer, job.settings.secrets)
