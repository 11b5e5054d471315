"""What the ledger knows of a task and of one kept picture, and what workers ask of it and are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .states import State


@dataclass(frozen=True)
class Task:
    """A row of the ledger. Times are seconds since 1970, amounts decimal text in `price_unit`."""

    number: int
    state: State
    provider: str
    provider_id: str | None
    operation: str
    model: str
    wire_model: str
    dialect: str
    identity: str
    count: int
    resolution: str
    changes: tuple[str, ...]
    word: str
    reason: str
    created_at: float
    submitted_at: float | None
    accepted_at: float | None
    running_at: float | None
    finished_at: float | None
    collected_at: float | None
    estimated_amount: str | None
    actual_amount: str | None
    price_unit: str
    price_basis: str
    prompt_id: str | None
    node_id: str | None
    worker: str
    key_hash: str
    hook: str | None

    @property
    def handle(self) -> str:
        """`provider:id`, or `provider:~N` while the provider has given no id."""
        return f"{self.provider}:{self.provider_id or f'~{self.number}'}"

    @property
    def seconds(self) -> float | None:
        """How long the provider took, as far as was seen."""
        if self.finished_at is None or self.submitted_at is None:
            return None
        return self.finished_at - self.submitted_at


@dataclass(frozen=True)
class Result:
    """One picture's original bytes: `file` below the results folder, size in bytes, hex SHA-256."""

    position: int
    file: str
    size: int
    digest: str


@dataclass(frozen=True)
class Bill:
    """So many `tasks` at a provider, `pictures` in all, that cost `amount` in `unit` each; None is not known."""

    provider: str
    unit: str
    state: State
    amount: str | None
    tasks: int
    pictures: int


NOBODY = ""
"""The worker of a task that is paid for and that nobody follows for now."""


class TakenError(Exception):
    """The task is not as this worker knew it: another one has taken it over, or on."""


@dataclass(frozen=True)
class Wanted:
    """A request to be let in: its row, and the providers whose earlier answer counts for it."""

    row: Mapping[str, Any]
    providers: tuple[str, ...]


Check = Callable[[Sequence[int], Callable[[float], float]], None]
"""(places of what is new among the wanted, USD spent since a time) -> raises where that must not be paid for."""


@dataclass(frozen=True)
class Claim:
    """The answer to a worker that wants to send a task: the task on its way, or why it must wait.

    `wait` is how long at most, in seconds, until asking again can help; `in_flight` counts the key's tasks. `same` is
    the task that answers the same request already, so that this one must never be sent.
    """

    task: Task | None
    in_flight: int
    wait: float = 0.0
    same: Task | None = None
