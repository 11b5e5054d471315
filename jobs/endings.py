"""How a task ends: its pictures kept and told, or an error that says what is paid and what to do."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from ..catalog.prices import Price
from ..errors import FailedError, KlingError, SetupError, UnfinishedError, UnreadError
from ..providers.base import Phase, Provider, Status
from .collect import MOST_LINKS, LinksExpiredError, collect
from .follow import GoneError, follow
from .job import Job, stopped
from .redact import redact
from .schedule import backoff
from .settings import Endpoint
from .states import State
from .submit import uncertain
from .task import Task
from .watches import AtProvider
from .work import Outcome

FRESH_LINKS = 3
"""How often a task is asked again for links that no longer work."""


async def gone(job: Job, error: GoneError) -> KlingError:
    """What a person should know of a task that the provider no longer has."""
    task = job.task
    if not task.identity and task.finished_at is None:
        await job.step(State.FAILED, reason=str(error))
        return FailedError(
            f"Task {task.handle} is not in this ledger, and {error}. Nothing was paid by asking: check the handle, "
            "and that the key belongs to the account that paid.",
            task.handle,
        )
    if task.finished_at is None:
        # What its provider has forgotten takes none of the places in flight.
        await job.note(finished_at=job.services.now())
    if task.collected_at is None:
        return _unfetched(job, str(error))
    await job.step(State.DONE)
    paid = datetime.fromtimestamp(task.collected_at).strftime("%d %B %Y, %H:%M")
    return UnfinishedError(
        f"This request was paid for and collected on {paid} as {task.handle}; its kept pictures are gone, and {error}. "
        "It is not paid for again on its own: change the seed to pay for a new picture.",
        task.handle,
    )


async def end(job: Job, endpoint: Endpoint, adapter: Provider, status: Status) -> None:
    """From the provider's last word to the outcome."""
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
            files, missing = await collect(job, endpoint, status.links[:MOST_LINKS])
            break
        except LinksExpiredError as error:
            if attempt == FRESH_LINKS:
                raise GoneError(f"its links no longer work ({error})") from error
            await asyncio.sleep(backoff(attempt))
            status = await follow(job, AtProvider(job, endpoint, adapter, resumed=True))
        except UnreadError as error:
            await job.step(State.UNREAD, reason=redact(str(error)))
            raise
    if not files:
        raise _unfetched(job, "no picture could be fetched")
    await tell(job, files, missing)


async def tell(job: Job, files: tuple[Path, ...], missing: int) -> None:
    if not missing:
        await job.step(State.DONE, collected_at=job.services.now(), actual_amount=_actual(job, len(files)))
    else:
        job.notes.append(f"{missing} picture(s) not fetched yet: run again to collect, nothing is paid for that")
    job.say("done")
    job.finish(Outcome(job.request, job.task, files, missing, notes=tuple(job.notes), price=job.price))


def _actual(job: Job, pictures: int) -> str | None:
    """What was paid: what the provider said, else the price of the pictures that came."""
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


def why_not(task: Task) -> KlingError:
    """Why a task of the ledger has no pictures to give and none to wait for."""
    if task.state is State.UNCERTAIN:
        return uncertain(task, task.reason)
    ended = task.state in (State.FAILED, State.CANCELLED)
    return (FailedError if ended else UnfinishedError)(
        f"Task {task.handle} is {task.state.value}{': ' + task.reason if task.reason else ''}. There is nothing to "
        "collect, and nothing was paid by asking.",
        task.handle,
    )


def interrupted(job: Job) -> KlingError:
    """The error of a job that was cancelled: by Stop before it was sent, or at any time by the end of the engine."""
    task = job.task
    if task.state in (State.NEW, State.FAILED, State.CANCELLED):
        return stopped(job)
    if task.state is State.UNCERTAIN:
        return uncertain(task, task.reason)
    return UnfinishedError(
        f"ComfyUI ends while task {task.handle} is {task.state.value}. It is kept and collected after the next start.",
        task.handle,
    )


def kept_as(job: Job) -> str:
    if job.task.state in (State.NEW, State.FAILED):
        return "Nothing was paid."
    return f"Task {job.handle} is {job.task.state.value} in the ledger; Kling Poll with its handle tells how it stands."


def paid_all_the_same(job: Job, error: SetupError) -> KlingError:
    """The error of a job that something on this machine kept from its end; says so where the task is paid for."""
    if job.task.state not in (State.ACCEPTED, State.DONE, State.UNREAD):
        return error
    return UnfinishedError(
        f"Task {job.handle} is paid for; once this is mended, run again or use Kling Poll to collect it for nothing. "
        f"{error}",
        job.handle,
    )
