"""The paid request: written down before it is sent, sent once, and its id written down at once.

It is repeated only when the connection was never made or the provider said that it took nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..catalog.order import Order
from ..catalog.prices import Price
from ..catalog.request import IDENTITY_RULE, SANDBOX, Request
from ..errors import SetupError, UncertainError, UnfinishedError
from ..providers.base import Created, Provider, Refusal, Refused, Reply, Unclear
from .http import AnswerLostError, NotSentError
from .job import Job, TurnedDownError
from .redact import redact, redact_json
from .route import price_of
from .schedule import backoff, retry_after_seconds
from .settings import Endpoint, Settings
from .states import State
from .task import Task
from .uploads import Handed

CONNECT_ATTEMPTS = 6
SANDBOX_SECONDS = 2.0
PATIENCE_WHEN_FULL = 600.0
"""Seconds that a refusal for being full is waited out where no other provider can be asked."""


async def write_down(job: Job, order: Order, endpoint: Endpoint) -> None:
    """The task's row, before anything is sent."""
    assert job.request is not None  # noqa: S101 - only a request is submitted
    services, overrides = job.services, job.settings.prices
    price = price_of(order, overrides)
    job.price = price.times(order.request.count) if price else None
    usd = overrides.in_usd(order.provider, job.price)
    row = {
        "provider": order.provider,
        "dialect": order.offer.provider,
        "operation": order.request.operation.name,
        "model": order.request.model,
        "wire_model": order.offer.wire_model,
        "identity": order.request.identity,
        "identity_rule": IDENTITY_RULE,
        "count": order.request.count,
        "resolution": str(order.request.fields.get("resolution", "")),
        "request": as_meant(order.request),
        "changes": list(order.changes),
        "created_at": services.now(),
        "estimated_amount": str(job.price.total) if job.price else None,
        "estimated_usd": float(usd) if usd is not None else None,
        "price_unit": job.price.unit if job.price else "",
        "price_basis": _basis(order, job.settings, price),
        "prompt_id": job.context.prompt_id,
        "node_id": job.context.node_id,
        "worker": services.worker,
        "pack_version": services.version,
        "key_hash": endpoint.key_hash,
        "labels": redact_json(job.context.labels, job.settings.secrets),
    }
    task = await job.begin(row)
    job.notes.extend(order.changes)
    unlearned = SANDBOX_SECONDS if order.provider == SANDBOX else order.offer.seconds
    expected = await services.usual_seconds(task, row["resolution"], unlearned)
    job.say("preparing", price=job.price, expected=expected)


async def create(job: Job, order: Order, endpoint: Endpoint, adapter: Provider, handed: Handed) -> None:
    """Makes the task exist at the provider. Raises TurnedDownError or UncertainError."""
    call = adapter.create(order, handed.by_digest)
    as_digests = {picture: f"sha256:{picture}" for picture in handed.by_digest}
    sent = redact_json(adapter.create(order, as_digests).json, job.settings.secrets)
    await job.note(sent=sent, changes=[*order.changes, *handed.notes])
    job.notes.extend(handed.notes)
    began, attempt = job.services.now(), 0
    while True:
        attempt += 1
        # Everything that waits comes before this line, so that Stop finds either nothing sent or all of it.
        await job.services.gate(endpoint).call()
        job.sent = True
        await job.step(State.SUBMITTING, submitted_at=job.services.now())
        job.say("sending")
        try:
            reply = await job.services.send(endpoint, adapter, call)
        except NotSentError as error:
            await _again_or_refuse(job, attempt, str(error))
            continue
        except AnswerLostError as error:
            raise await _uncertain(job, order, f"the connection broke ({error})", None) from error
        answer = adapter.created(reply)
        if isinstance(answer, Created):
            return await _accept(job, answer.id, reply)
        if isinstance(answer, Unclear):
            raise await _uncertain(job, order, answer.reason, reply)
        if answer.kind.passes and not _can_go_elsewhere(job, order) and job.services.now() - began < PATIENCE_WHEN_FULL:
            await _wait_for_room(job, endpoint, reply, answer, attempt)
            continue
        await job.step(State.FAILED, reason=_said(job, answer.reason), answer=kept(job, reply))
        raise TurnedDownError(answer.kind, _said(job, answer.reason))


async def _accept(job: Job, provider_id: str, reply: Reply) -> None:
    now = job.services.now()
    try:
        await job.step(State.ACCEPTED, provider_id=provider_id, accepted_at=now, answer=kept(job, reply))
    except SetupError as error:
        handle = f"{job.task.provider if job.task else ''}:{provider_id}"
        raise UnfinishedError(
            f"The task was created and is paid for as {handle}, but that could not be written down: {error} Keep this "
            "handle: Kling Poll collects it without paying.",
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
    job.services.gate(endpoint).close_for(backoff(attempt + 1) if pause is None else pause)
    job.say("waiting: the provider has no room")


async def _uncertain(job: Job, order: Order, reason: str, reply: Reply | None) -> UncertainError:
    said = _said(job, reason)
    await job.step(State.UNCERTAIN, reason=said, **({"answer": kept(job, reply)} if reply else {}))
    return uncertain(job.task, said)


def uncertain(task: Task | None, reason: str) -> UncertainError:
    """What a person should know of a task whose answer was lost."""
    assert task is not None  # noqa: S101 - only a written task becomes uncertain
    return UncertainError(
        f"Task {task.handle} may or may not have been created: {reason}. It is not sent again, so that it is not paid "
        f"twice. Look at {task.provider} for {task.wire_model} with {task.count} picture(s) at the time it was sent; "
        f"then settle it with POST /kling/tasks/{task.handle}/resolve as its id or as not created, or change the seed "
        "to pay for a new one.",
        task.handle,
    )


def as_meant(request: Request) -> dict[str, Any]:
    """A request for the ledger: our names and values, pictures as digests."""
    pictures = {
        role: [{"sha256": picture.digest, "width": picture.width, "height": picture.height} for picture in sent]
        for role, sent in request.pictures.items()
        if sent
    }
    return {
        "fields": dict(request.fields),
        "pictures": pictures,
        "seed": request.seed,
        "provider": request.provider,
    }


def _can_go_elsewhere(job: Job, order: Order) -> bool:
    return order is not job.orders[-1]


def _basis(order: Order, settings: Settings, price: Price | None) -> str:
    if order.provider == SANDBOX:
        return "sandbox"
    if price is None:
        return "unknown"
    asked: tuple[str, str, str] = (order.provider, order.request.model, order.request.operation.name)
    return "prices.json" if asked in settings.prices.prices else "catalogue"


def _said(job: Job, reason: str) -> str:
    return redact(reason, job.settings.secrets)


def kept(job: Job, reply: Reply) -> Any:
    """The raw answer for the ledger, redacted."""
    answer = reply.json()
    if answer is None:
        answer = {"status": reply.status, "text": reply.body[:2000].decode("utf-8", "replace")}
    return redact_json(answer, job.settings.secrets)
