"""What a job does from start to end: ask one candidate after the other, wait, collect, tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from ..catalog.order import Order
from ..errors import KlingError, RefusedError, SetupError, UnfinishedError
from ..providers.base import Provider
from .admission import admit
from .collect import kept_files, read_again
from .endings import end, gone, interrupted, kept_as, paid_all_the_same, tell, why_not
from .follow import GoneError, follow
from .job import STOPPED, Job, TurnedDownError, refused
from .placing import UploadFailedError
from .redact import redact
from .row import price_for, row_of, unlearned_seconds
from .settings import Endpoint
from .states import State
from .submit import create
from .task import TakenError, Wanted
from .uploads import Handed
from .watches import AtProvider, InLedger
from .work import Outcome

LOG = logging.getLogger("kling")


async def carry_out(job: Job) -> None:
    """Carries the job to its end, whatever comes. Nobody who waits for it waits for ever."""
    try:
        await run(job)
    except asyncio.CancelledError:
        try:
            await job.settle(State.CANCELLED, STOPPED)
        finally:
            job.fail(interrupted(job))
        raise
    except Exception as error:  # noqa: BLE001 - a mistake of the pack must not leave a node waiting for ever
        said = redact(f"{type(error).__name__}: {error}", job.settings.secrets)
        LOG.error("Task %s met a mistake of the pack: %s", job.handle, said)
        await job.settle(State.FAILED, said)
        await job.release()
        job.fail(KlingError(f"The pack made a mistake ({said}). {kept_as(job)}", job.handle))


async def run(job: Job) -> None:
    """Every error of the pack ends up in the job's outcome."""
    try:
        try:
            await _known(job, _submit_somewhere(job) if job.orders else _resume(job))
        except TakenError:
            # This worker was taken for dead, because its machine slept, and another one carries the task on.
            await _known(job, _beside(job))
    except KlingError as error:
        await job.settle(State.FAILED, redact(str(error), job.settings.secrets))
        await job.release()
        job.fail(paid_all_the_same(job, error) if isinstance(error, SetupError) else error)


async def _known(job: Job, work: Coroutine[None, None, None]) -> None:
    """Does `work`; where the provider no longer has the task, that is told."""
    try:
        await work
    except GoneError as error:
        raise await gone(job, error) from error


async def _submit_somewhere(job: Job) -> None:
    """Asks the candidates in order; the next one only after a refusal that surely created nothing."""
    tried: list[str] = []
    refusals: list[str] = []
    for order in job.orders:
        try:
            if tried and not await _begin_at(job, order):
                return await _beside(job)
            return await _run_at(job, order)
        except TurnedDownError as error:
            if order is job.orders[-1] or not error.kind.elsewhere:
                raise refused(order, error, tried) from error
            tried.append(order.provider)
            refusals.append(f"{order.provider} refused: {error.kind.value}")
            job.notes[:] = refusals
            job.sent = False
            await job.stop_if_dropped()


async def _begin_at(job: Job, order: Order) -> bool:
    """Writes the task down anew for the next candidate; False where another worker has the same request there."""
    row = row_of(order, job.settings, job.context, job.services)
    ((job.task, new),) = await admit(job.services, job.settings, [order], [Wanted(row, (order.provider,))])
    return new


async def _run_at(job: Job, order: Order) -> None:
    services = job.services
    endpoint = await services.endpoint(job.settings, order.provider, order.offer.provider)
    adapter, gate = services.adapter(order.offer.provider), services.gate(endpoint)
    job.price = price_for(order, job.settings)
    job.notes.extend(order.changes)
    await job.learn(unlearned_seconds(order))
    job.say("preparing", price=job.price)
    try:
        async with gate.place(
            job.context.prompt_id, job.expected, lambda position: job.say("waiting for a place", position)
        ) as place:
            job.say("preparing the pictures")
            handed = await _hand_over(job, order, endpoint, adapter)
            job.say("waiting for the first answer of this kind")
            async with services.first_answers.turn(order.provider, order.request.operation.name):
                await create(job, order, endpoint, adapter, handed)
                status = await follow(job, AtProvider(job, endpoint, adapter))
                place.leave()
                await end(job, endpoint, adapter, status)
    finally:
        gate.free()
        # Also when ComfyUI ends: until the task is surely over, the provider may still read its pictures.
        state = job.task.state
        read = state in (State.SUBMITTING, State.UNCERTAIN, State.ACCEPTED)
        job.uploads.let_go(order, endpoint, adapter, user=job, delete=not read, again=state is State.DONE)


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
    if job.elsewhere:
        return await _beside(job)
    if task.state is not State.DONE and (files := await read_again(job)):
        return await tell(job, files, missing=0)
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
    await job.learn(job.unlearned)
    try:
        status = await follow(job, AtProvider(job, endpoint, adapter, resumed=True))
        await end(job, endpoint, adapter, status)
    except UnfinishedError:
        if task.collected_at is not None and job.task.state is State.ACCEPTED:
            await job.step(State.DONE)
        raise


async def _beside(job: Job) -> None:
    """Waits for what another worker makes of the task, and hands out what it kept; follows what that one gave up."""
    job.elsewhere = True
    while True:
        await follow(job, InLedger())
        if job.task.state is not State.ACCEPTED:
            break
        if taken := await job.services.write(job.services.sharing.take_over, job.task):
            job.task, job.elsewhere = taken, False
            return await _resume(job)
    if job.task.state is not State.DONE:
        raise why_not(job.task)
    results = await job.services.write(job.services.ledger.results, job.task)
    files = await job.services.on(job.services.picture_threads, kept_files, results, job.settings)
    if files:
        return job.finish(Outcome(job.request, job.task, files, notes=tuple(job.notes), price=job.price))
    job.elsewhere = False
    await _resume(job)
