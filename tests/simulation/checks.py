"""The promises, each as one question to a world. `world.broken` hears of every one that was not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from provider import PRICES, Made

from kling_pack.errors import KlingError
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task
from kling_pack.jobs.work import Outcome


def paid_once(world: Any, made: Made) -> None:
    """The same request is accepted once by a provider, and no more often than it was asked of different ones."""
    now = world.clock.now
    before = [
        one
        for house in world.houses.values()
        for one in house.made.values()
        if one.tag == made.tag and not one.for_nothing(now)
    ]
    asked = {provider for tag, provider in world.requests if tag == made.tag}
    if len(before) >= len(asked) or any(one.provider == made.provider for one in before):
        world.broken("paid twice", f"picture {made.tag} as {[_handle(one) for one in (*before, made)]}")


def within_budget(world: Any, made: Made) -> None:
    if world.plan.budget is None or world.clock.now > world.last_day:
        return
    all_made = [one for house in world.houses.values() for one in house.made.values()]
    spent = sum(
        float(PRICES[one.provider]) * one.count for one in (*all_made, made) if not one.for_nothing(world.clock.now)
    )
    if spent > world.plan.budget + 1e-9:
        world.broken("budget", f"{spent:.3f} of {world.plan.budget} USD are spent with {_handle(made)}")


def outcome(world: Any, tag: int, told: Outcome) -> None:
    """What a node was told is true: the pictures are those of its request, and an error is one of the pack's own."""
    if type(told.error) is KlingError:
        world.broken("mistake", str(told.error))
    if told.final and told.request is not None and len(told.files) != told.request.count:
        world.broken("lost", f"picture {tag} came as {len(told.files)} files")
    for file in told.files:
        whose = file.read_bytes().rpartition(b"/")[2]
        if whose != str(tag).encode():
            world.broken("mixed up", f"picture {tag} is {whose!r}")


def forgotten(world: Any) -> list[str]:
    """What a living process has yet to send or to hear of, and has not in hand."""
    in_hand = {
        process.name: {job.task.number for job in process.dispatch.jobs.values()}
        for process in world.processes
        if not process.dead
    }
    return [
        f"task {task.handle} is {task.state.value} and nobody has it in hand"
        for task in world.rows()
        if task.state in (State.NEW, State.SUBMITTING) and task.number not in in_hand.get(task.worker, {task.number})
    ]


def everything_reported(world: Any) -> None:
    """After a restart, everything that was accepted is collected, or the ledger or an error says what became of it."""
    rows = world.rows()
    known = {(task.provider, task.provider_id): task for task in _best_last(rows)}
    uncertain = Counter((task.provider, task.identity) for task in rows if task.state is State.UNCERTAIN)
    told = {outcome.error.handle for _, outcomes in world.outcomes for outcome in outcomes if outcome.error}
    identities = {tag: identity for identity, tag in world.tags.items()}
    for made in _all_made(world):
        task = known.get((made.provider, made.id))
        if task is not None:
            _stands_right(world, made, task)
        elif uncertain[made.provider, identities[made.tag]] > 0:
            uncertain[made.provider, identities[made.tag]] -= 1
        elif _handle(made) not in told:
            world.broken("lost", f"{_handle(made)} is paid for and nobody knows of it")
    for task in rows:
        if task.state in (State.NEW, State.SUBMITTING):
            world.broken("lost", f"task {task.handle} still is {task.state.value} after a restart")


def everything_kept(world: Any) -> None:
    """At the very end the bytes of everything that was paid for are on disk, and the ledger says so."""
    known = {(task.provider, task.provider_id): task for task in _best_last(world.rows())}
    for made in _all_made(world):
        task = known.get((made.provider, made.id))
        if task is None:
            world.broken("lost", f"{_handle(made)} was never found")
        elif made.for_nothing(world.clock.now):
            if task.state not in (State.FAILED, State.CANCELLED):
                world.broken("lost", f"{_handle(made)} ended without a picture and is {task.state.value}")
        elif task.state is not State.DONE:
            world.broken("lost", f"{_handle(made)} is paid for and is {task.state.value} ({task.reason})")
        else:
            _bytes_kept(world, made, task)
    for task in world.rows():
        if task.state not in (State.DONE, State.FAILED, State.CANCELLED):
            world.broken("lost", f"task {task.handle} is {task.state.value} at the very end")


def _best_last(rows: Sequence[Task]) -> list[Task]:
    """A task can stand twice: as what was asked for, and as what was polled by its handle before that was known."""
    return sorted(rows, key=lambda task: task.state is State.DONE)


def _bytes_kept(world: Any, made: Made, task: Task) -> None:
    kept = [(world.home / "results" / result.file).read_bytes() for result in world.disk.results(task)]
    if kept != [made.picture(place) for place in range(made.count)]:
        world.broken("lost", f"of {_handle(made)} other bytes are kept than were made")


def _stands_right(world: Any, made: Made, task: Task) -> None:
    nothing = made.for_nothing(world.clock.now)
    right = (State.FAILED, State.CANCELLED) if nothing else (State.DONE, State.UNREAD)
    if task.state not in right:
        world.broken("lost", f"{_handle(made)} is {task.state.value} after a restart ({task.reason})")


def _all_made(world: Any) -> list[Made]:
    return [made for house in world.houses.values() for made in house.made.values()]


def _handle(made: Made) -> str:
    return f"{made.provider}:{made.id}"
