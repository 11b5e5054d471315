"""What a job does from start to end: ask one candidate after the other, wait, collect, tell."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from ..catalog.order import Order
from ..catalog.prices import Price
from ..errors import FailedError, KlingError, RefusedError, UnfinishedError, UnreadError
from ..providers.base import Phase, Provider, Status
from .collect import LinksExpiredError, collect, read_again
from .follow import GoneError, follow
from .job import Job, TurnedDownError, refused
from .redact import redact
from .schedule import backoff
from .settings import Endpoint
from .states import State
from .submit import create, write_down
from .uploads import Handed, UploadFailedError
from .work import Outcome

FRESH_LINKS = 3
"""How often a task is asked again for links that no longer work."""


async def run(job: Job) -> None:
    """Carries the job to its end. Every error of the pack ends up in its outcome."""
    try:
        if job.task is None:
            await _submit_somewhere(job)
        else:
            await _resume(job)
    except GoneError as error:
        job.fail(await _gone(job, error))
    except KlingError as error:
        await job.settle(State.FAILED, redact(str(error), job.settings.secrets))
        job.fail(error)


async def _submit_somewhere(job: Job) -> None:
    """Asks the candidates in order; the next one only after a refusal that surely created nothing."""
    tried: list[str] = []
    refusals: list[str] = []
    for order in job.orders:
        try:
            return await _run_at(job, order)
        except TurnedDownError as error:
            if order is job.orders[-1] or not error.kind.elsewhere:
                raise refused(order, error, tried) from error
            tried.append(order.provider)
            refusals.append(f"{order.provider} refused: {error.kind.value}")
            job.notes[:] = refusals
            job.sent = False
            await job.stop_if_dropped()


async def _run_at(job: Job, order: Order) -> None:
    services = job.services
    endpoint = await services.endpoint(job.settings, order.provider, order.offer.provider)
    adapter = services.adapter(order.offer.provider)
    await write_down(job, order, endpoint)
    try:
        job.say("preparing the pictures")
        handed = await _hand_over(job, order, endpoint, adapter)
        job.say("waiting for the first answer of this kind")
        async with services.first_answers.turn(order.provider, order.request.operation.name):
            job.say("waiting for a place")
            async with services.gate(endpoint).slot():
                await create(job, order, endpoint, adapter, handed)
                status = await follow(job, endpoint, adapter)
            await _end(job, endpoint, adapter, status)
    finally:
        unknown = job.task is not None and job.task.state in (State.SUBMITTING, State.UNCERTAIN)
        job.uploads.let_go(order, endpoint, adapter, user=job, delete=not unknown)


async def _hand_over(job: Job, order: Order, endpoint: Endpoint, adapter: Provider) -> Handed:
    try:
        return await job.uploads.hand_over(order, endpoint, adapter, job.pixels, user=job)
    except UploadFailedError as error:
        reason = redact(str(error), job.settings.secrets)
        await job.step(State.FAILED, reason=reason)
        raise RefusedError(
            f"The input picture could not be uploaded to {order.provider} ({reason}). No task was created and nothing "
            "was paid: run again, or choose another provider."
        ) from error


async def _resume(job: Job) -> None:
    """Enters the same loop later: a task that is accepted, or whose kept pictures are gone or unreadable."""
    task, services = job.task, job.services
    assert task is not None  # noqa: S101 - the caller checked
    if task.state is State.UNREAD and (files := await read_again(job)):
        return await _tell(job, files, missing=0)
    if task.state in (State.DONE, State.UNREAD):
        await job.step(State.ACCEPTED)
    endpoint = await services.endpoint(job.settings, task.provider, task.dialect)
    if endpoint.key is None:
        raise UnfinishedError(
            f"Task {task.handle} is paid for and kept, but there is no key for {task.provider} to ask with. Set "
            f"{task.provider.upper()}_API_KEY and run again; nothing is paid for that.",
            task.handle,
        )
    adapter = services.adapter(task.dialect)
    try:
        async with services.gate(endpoint).slot():
            status = await follow(job, endpoint, adapter, resumed=True)
        await _end(job, endpoint, adapter, status)
    except UnfinishedError:
        if task.collected_at is not None and job.task is not None and job.task.state is State.ACCEPTED:
            await job.step(State.DONE)
        raise


async def _gone(job: Job, error: GoneError) -> KlingError:
    """What a person should know of a task that the provider no longer has."""
    task = job.task
    assert task is not None  # noqa: S101 - only a task that was asked for can be gone
    if not task.identity:
        await job.step(State.FAILED, reason=str(error))
        return FailedError(
            f"Task {task.handle} is not in this ledger, and {error}. Nothing was paid by asking: check the handle, "
            "and that the key belongs to the account that paid.",
            task.handle,
        )
    if task.collected_at is None:
        return _unfetched(job, str(error))
    await job.step(State.DONE)
    paid = datetime.fromtimestamp(task.collected_at).strftime("%d %B %Y, %H:%M")
    return UnfinishedError(
        f"This request was paid for and collected on {paid} as {task.handle}; its kept pictures are gone, and {error}. "
        "It is not paid for again on its own: change the seed to pay for a new picture.",
        task.handle,
    )


async def _end(job: Job, endpoint: Endpoint, adapter: Provider, status: Status) -> None:
    """From the provider's last word to the outcome."""
    assert job.task is not None  # noqa: S101 - only accepted tasks end
    handle = job.task.handle
    if job.task.collected_at is not None and not status.links:
        raise GoneError(f"{endpoint.name} now says {status.word} without a picture")
    if status.phase is Phase.CANCELLED:
        await job.step(State.CANCELLED, reason="cancelled at the provider")
        raise FailedError(f"Task {handle} was cancelled at {endpoint.name}. Run again to ask for it anew.", handle)
    if status.phase is Phase.FAILED:
        reason = redact(status.reason, job.settings.secrets)
        await job.step(State.FAILED, reason=reason)
        raise FailedError(
            f"{endpoint.name} accepted task {handle} and could not finish it: {reason}. Providers do not usually "
            f"charge for a failed task; look there to be sure. Change what it names and run again.",
            handle,
        )
    await _collect_all(job, endpoint, adapter, status)


