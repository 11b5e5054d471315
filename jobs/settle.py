"""What a person decides about one task: cancel it, or settle one whose answer was lost."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InputError
from .job import Job
from .services import Services
from .states import State
from .task import Task
from .work import Handle, read_handles

NOTHING_CHANGED = "Nothing was changed and nothing was paid."


async def task_of(services: Services, handle: Handle) -> Task:
    """The ledger's task of this handle. Raises InputError where there is none."""
    task = await services.write(services.ledger.by_handle, handle.provider, handle.name)
    if task is None:
        raise InputError(f"task is {handle}, which is not in this ledger. {NOTHING_CHANGED}")
    return task


async def resolve(services: Services, handle: Handle, provider_id: str | None) -> Task:
    """Settles an uncertain task as accepted with the id found at the provider, or as never created.

    Raises InputError when the task is not uncertain or the id cannot be one.
    """
    task = await task_of(services, handle)
    if task.state is not State.UNCERTAIN:
        raise InputError(f"task is {handle}, which is {task.state.value}, not uncertain. {NOTHING_CHANGED}")
    if provider_id is None:
        return await services.write(services.ledger.step, task, State.FAILED, reason="settled: never created")
    name = read_handles(f"{task.provider}:{provider_id}")[0].name
    if name.startswith("~"):
        raise InputError(f"id is {provider_id!r}; it must be the id that {task.provider} shows. {NOTHING_CHANGED}")
    now = services.now()
    return await services.write(
        services.ledger.step, task, State.ACCEPTED, provider_id=name, accepted_at=now, worker=services.worker
    )


async def cancel(services: Services, jobs: Iterable[Job], handle: Handle) -> str:
    """Stops a running task as far as that can be done; says what will come of it."""
    task = await task_of(services, handle)
    job = next((job for job in jobs if job.task and job.task.number == task.number), None)
    if job is None or job.work is None:
        return f"{handle} is {task.state.value}: there is nothing to cancel."
    job.dropped = True
    if not job.sent:
        job.work.cancel()
        return f"{handle} was not sent yet and never will be; nothing is paid."
    job.cancel_wanted.set()
    if services.adapter(task.dialect).cancel("") is None:
        return f"{task.provider} has no cancel call: {handle} goes on and is kept."
    return f"{task.provider} is asked to stop {handle}; what it still makes is kept."
