"""One ComfyUI process with the real engine inside: it runs nodes, and can sleep, end or crash at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from network import Network
from plan import Asked
from virtual import Loop, Pool

from kling_pack.errors import KlingError
from kling_pack.jobs.dispatch import Dispatch
from kling_pack.jobs.encode import encode
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.services import Services
from kling_pack.jobs.sharing import Sharing
from kling_pack.jobs.states import State
from kling_pack.jobs.ticket import Ticket
from kling_pack.jobs.work import Handle, Outcome
from kling_pack.providers.base import Call

STOP_SECONDS = 1.0
"""How long after Stop a request may still be sent or a task that was not sent may still stand."""
IN_TROUBLE_SECONDS = 45.0
"""The same where the ledger cannot be written: its calls wait one after the other."""
JUST_WOKEN_SECONDS = 2.0
CLOSE_SECONDS = 15.0

_encoded: dict[int, Any] = {}


class Process:
    """`name` is the worker's name in the ledger. `world` holds what is outside of it."""

    def __init__(self, world: Any, name: str, settings: Any) -> None:
        self._world, self.name, self.settings = world, name, settings
        self.clock, self.dead, self.closing, self.nodes = world.clock, False, False, 0
        self.asleep_until, self._woken_at = 0.0, -1e9
        self.loop = Loop(self.clock)
        self._wanted: dict[int, int] = {}
        self._stopped_at: dict[int, float] = {}
        network: Any = Network(self, world.houses, world.weather)
        self.services = Services(
            world.disk, "1", _no_sandbox, http=network, pool=lambda name, size: Pool(self, size), now=world.wall
        )
        self.services.worker, self.services.sharing = name, Sharing(world.disk, name)
        self.dispatch = Dispatch(self.services, settings)
        self.run(self.dispatch.open()).add_done_callback(self._opened)

    # What its threads and the network ask.

    def does(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The work of a thread."""
        if fn is encode:
            known = id(args[0])
            if known not in _encoded:
                _encoded[known] = fn(*args)
            return _encoded[known]
        owner = getattr(fn, "__self__", None)
        if isinstance(owner, Ledger | Sharing):
            self._world.trace_ledger(self, fn, args)
            return self._world.disk.patiently(lambda: fn(*args, **kwargs), lambda: not self.dead)
        return fn(*args, **kwargs)

    def moment(self) -> float:
        """Seconds until a thread begins."""
        return float(self._world.chance.uniform(0.0002, 0.004))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something on this machine: not while it sleeps; when the process ended just before, perhaps."""

        def now() -> None:
            if self.asleep_until > self.clock.now and not self.dead:
                return self.later(self.asleep_until - self.clock.now, act)
            if not self.dead or self._world.chance.random() < 0.5:
                act()

        self.clock.after(seconds, now)

    def say(self, words: str) -> None:
        self._world.say(f"{self.name}  {words}")

    def disk_is_full(self) -> bool:
        return str(self._world.disk.trouble()).startswith("full")

    def counts_calls(self) -> bool:
        """Not where calls cannot be counted: an hour may pass between that and the call, or the ledger be full."""
        slept = self.clock.now - self._woken_at < JUST_WOKEN_SECONDS
        return not slept and not self._world.disk.trouble(62.0)

    def sends_create(self, call: Call) -> None:
        """A paid request leaves. Not after Stop."""
        tag = self._world.tag_of(call)
        stopped = self._stopped_at.get(tag)
        if stopped is None or self._wanted.get(tag) or self.dead or self._woken_at > stopped:
            return
        if self.clock.now - stopped > self._stop_bound():
            self._world.broken("Stop", f"picture {tag} was sent {self.clock.now - stopped:.1f} s after Stop")

    # What befalls it.

    @property
    def next(self) -> float | None:
        due = self.loop.next
        return None if due is None else max(due, self.asleep_until)

    def run(self, work: Any) -> asyncio.Task[Any]:
        asyncio.events._set_running_loop(self.loop)
        try:
            return self.loop.create_task(work)
        finally:
            asyncio.events._set_running_loop(None)

    def crash(self) -> None:
        self.say("✝ crashes")
        self.dead = True
        for task in self.loop.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    def sleep(self, seconds: float) -> None:
        self.say(f"sleeps for {seconds:.1f} s")
        self.asleep_until = self._woken_at = self.clock.now + seconds

    async def close(self, gone: Callable[[], None]) -> None:
        began = self.clock.now
        self.closing = True
        await self.dispatch.close()
        late = self.clock.now - began
        if late > CLOSE_SECONDS and self._woken_at < began and not self._world.disk.trouble(CLOSE_SECONDS):
            self._world.broken("Stop", f"closing took {late:.1f} s")
        self.say(f"closed after {late:.1f} s")
        gone()

    # What its nodes do.

    async def node(self, asked: tuple[Asked, ...], stop_after: float | None, cancel: bool, end: Any) -> None:
        """One node's run, from its requests to their outcomes or to Stop."""
        tags = {one.tag for one in asked}
        for tag in tags:
            self._wanted[tag] = self._wanted.get(tag, 0) + 1
        self.say(f"node wants {[f'{one.tag}@{one.provider}' for one in asked]}")
        submitting = self.loop.create_task(self.dispatch.submit(self._world.run_of(asked, self.settings)))
        ends = None if stop_after is None else self.clock.now + stop_after
        try:
            await asyncio.wait({submitting}, timeout=stop_after)
            if not submitting.done():
                submitting.add_done_callback(lambda done: self._drop_late(done, cancel))
                return self._stop(tags)
            tickets = submitting.result()
            ended = await self.wait(tickets, ends)
            for ticket in tickets:
                ticket.let_go(stop=not ended, cancel=cancel)
            if not ended:
                self._stop(tags)
                self.loop.call_later(self._stop_bound(), self._check_stopped, tickets)
            end([ticket.outcome() for ticket in tickets])
        except KlingError as error:
            end([Outcome(None, None, error=error)])
        finally:
            for tag in tags:
                self._wanted[tag] -= 1

    async def wait(self, tickets: tuple[Ticket, ...], ends: float | None = None) -> bool:
        """True when all have ended, False when the time is over."""
        ready = asyncio.Event()
        for ticket in tickets:
            ticket.finished.add_done_callback(lambda _: self.loop.call_soon_threadsafe(ready.set))
        while not all(ticket.finished.done() for ticket in tickets):
            ready.clear()
            try:
                await asyncio.wait_for(ready.wait(), None if ends is None else max(0.0, ends - self.clock.now))
            except asyncio.TimeoutError:
                return False
        return True

    async def poll(self, handle: Handle, end: Any) -> None:
        """A KlingPoll with one handle."""
        try:
            tickets = await self.dispatch.take((handle,), self.settings)
            await self.wait(tickets)
            end([ticket.outcome() for ticket in tickets])
        except KlingError as error:
            end([Outcome(None, None, error=error)])

    def _opened(self, opening: asyncio.Task[None]) -> None:
        if not opening.cancelled() and (error := opening.exception()):
            self._world.broken("mistake", f"the engine did not open: {error!r}")

    def _drop_late(self, submitting: asyncio.Task[tuple[Ticket, ...]], cancel: bool) -> None:
        if not submitting.cancelled() and submitting.exception() is None:
            for ticket in submitting.result():
                ticket.let_go(stop=True, cancel=cancel)

    def _stop(self, tags: set[int]) -> None:
        self.say(f"Stop for {sorted(tags)}")
        for tag in tags:
            self._stopped_at[tag] = self.clock.now

    def _stop_bound(self) -> float:
        return IN_TROUBLE_SECONDS if self._world.disk.trouble(IN_TROUBLE_SECONDS) else STOP_SECONDS

    def _check_stopped(self, tickets: tuple[Ticket, ...]) -> None:
        for job in {ticket._job for ticket in tickets}:
            unsent = job.task.state is State.NEW and not job.sent and not job.waiting
            if unsent and not job.finished.done() and not self._world.disk.trouble(IN_TROUBLE_SECONDS):
                self._world.broken("Stop", f"task {job.handle} still stands, unsent")


def _no_sandbox(home: Any, dialect: str) -> str:
    raise AssertionError("no node asked for the sandbox")
