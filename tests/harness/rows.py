"""Tasks as a test puts them into a ledger."""

from __future__ import annotations

from typing import Any

from kling_pack.jobs.ledger import Ledger, insert
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task

ROW: dict[str, Any] = {
    "provider": "modellix", "dialect": "modellix", "operation": "text", "model": "kling-v3",
    "wire_model": "kling-v3-t2i", "identity": "i", "identity_rule": 1, "count": 1, "resolution": "1k",
    "request": {"fields": {"prompt": "a lighthouse"}}, "changes": [], "created_at": 100.0, "price_unit": "USD",
    "price_basis": "catalogue", "worker": "h/1/1/x", "pack_version": "1",
}  # fmt: skip
ACCEPTED = (State.SUBMITTING, State.ACCEPTED)
DONE = (*ACCEPTED, State.DONE)


def add(ledger: Ledger, *states: State, **row: Any) -> Task:
    """A task that went through these states; from acceptance on it has an id."""
    with ledger.writing() as connection:
        task = insert(connection, {**ROW, **row, "state": State.NEW.value})
    for state in states:
        given = {"provider_id": f"id-{task.number}"} if state is State.ACCEPTED else {}
        task = ledger.step(task, state, **given)
    return task
