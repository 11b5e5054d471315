"""Mistakes that are planted on purpose: a simulation that does not find them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock

from kling_pack.jobs import sharing, submit
from kling_pack.jobs.job import Job
from kling_pack.jobs.sharing import Sharing
from kling_pack.jobs.states import State
from kling_pack.jobs.ticket import Ticket
from kling_pack.providers.base import Limits

Plant = AbstractContextManager[Any]


def planted(name: str | None) -> Plant:
    """The mistake of this name is in the engine as long as the block lasts; no name plants none."""
    return PLANTS[name]() if name else nullcontext()


def _double_submit() -> Plant:
    """A lost answer is taken for a request that was never sent."""
    return mock.patch.object(submit, "NotSentError", (submit.NotSentError, submit.AnswerLostError))


def _lost_id() -> Plant:
    """The provider's id is not written down when the task is accepted."""
    true = Job.step

    async def step(job: Job, state: State, **changed: Any) -> None:
        await true(job, state, **{name: value for name, value in changed.items() if name != "provider_id"})

    return mock.patch.object(Job, "step", step)


def _no_limits() -> Plant:
    """What may be in flight is not looked at."""
    true = Sharing.claim

    def claim(own: Sharing, task: Any, key: str, limits: Limits, alone: bool) -> Any:
        return true(own, task, key, Limits(1000, limits.per_minute), alone)

    return mock.patch.object(Sharing, "claim", claim)


def _no_counting() -> Plant:
    """Calls of the minute are not counted."""
    return mock.patch.object(sharing, "_call", lambda connection, key, most, now: (0, 0.0))


def _waits_for_ever() -> Plant:
    """Who waits is not told of an error."""
    return mock.patch.object(Job, "fail", lambda job, error: None)


def _no_stop() -> Plant:
    """Stop ends the waiting and nothing else."""
    return mock.patch.object(Ticket, "_let_go", lambda ticket, stop, cancel: None)


def _no_budget() -> Plant:
    """What was spent today is forgotten."""
    return mock.patch.object(sharing, "spent_usd", lambda connection, since: 0.0)


PLANTS: Mapping[str, Callable[[], Plant]] = {
    "double-submit": _double_submit,
    "lost-id": _lost_id,
    "no-limits": _no_limits,
    "no-counting": _no_counting,
    "waits-for-ever": _waits_for_ever,
    "no-stop": _no_stop,
    "no-budget": _no_budget,
}
