"""What a person sees of the tasks: how each stands, how long it should take, what there is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog.models import MODELS, Offer
from ..catalog.request import SANDBOX
from .durations import Durations
from .row import SANDBOX_SECONDS
from .states import State
from .task import Task

if TYPE_CHECKING:
    from .ledger import Ledger

RUNNING = frozenset({State.NEW, State.SUBMITTING, State.ACCEPTED})
TODO: Mapping[State, str] = {State.UNCERTAIN: "settle", State.FAILED: "change", State.UNREAD: "update"}
"""What a person can do, in one word: settle it, change what the reason names, update the pack."""

Kind = tuple[str, str, str, str, int]
"""Provider, operation, model, resolution and count: tasks that take alike long."""


@dataclass(frozen=True)
class Seen:
    """A task, how many of its pictures are kept, and, while it runs, how many seconds such a task takes."""

    task: Task
    pictures: int
    expected: float | None

    @property
    def todo(self) -> str:
        return TODO.get(self.task.state, "")


def newest(ledger: Ledger, limit: int, state: State | None = None) -> tuple[Seen, ...]:
    """The newest tasks first."""
    tasks = ledger.recent(limit, state)
    kept = ledger.kept_pictures(tasks[-1]) if tasks else {}
    expected: dict[Kind, float] = {}
    return tuple(Seen(task, kept.get(task.number, 0), _expected(ledger, task, expected)) for task in tasks)


def one(ledger: Ledger, task: Task) -> Seen:
    """A single task."""
    return Seen(task, len(ledger.results(task)), _expected(ledger, task, {}))


def _expected(ledger: Ledger, task: Task, known: dict[Kind, float]) -> float | None:
    """Asked once for tasks of one kind."""
    if task.state not in RUNNING:
        return None
    kind = (task.provider, task.operation, task.model, task.resolution, task.count)
    if kind not in known:
        known[kind] = Durations(ledger.durations(*kind)).usual(_stated(task))
    return known[kind]


def _stated(task: Task) -> float:
    """What the catalogue says, for a kind of task that the ledger has not seen end yet."""
    if task.provider == SANDBOX:
        return SANDBOX_SECONDS
    offers = (
        offer for row in MODELS if (row.operation, row.name) == (task.operation, task.model) for offer in row.offers
    )
    return next((offer.seconds for offer in offers if offer.provider == task.provider), Offer.seconds)
