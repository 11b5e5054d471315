"""A task's life as named states, and the steps between them that are allowed."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Where a task stands, as the ledger writes it."""

    NEW = "new"
    """Written down; nothing was sent."""
    SUBMITTING = "submitting"
    """The paid request is on its way, or was when the process ended."""
    ACCEPTED = "accepted"
    """The provider gave it an id: it is paid for and not collected."""
    DONE = "done"
    """Every result picture's original bytes are kept."""
    FAILED = "failed"
    """Refused, or ended by the provider without a picture. May be sent again."""
    CANCELLED = "cancelled"
    """Stopped before it was sent, or at the provider. May be sent again."""
    UNCERTAIN = "uncertain"
    """The answer was lost. Never sent again on its own."""
    UNREAD = "unread"
    """The provider says done; its answer or pictures could not be read and are kept."""


STEPS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.SUBMITTING, State.FAILED, State.CANCELLED}),
    State.SUBMITTING: frozenset({State.NEW, State.ACCEPTED, State.FAILED, State.UNCERTAIN}),
    State.ACCEPTED: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.UNREAD}),
    State.DONE: frozenset({State.ACCEPTED, State.UNREAD}),
    State.UNREAD: frozenset({State.ACCEPTED, State.DONE, State.FAILED}),
    State.UNCERTAIN: frozenset({State.ACCEPTED, State.FAILED}),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""Done and unread go back to accepted when their pictures are fetched again."""

HELD = frozenset({State.NEW, State.SUBMITTING, State.ACCEPTED})
"""States in which a task needs a worker that carries it on."""

UNPAID = frozenset({State.FAILED, State.CANCELLED})
"""States for which nothing is counted as spent."""

OPEN = frozenset({State.ACCEPTED, State.UNREAD, State.DONE, State.UNCERTAIN, State.SUBMITTING})
"""States in which the same request must not be sent again."""


def check_step(old: State, new: State) -> None:
    """Raises ValueError for a step that no task may take; that is a mistake in the pack."""
    if new not in STEPS[old]:
        raise ValueError(f"a task cannot go from {old.value} to {new.value}")