async def _collect_all(job: Job, endpoint: Endpoint, adapter: Provider, status: Status) -> None:
    job.say("fetching the pictures")
    for attempt in range(1, FRESH_LINKS + 1):
        if not status.links:
            raise await _unread(job, f"the answer says {status.word} and holds no link to a picture")
        try:
            files, missing = await collect(job, endpoint, status.links)
            break
        except LinksExpiredError as error:
            if attempt == FRESH_LINKS:
                raise GoneError(f"its links no longer work ({error})") from error
            await asyncio.sleep(backoff(attempt))
            status = await follow(job, endpoint, adapter, resumed=True)
        except UnreadError as error:
            await job.step(State.UNREAD, reason=redact(str(error)))
            raise
    if not files:
        raise _unfetched(job, "no picture could be fetched")
    await _tell(job, files, missing)


async def _tell(job: Job, files: tuple[Path, ...], missing: int) -> None:
    if not missing:
        await job.step(State.DONE, collected_at=job.services.now(), actual_amount=_actual(job, len(files)))
    else:
        job.notes.append(f"{missing} picture(s) not fetched yet: run again to collect, nothing is paid for that")
    job.say("done")
    job.finish(Outcome(job.request, job.task, files, missing, notes=tuple(job.notes), price=job.price))


def _actual(job: Job, pictures: int) -> str | None:
    """What was paid: what the provider said, else the price of the pictures that came."""
    assert job.task is not None  # noqa: S101 - the caller has it
    if job.task.price_basis == "provider":
        return job.task.actual_amount
    price: Price | None = job.price
    return str(price.amount * pictures) if price else job.task.estimated_amount


async def _unread(job: Job, reason: str) -> UnreadError:
    await job.step(State.UNREAD, reason=reason)
    return UnreadError(
        f"Task {job.handle} is paid for and done, but {reason}. The answer is kept in the ledger. Nothing is paid "
        "again: update the pack and run again to read it.",
        job.handle,
    )


def _unfetched(job: Job, reason: str) -> UnfinishedError:
    return UnfinishedError(
        f"Task {job.handle} is paid for and kept, but {reason}. Run again, or use Kling Poll with its handle, to fetch "
        "it without paying.",
        job.handle,
    )
