"""Runs and handles come in here: equal requests meet, what is new is let in and started."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from hmac import compare_digest
from pathlib import Path
from typing import Any

from ..catalog.order import Order
from ..catalog.request import SANDBOX, Request
from ..errors import InputError, SetupError
from ..providers import ADAPTERS
from . import settle
from .admission import admit, may_answer, orders_for
from .collect import kept_files
from .endings import why_not
from .job import Job
from .keeping import drop_old
from .leases import Leases
from .life import carry_out
from .redact import redact
from .row import row_of, row_of_handle
from .services import Services
from .settings import Settings
from .states import HELD, State
from .task import Task, Wanted
from .ticket import Ticket
from .uploads import Uploads
from .work import Handle, Outcome, Run

LAST_ANSWERS_SECONDS = 5.0
"""How long a paid request that is under way is waited for when the engine closes."""


class Dispatch:
    """Used on the engine's loop alone. `settings` are the newest: what nobody asks for is followed with their keys."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self.services, self.settings = services, settings
        self.jobs: dict[int, Job] = {}
        self._uploads = Uploads(services)
        self._admitting = asyncio.Lock()
        self._leases = Leases(services, self._admitting, self._has_in_hand, self._follow)

    async def open(self) -> None:
        """Takes up what was left behind, and deletes pictures that are older than they are to be kept."""
        await self._leases.begin()
        await self.services.on(self.services.download_threads, drop_old, self.settings, self.services.now())

    async def close(self) -> None:
        """Gives what is on its way a moment; accepted tasks stay in the ledger for the next engine."""
        async with self._admitting:
            jobs = list(self.jobs.values())
            sending = {asyncio.wrap_future(job.accepted) for job in jobs if job.task.state is State.SUBMITTING}
            for job in jobs:
                job.dropped = True
                if job.work is not None and not job.sent:
                    job.work.cancel()
            if sending:
                await asyncio.wait(sending, timeout=LAST_ANSWERS_SECONDS)
            works = [job.work for job in jobs if job.work is not None]
            if self._leases.living is not None:
                works.append(self._leases.living)
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await self._uploads.close()
            with contextlib.suppress(SetupError):
                await self._leases.end()
            self.services.close()

    async def submit(self, work: Run) -> tuple[Ticket, ...]:
        """A ticket for each request, in order; one after the other, so that equal requests of two nodes meet."""
        async with self._admitting:
            distinct = {request.identity: request for request in work.requests}
            jobs = {identity: self._running(work, request) for identity, request in distinct.items()}
            found = {identity: (job, "joined") for identity, job in jobs.items() if job}
            for job, how in found.values():
                await self._note_saving(job.task, how, job.request)
            orders = {
                identity: orders_for(work, request) for identity, request in distinct.items() if identity not in found
            }
            found |= await self._let_in(work, orders)
            return self._tickets(found[request.identity] for request in work.requests)

    async def take(self, handles: tuple[Handle, ...], settings: Settings) -> tuple[Ticket, ...]:
        """A ticket for each handle, from any run, any day."""
        async with self._admitting:
            found = []
            for handle in handles:
                task = await self.services.write(self.services.ledger.by_handle, handle.provider, handle.name)
                found.append(await self._rejoin(task or await self._adopt(handle), settings, None))
            return self._tickets(found)

    async def resolve(self, handle: Handle, provider_id: str | None) -> Task:
        """Settles an uncertain task: as accepted under the id found at the provider, or as never created."""
        async with self._admitting:
            task = await settle.resolve(self.services, handle, provider_id)
            if task.state is State.ACCEPTED:
                self._follow(task)
            return task

    async def mark_unread(self, task: Task, reason: str) -> Task:
        """A kept picture turned out to be unreadable: the next run fetches it anew, for nothing."""
        write, ledger = self.services.write, self.services.ledger
        now = await write(ledger.seen, task)
        if now.state is not State.UNREAD:
            now = await write(ledger.step, now, State.UNREAD, reason=redact(reason))
            await write(ledger.forget_results, now)
        return now

    async def wake(self, provider: str, hook: str) -> None:
        """A provider says that a task has ended: it is looked at now. Nothing else is believed."""
        for job in self.jobs.values():
            if job.task.provider == provider and compare_digest(job.task.hook or "", hook):
                job.look_now.set()

    def _tickets(self, found: Iterable[tuple[Job, str]]) -> tuple[Ticket, ...]:
        loop = asyncio.get_running_loop()
        return tuple(Ticket(loop, job, how) for job, how in found)

    def _running(self, work: Run, request: Request) -> Job | None:
        """A job of this worker that carries the same request and whose outcome counts for it."""
        providers = may_answer(request, work.settings.auto_means_sandbox(work.context.from_editor))
        for job in self.jobs.values():
            if job.request and job.request.identity == request.identity and _answers(job, providers):
                return job
        return None

    async def _let_in(self, work: Run, orders: dict[str, tuple[Order, ...]]) -> dict[str, tuple[Job, str]]:
        """What the ledger knows is joined or reused; the rest is written down as a whole, and started."""
        if not orders:
            return {}
        firsts = [candidates[0] for candidates in orders.values()]
        means_sandbox = work.settings.auto_means_sandbox(work.context.from_editor)
        wanted = [
            Wanted(row_of(order, work.settings, work.context, self.services), may_answer(order.request, means_sandbox))
            for order in firsts
        ]
        admitted = await admit(self.services, work.settings, firsts, wanted)
        let_in = {}
        for (identity, candidates), (task, new) in zip(orders.items(), admitted, strict=True):
            request = candidates[0].request
            if new:
                job = self._job(
                    work.settings, task, request, orders=candidates, pixels=work.pixels, context=work.context
                )
                let_in[identity] = (self._start(job), "")
            elif await self._is_abandoned(task):
                await self._leases.take_up(task)
                let_in |= await self._let_in(work, {identity: candidates})
            else:
                let_in[identity] = await self._rejoin(task, work.settings, request)
        return let_in

    async def _rejoin(self, task: Task, settings: Settings, request: Request | None) -> tuple[Job, str]:
        """A job for a task of the ledger: finished at once where its pictures are kept, else followed."""
        for running in self.jobs.values():
            if running.task.number == task.number and not running.finished.done():
                running.request = running.request or request
                await self._note_saving(task, "joined", request)
                return running, "joined"
        how = "joined" if task.state in HELD else "reused"
        job = self._job(settings, task, request)
        try:
            files = await self._kept(task, settings) if task.state is State.DONE else ()
        except SetupError as error:
            job.fail(error)
            return job, how
        if files:
            job.finish(Outcome(request, task, files))
        elif await self._is_carried_on(task):
            job.elsewhere = True
            self._start(job)
        elif task.state in (State.ACCEPTED, State.DONE, State.UNREAD) and task.provider_id:
            job.task = await self._mine(task)
            self._start(job)
        else:
            job.fail(why_not(task))
            return job, how
        await self._note_saving(task, how, request)
        return job, how

    async def _kept(self, task: Task, settings: Settings) -> tuple[Path, ...]:
        results = await self.services.write(self.services.ledger.results, task)
        return await self.services.on(self.services.picture_threads, kept_files, results, settings)

    async def _is_carried_on(self, task: Task) -> bool:
        """Whether another living worker has the task in hand."""
        others = task.state in HELD and task.worker != self.services.worker
        return others and task.worker in await self.services.write(self.services.sharing.others)

    async def _is_abandoned(self, task: Task) -> bool:
        """Whether its worker died before it knew what became of the task; nobody has taken it up yet."""
        unsettled = task.state in (State.NEW, State.SUBMITTING) and task.worker != self.services.worker
        return unsettled and not await self._is_carried_on(task)

    async def _mine(self, task: Task) -> Task:
        """The task as this worker's own, so that no other one takes it up as well."""
        if task.worker == self.services.worker or task.state is not State.ACCEPTED:
            return task
        return await self.services.write(self.services.sharing.take_over, task) or task

    async def _note_saving(self, task: Task, kind: str, request: Request | None) -> None:
        """Only a request spares its price; who asks for a handle never wanted to pay."""
        if request is not None:
            await self.services.write(self.services.ledger.note_saving, task, kind, self.services.now())

    async def _adopt(self, handle: Handle) -> Task:
        """A task that another ledger paid for: written down here and followed like any other."""
        if handle.name.startswith("~"):
            raise InputError(f"task is {handle}, which is not in this ledger. Nothing was asked and nothing was paid.")
        dialect = handle.name.split("-")[0] if handle.provider == SANDBOX else handle.provider
        if dialect not in ADAPTERS:
            raise InputError(f"task is {handle}, which no sandbox gave out. Nothing was asked and nothing was paid.")
        return await self.services.write(self.services.ledger.adopt, row_of_handle(handle, dialect, self.services))

    def _job(self, settings: Settings, task: Task, request: Request | None, **new: Any) -> Job:
        return Job(self.services, self._uploads, settings, task, request=request, **new)

    def _follow(self, task: Task) -> Job:
        return self._start(self._job(self.settings, task, None))

    def _has_in_hand(self, task: Task) -> bool:
        return any(job.task.number == task.number and not job.elsewhere for job in self.jobs.values())

    def _start(self, job: Job) -> Job:
        key = id(job)
        self.jobs[key] = job
        job.work = asyncio.get_running_loop().create_task(carry_out(job))
        job.work.add_done_callback(lambda _: self.jobs.pop(key, None))
        return job


def _answers(job: Job, providers: tuple[str, ...]) -> bool:
    """Whether a running job ends at one of `providers` and has not ended or been stopped yet."""
    settled = job.task.provider_id is not None or not job.orders
    asked = {job.task.provider} if settled else {order.provider for order in job.orders}
    return asked <= set(providers) and not job.finished.done() and (job.sent or not job.dropped)
