"""The engine: one thread with one loop, shared by all prompts. Nodes hand work over and wait beside it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import psutil

from ..catalog.order import Order
from ..catalog.request import SANDBOX, Request
from ..errors import FailedError, InputError, KlingError, UnfinishedError
from ..providers import ADAPTERS
from . import settle
from .admission import check_cost, may_answer, orders_for
from .collect import kept_files
from .job import STOPPED, Job, stopped
from .keeping import drop_old
from .life import run
from .redact import redact
from .services import SandboxAddress, Services
from .settings import Settings
from .states import State
from .submit import uncertain
from .task import Task
from .ticket import Ticket
from .uploads import Uploads
from .work import Handle, Outcome, Run

LOG = logging.getLogger("kling")
LAST_ANSWERS_SECONDS = 5.0
"""How long a paid request that is under way is waited for when the engine closes."""

ANOTHER_PROCESS_SECONDS = 60.0
"""A process that started this much later than the worker it shares an id with is another one."""

Answer = TypeVar("Answer")


class Engine:
    """Starts its thread with the first call. `settings` are those under which it opens the ledger."""

    def __init__(self, settings: Settings, version: str, sandbox_address: SandboxAddress) -> None:
        self._settings, self._version, self._sandbox_address = settings, version, sandbox_address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="kling-engine", daemon=True)
        self._jobs: dict[int, Job] = {}
        self._admitting = asyncio.Lock()
        # SQLAlchemy would cost every start of ComfyUI half a second; the first task can spare it.
        from .ledger import Ledger

        # The ledger is opened here, so that one that cannot be written is told before anything is planned.
        self._services = Services(Ledger(settings.ledger_url), version, sandbox_address)
        self._uploads = Uploads(self._services)
        self._thread.start()
        self.call(self._take_up()).add_done_callback(_log_failure)

    def submit(self, work: Run) -> Future[tuple[Ticket, ...]]:
        """A ticket for each request, in order; equal requests share a task. Raises what admission refuses."""
        return self.call(self._admit(work))

    def poll(self, handles: tuple[Handle, ...], settings: Settings) -> Future[tuple[Ticket, ...]]:
        """A ticket for each handle, from any run, any day."""
        return self.call(self._take(handles, settings))

    def tasks(self, limit: int, state: State | None = None) -> Future[tuple[Task, ...]]:
        """The newest tasks first."""
        return self.call(self._services.write(self._services.ledger.recent, limit, state))

    def cancel(self, handle: Handle) -> Future[str]:
        """Stops a task as far as its provider can; the answer says what will come of it."""
        return self.call(settle.cancel(self._services, self._jobs.values(), handle))

    def resolve(self, handle: Handle, provider_id: str | None) -> Future[Task]:
        """Settles an uncertain task: as accepted under the id found at the provider, or as never created."""
        return self.call(self._resolve(handle, provider_id))

    def mark_unread(self, task: Task, reason: str) -> Future[Task]:
        """A kept picture turned out to be unreadable: the next run fetches it anew, for nothing."""
        return self.call(self._mark_unread(task, reason))

    def call(self, work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
        """Runs `work` on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Ends the thread. Accepted tasks stay in the ledger and are taken up by the next engine."""
        self.call(self._wind_down()).result(timeout=LAST_ANSWERS_SECONDS + 10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    async def _wind_down(self) -> None:
        async with self._admitting:
            jobs = list(self._jobs.values())
            sending = {
                asyncio.wrap_future(job.accepted) for job in jobs if job.task and job.task.state is State.SUBMITTING
            }
            for job in jobs:
                job.dropped = True
                if job.work is not None and not job.sent:
                    job.work.cancel()
            if sending:
                await asyncio.wait(sending, timeout=LAST_ANSWERS_SECONDS)
            works = [job.work for job in jobs if job.work is not None]
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await self._uploads.close()
            self._services.close()

    async def _take_up(self) -> None:
        """After a restart, unasked: what was accepted is followed, what was on its way is uncertain."""
        services, ledger = self._services, self._services.ledger
        async with self._admitting:
            for task in await services.write(ledger.in_state, State.NEW, State.SUBMITTING, State.ACCEPTED):
                if not _left_behind(task, services.worker):
                    continue
                try:
                    await self._take_over(task)
                except (KlingError, ValueError) as error:
                    LOG.warning("Task %s was not taken up: %s", task.handle, error)
        results, days = self._settings.results, self._settings.keep_results_days
        await services.on(services.picture_threads, drop_old, results, days, services.now())

    async def _take_over(self, task: Task) -> None:
        services, ledger = self._services, self._services.ledger
        if task.state is State.NEW:
            await services.write(ledger.step, task, State.CANCELLED, reason="never sent: the process ended")
        elif task.state is State.SUBMITTING:
            await services.write(ledger.step, task, State.UNCERTAIN, reason="the process ended while it was sent")
        else:
            mine = await services.write(ledger.note, task, worker=services.worker)
            self._start(Job(services, self._uploads, self._settings, task=mine))

    async def _resolve(self, handle: Handle, provider_id: str | None) -> Task:
        async with self._admitting:
            task = await settle.resolve(self._services, handle, provider_id)
            if task.state is State.ACCEPTED:
                self._start(Job(self._services, self._uploads, self._settings, task=task))
            return task

    async def _admit(self, work: Run) -> tuple[Ticket, ...]:
        """One after the other, so that equal requests of two nodes find each other."""
        async with self._admitting:
            distinct = {request.identity: request for request in work.requests}
            found = {identity: await self._find(work, request) for identity, request in distinct.items()}
            new = {identity: orders_for(work, distinct[identity]) for identity, job in found.items() if job is None}
            unwritten = [job.orders[0] for job in self._jobs.values() if job.task is None]
            await check_cost(self._services, work.settings, [orders[0] for orders in new.values()], unwritten)
            jobs = {identity: self._begin(work, distinct[identity], orders) for identity, orders in new.items()}
            known = {identity: job for identity, job in found.items() if job is not None}
            return tuple(
                Ticket(self._loop, jobs[request.identity], "")
                if request.identity in jobs
                else Ticket(self._loop, *known[request.identity])
                for request in work.requests
            )

    async def _find(self, work: Run, request: Request) -> tuple[Job, str] | None:
        """The job or kept pictures of the same request, and how they were come by."""
        providers = may_answer(request, work.settings.auto_means_sandbox(work.context.from_editor))
        for job in self._jobs.values():
            if job.request and job.request.identity == request.identity and self._answers(job, providers):
                return job, "joined"
        task = await self._services.write(self._services.ledger.find, request.identity, providers)
        return None if task is None else await self._rejoin(task, work.settings, request)

    @staticmethod
    def _answers(job: Job, providers: tuple[str, ...]) -> bool:
        """Whether a running job ends at one of `providers` and has not ended or been stopped yet."""
        settled = job.task is not None and job.task.provider_id is not None
        asked = {job.task.provider} if job.task and settled else {order.provider for order in job.orders}
        return asked <= set(providers) and not job.finished.done() and (job.sent or not job.dropped)

    async def _rejoin(self, task: Task, settings: Settings, request: Request | None) -> tuple[Job, str]:
        """A job for a task of the ledger: finished at once where its pictures are kept, else followed."""
        for running in self._jobs.values():
            if running.task and running.task.number == task.number and not running.finished.done():
                running.request = running.request or request
                return running, "joined"
        job = Job(self._services, self._uploads, settings, request=request, task=task)
        results = await self._services.write(self._services.ledger.results, task)
        files = kept_files(results, settings.results)
        if task.state is State.DONE and files:
            job.finish(Outcome(request, task, files))
        elif task.state in (State.ACCEPTED, State.DONE, State.UNREAD) and task.provider_id:
            self._start(job)
            return job, "joined" if task.state is State.ACCEPTED else "reused"
        else:
            job.fail(_why_not(task))
        return job, "reused"

    async def _mark_unread(self, task: Task, reason: str) -> Task:
        write, ledger = self._services.write, self._services.ledger
        now = await write(ledger.by_handle, task.provider, f"~{task.number}") or task
        if now.state is not State.UNREAD:
            now = await write(ledger.step, now, State.UNREAD, reason=redact(reason))
            await write(ledger.forget_results, now)
        return now

    async def _take(self, handles: tuple[Handle, ...], settings: Settings) -> tuple[Ticket, ...]:
        tickets = []
        for handle in handles:
            task = await self._services.write(self._services.ledger.by_handle, handle.provider, handle.name)
            if task is None:
                task = await self._adopt(handle)
            tickets.append(Ticket(self._loop, *await self._rejoin(task, settings, None)))
        return tuple(tickets)

    async def _adopt(self, handle: Handle) -> Task:
        """A task that another ledger paid for: written down here and followed like any other."""
        if handle.name.startswith("~"):
            raise InputError(f"task is {handle}, which is not in this ledger. Nothing was asked and nothing was paid.")
        dialect = handle.name.split("-")[0] if handle.provider == SANDBOX else handle.provider
        if dialect not in ADAPTERS:
            raise InputError(f"task is {handle}, which no sandbox gave out. Nothing was asked and nothing was paid.")
        now = self._services.now()
        unknown = dict.fromkeys(("operation", "model", "wire_model", "identity", "resolution", "price_unit"), "")
        row = {
            "provider": handle.provider,
            "provider_id": handle.name,
            "dialect": dialect,
            "identity_rule": 0,
        }
        row |= {"count": 1, "request": {}, "changes": [], "created_at": now, "accepted_at": now}
        row |= {"worker": self._services.worker, "pack_version": self._version, "price_basis": "unknown"}
        return await self._services.write(self._services.ledger.adopt, unknown | row)

    def _begin(self, work: Run, request: Request, orders: tuple[Order, ...]) -> Job:
        job = Job(
            self._services,
            self._uploads,
            work.settings,
            request=request,
            orders=orders,
            pixels=work.pixels,
            context=work.context,
        )
        self._start(job)
        return job

    def _start(self, job: Job) -> None:
        key = id(job)
        self._jobs[key] = job
        job.work = self._loop.create_task(self._carry_out(job))
        job.work.add_done_callback(lambda _: self._jobs.pop(key, None))

    async def _carry_out(self, job: Job) -> None:
        try:
            await run(job)
        except asyncio.CancelledError:
            try:
                await job.settle(State.CANCELLED, STOPPED)
            finally:
                job.fail(_interrupted(job))
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of the pack must not leave a node waiting for ever
            said = redact(f"{type(error).__name__}: {error}", job.settings.secrets)
            LOG.error("Task %s met a mistake of the pack: %s", job.handle or "(not written)", said)
            await job.settle(State.FAILED, said)
            job.fail(KlingError(f"The pack made a mistake ({said}). {_kept_as(job)}", job.handle))


def _log_failure(taking_up: Future[None]) -> None:
    if not taking_up.cancelled() and (error := taking_up.exception()):
        LOG.warning("Open tasks were not taken up: %s", redact(f"{type(error).__name__}: {error}"))


def _interrupted(job: Job) -> KlingError:
    """The error of a job that was cancelled: by Stop before it was sent, or at any time by the end of the engine."""
    task = job.task
    if task is None or task.state in (State.NEW, State.FAILED, State.CANCELLED):
        return stopped(job)
    if task.state is State.UNCERTAIN:
        return uncertain(task, task.reason)
    return UnfinishedError(
        f"ComfyUI ends while task {task.handle} is {task.state.value}. It is kept and collected after the next start.",
        task.handle,
    )


def _kept_as(job: Job) -> str:
    if job.task is None or job.task.state in (State.NEW, State.FAILED):
        return "Nothing was paid."
    return f"Task {job.handle} is {job.task.state.value} in the ledger; Kling Poll with its handle tells how it stands."


def _why_not(task: Task) -> KlingError:
    """Why a task of the ledger has no pictures to give and none to wait for."""
    if task.state is State.UNCERTAIN:
        return uncertain(task, task.reason)
    ended = task.state in (State.FAILED, State.CANCELLED)
    return (FailedError if ended else UnfinishedError)(
        f"Task {task.handle} is {task.state.value}{': ' + task.reason if task.reason else ''}. There is nothing to "
        "collect, and nothing was paid by asking.",
        task.handle,
    )


def _left_behind(task: Task, worker: str) -> bool:
    """Whether the process that had the task in hand is gone. One on another machine is taken to live."""
    host, process, started, _ = task.worker.split("/")
    if task.worker == worker or host != socket.gethostname():
        return False
    if process == worker.split("/")[1]:
        return True
    try:
        return bool(psutil.Process(int(process)).create_time() > float(started) + ANOTHER_PROCESS_SECONDS)
    except psutil.NoSuchProcess:
        return True
