"""One schedule from its first request to the last picture: the plan is played, then everything is seen to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import checks
import numpy as np
from disk import START, Disk
from network import Weather
from plan import OFFERS, Asked, Mishap, Node, Plan
from process import Process
from provider import PRICES, House, Made
from pydantic import SecretStr
from virtual import Clock

from kling_pack.catalog.models import PROVIDERS
from kling_pack.catalog.operations import operation
from kling_pack.catalog.prices import Overrides
from kling_pack.catalog.request import Request, build_requests
from kling_pack.errors import InputError, SetupError
from kling_pack.jobs.encode import describe
from kling_pack.jobs.settings import Endpoint, Settings
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task
from kling_pack.jobs.work import Context, Handle, Outcome, Run
from kling_pack.providers.base import Call, Limits

LONGEST = 3 * 3600.0
"""Seconds after the last fault within which every node must have its answer: a task is given up after two hours."""
MOST_STEPS = 300_000
"""What a schedule may take, so that one that turns in circles is found too."""

TAKEN_UP = 45.0
"""Seconds that the last process is given for what the dead ones left."""
ROUNDS = 8
"""How often a person runs everything again until all pictures are there."""

PIXELS = [np.full((300, 300, 3), shade, np.uint8) for shade in (40, 200)]
PICTURES = [describe(pixels) for pixels in PIXELS]
SOCKETS = {"text": None, "image": "image", "edit": "image_1"}


class World:
    """Plays one plan. `violations` tell which promise was broken, and how."""

    def __init__(self, plan: Plan, disk: Disk, home: Path, tell: Callable[[str], None] | None = None) -> None:
        self.plan, self.disk, self.home, self._tell = plan, disk, home, tell
        self.violations: list[str] = []
        self.chance = random.Random(~plan.seed)
        random.seed(plan.seed)
        self.clock = Clock()
        self.weather = Weather(plan.weather, self.chance)
        self.houses = {name: self._house(name) for name in PROVIDERS}
        self.outcomes: list[tuple[tuple[Asked, ...], list[Outcome]]] = []
        self.requests = {(one.tag, one.provider): _request(one) for node in plan.nodes for one in node.asked}
        self.tags = {request.identity: tag for (tag, _), request in self.requests.items()}
        self.processes: list[Process] = []
        self._dead: list[Process] = []
        self._steps = self._starts = self._waiting = self._pending = 0
        self.last_day = float("inf")

    def play(self) -> list[str]:
        """The violations."""
        shutil.rmtree(self.home / "results", ignore_errors=True)
        self.disk.begin(self.clock, self.plan.troubles, self.plan.known)
        self.processes = [self._process(place, self.settings()) for place in range(self.plan.machines)]
        for node in self.plan.nodes:
            self._pending += 1
            self.clock.after(node.at, lambda node=node: self._begin_node(node))
        for mishap in self.plan.mishaps:
            self._pending += 1
            self.clock.after(mishap.at, lambda mishap=mishap: self._befall(mishap))
        self.clock.after(self.plan.calm_at, self.weather.clear_up)
        calm = self.plan.calm_at
        if self._advance(lambda: self.clock.now >= calm and not self._pending and not self._waiting, calm + LONGEST):
            if checks.forgotten(self):
                # A machine that sleeps cannot see to anything yet.
                living = [process for process in self.processes if not process.dead]
                awake = max([self.clock.now, *(process.asleep_until for process in living)])
                self._advance(lambda: self.clock.now > awake + TAKEN_UP, awake + LONGEST)
                for told in checks.forgotten(self):
                    self.broken("forgotten", told)
            self._see_to_the_end()
        return self.violations

    # The end: one process takes up what is left, and a person runs everything again.

    def _see_to_the_end(self) -> None:
        for process in self.processes:
            process.crash()
        self._dead += self.processes
        last = self._process(len(self.processes), self.settings(budget=None))
        self.processes = [last]
        begun = self.last_day = self.clock.now
        over = self._advance(lambda: self.clock.now >= begun + TAKEN_UP and not last.dispatch.jobs, begun + LONGEST)
        if not over:
            return
        checks.everything_reported(self)
        for _ in range(ROUNDS):
            missing = self._run_all_again(last)
            if not missing:
                break
        else:
            self.broken("lost", f"a person never got {missing}")
        checks.everything_kept(self)

    def _run_all_again(self, last: Process) -> list[str]:
        """What still has no pictures after every request was made once more."""
        missing: list[str] = []
        for request in self.requests.values():
            ended: list[Outcome] = []
            last.run(self._again(last, request, ended))
            if not self._advance(lambda: bool(ended), self.clock.now + LONGEST):  # noqa: B023
                return [str(request.fields["prompt"])]
            (outcome,) = ended
            checks.outcome(self, self.tags[request.identity], outcome)
            if not outcome.final:
                missing.append(f"{request.fields['prompt']}: {outcome.error}")
        for task in self.rows():
            if task.state in (State.UNREAD, State.ACCEPTED) and task.provider_id is not None:
                polled: list[Outcome] = []
                last.run(last.poll(Handle(task.provider, task.provider_id), polled.extend))
                if not self._advance(lambda: bool(polled), self.clock.now + LONGEST):  # noqa: B023
                    return [task.handle]
                missing.extend(str(outcome.error) for outcome in polled if not outcome.final)
        if any(task.state is State.UNCERTAIN for task in self.rows()):
            self._settle(last)
            missing.append("what was uncertain")
        self._advance(lambda: not last.dispatch.jobs, self.clock.now + LONGEST)
        return missing

    async def _again(self, last: Process, request: Request, ended: list[Outcome]) -> None:
        try:
            tickets = await last.dispatch.submit(self._run([request], last.settings))
            await last.wait(tickets)
            ended.append(tickets[0].outcome())
        except SetupError as error:
            ended.append(Outcome(request, None, error=error))

    def _settle(self, process: Process) -> None:
        """A person looks at the provider for what is uncertain, and says what is there."""
        known = {(task.provider, task.provider_id) for task in self.rows() if task.identity}
        for task in self.rows():
            if task.state is not State.UNCERTAIN or task.submitted_at is None:
                continue
            mine = [
                made
                for made in self.houses[task.provider].made.values()
                if made.tag == self.tags[task.identity] and (made.provider, made.id) not in known
            ]
            found = mine[0].id if mine else None
            known.add((task.provider, found))
            self.say(f"a person settles {task.handle} as {found}")
            process.run(self._resolve(process, Handle(task.provider, f"~{task.number}"), found))

    async def _resolve(self, process: Process, handle: Handle, found: str | None) -> None:
        try:
            await process.dispatch.resolve(handle, found)
        except (InputError, SetupError) as error:
            self.say(f"not settled: {error}")

    # What befalls the machines.

    def _begin_node(self, node: Node) -> None:
        process = self.processes[node.machine]
        if process.dead or process.closing:
            return self.clock.after(1.0, lambda: self._begin_node(node))
        self._pending -= 1
        self._waiting += 1
        process.nodes += 1
        process.run(self._node(process, node))

    async def _node(self, process: Process, node: Node) -> None:
        try:
            await process.node(node.asked, node.stop_after, node.cancel, lambda outcomes: self._ended(node, outcomes))
        finally:
            self._leave(process)

    def _leave(self, process: Process) -> None:
        if not process.dead:
            process.nodes -= 1
            self._waiting -= 1

    def _ended(self, node: Node, outcomes: list[Outcome]) -> None:
        self.outcomes.append((node.asked, outcomes))
        for one, outcome in zip(node.asked, outcomes, strict=False):
            checks.outcome(self, one.tag, outcome)

    def _befall(self, mishap: Mishap) -> None:
        process = self.processes[mishap.machine]
        self._pending -= 1
        if process.dead or process.closing:
            return
        if mishap.kind == "sleep":
            process.sleep(mishap.seconds)
        elif mishap.kind == "crash":
            process.loop.steps_left = mishap.steps
            process.loop.crash = lambda: self._gone(process, mishap)
        elif mishap.kind == "close":
            process.run(process.close(lambda: self._gone(process, mishap)))
        elif mishap.kind == "resolve":
            self._settle(process)
        elif made := [one for house in self.houses.values() for one in house.made.values()]:
            one = self.chance.choice(made)
            self._waiting += 1
            process.nodes += 1
            process.run(self._poll(process, Handle(one.provider, one.id)))

    async def _poll(self, process: Process, handle: Handle) -> None:
        try:
            await process.poll(handle, lambda outcomes: self.outcomes.append(((), outcomes)))
        finally:
            self._leave(process)

    def _gone(self, process: Process, mishap: Mishap) -> None:
        """The process has ended; another one begins on the same machine a little later."""
        process.crash()
        self._waiting -= process.nodes
        self._dead.append(process)
        self._pending += 1
        self.clock.after(mishap.seconds, lambda: self._come_back(mishap.machine))

    def _come_back(self, place: int) -> None:
        self._pending -= 1
        if self.last_day < self.clock.now:
            return
        self.processes[place] = self._process(place, self.settings())

    def _process(self, place: int, settings: Settings) -> Process:
        self._starts += 1
        # Half the time the machine is known by its name to have begun anew, else its lease must end.
        name = f"host{place}/1/{self._starts}/w" if self.plan.seed % 2 else f"host{self._starts}/-/0/w"
        return Process(self, name, settings)

    def _advance(self, over: Callable[[], bool], until: float) -> bool:
        """Lets time pass until something is so; False where it never is."""
        clock = self.clock
        while not over():
            self._steps += 1
            if self._steps > MOST_STEPS:
                self.broken("busy", f"more than {MOST_STEPS} steps by {clock.now:.0f} s")
                return False
            first, who = clock.next, None
            for process in self.processes:
                due = None if process.dead else process.next
                if due is not None and (first is None or due < first):
                    first, who = due, process
            if first is None or first > until:
                self.broken("waits for ever", f"at {clock.now:.0f} s {self._waiting} nodes wait")
                return False
            if who is None:
                clock.happen()
            else:
                clock.now = max(clock.now, first)
                who.loop.step()
        return True

    # What the processes and the providers ask.

    def settings(self, **changed: Any) -> Settings:
        """What every process of this schedule goes by."""
        limits = Limits(self.plan.in_flight, self.plan.per_minute)
        endpoints = {
            name: Endpoint(name, f"https://{name}.test", SecretStr(f"key-of-{name}"), limits) for name in PROVIDERS
        }
        prices = {(name, model, kind): Decimal(PRICES[name]) for (kind, model), who in OFFERS.items() for name in who}
        return Settings(
            home=self.home,
            ledger_url="sqlite://",
            results=self.home / "results",
            results_url=None,
            upload_url=None,
            endpoints=endpoints,
            sandbox="never",
            on_interrupt="keep",
            max_images_per_run=36,
            daily_budget_usd=changed.get("budget", self.plan.budget),
            public_url="https://me.test" if self.plan.hooks else None,
            keep_results_days=30,
            prices=Overrides(prices, {"apimodels": Decimal(1)}),
        )

    def wall(self) -> float:
        return START + self.clock.now

    def rows(self) -> tuple[Task, ...]:
        """All tasks of this schedule, as the ledger has them."""
        return tuple(task for task in self.disk.recent(1000) if task.identity in self.tags or not task.identity)

    def tag_of(self, call: Call) -> int:
        body = call.json or {}
        return int(str(body.get("input", body)["prompt"]).split()[-1])

    def run_of(self, asked: tuple[Asked, ...], settings: Settings) -> Run:
        return self._run([self.requests[one.tag, one.provider] for one in asked], settings)

    def _run(self, requests: list[Request], settings: Settings) -> Run:
        pixels = {picture.digest: one for picture, one in zip(PICTURES, PIXELS, strict=True)}
        return Run(tuple(requests), pixels, settings, Context(str(self.clock.now)))

    def _house(self, name: str) -> House:
        limits = Limits(self.plan.in_flight, self.plan.per_minute)
        return House(name, limits, lambda: self.clock.now, self.broken, self._lasts, self._may_pay)

    def _lasts(self) -> tuple[float, bool]:
        fails = self.clock.now < self.plan.calm_at and self.chance.random() < self.plan.fails
        return self.chance.uniform(*self.plan.seconds), fails

    def _may_pay(self, made: Made) -> None:
        """A provider accepts a task: nobody may have paid for the same already, nor all together too much."""
        self.say(f"$ {made.provider} makes {made.id} for picture {made.tag} in {made.ends_at - made.at:.1f} s")
        checks.paid_once(self, made)
        checks.within_budget(self, made)
        if made.hook is not None:
            self.clock.after(made.ends_at - made.at, lambda: self._call_back(made))

    def _call_back(self, made: Made) -> None:
        for process in self.processes:
            if not process.dead and made.hook is not None:
                process.run(process.dispatch.wake(made.provider, made.hook))

    def broken(self, promise: str, how: str) -> None:
        self.say(f"✘ {promise}: {how}")
        self.violations.append(f"{promise}: {how}")

    def say(self, words: str) -> None:
        if self._tell is not None:
            self._tell(f"{self.clock.now:9.3f}  {words}")

    def trace_ledger(self, process: Process, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if self._tell is not None and fn.__name__ not in ("call", "beat", "others", "left_behind"):
            shown = " ".join(f"{a.handle}({a.state.value})" if isinstance(a, Task) else str(a)[:30] for a in args)
            process.say(f"  ledger {fn.__name__} {shown}")


def _request(one: Asked) -> Request:
    given = {"prompt": f"picture {one.tag}", "model": one.model, "provider": one.provider, "n": one.count}
    socket = SOCKETS[one.operation]
    (request,) = build_requests(operation(one.operation), given, {socket: [PICTURES[one.shade]]} if socket else {})
    return request
