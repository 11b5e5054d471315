"""What a run tells: lines for a person, records for machines. No secrets, no links."""

from __future__ import annotations

from typing import Any

from ..catalog.prices import shown
from ..catalog.request import SANDBOX
from ..jobs.states import State
from ..jobs.work import Outcome, Progress

RECORDS = "kling"
"""The key under which a run's records stand in the node's `ui` and in the workflow."""


def line(outcome: Outcome, also: tuple[str, ...] = ()) -> str:
    """One task for a person: model, provider, images, seconds, cost, handle and what was special."""
    task = outcome.task
    if task is None:
        return f"not sent: {outcome.error}" if outcome.error else "not sent"
    parts = [
        f"{task.model or 'task'} at {task.provider}",
        f"{_pictures(outcome)} image{'' if _pictures(outcome) == 1 else 's'}",
    ]
    if task.seconds is not None:
        parts.append(f"{task.seconds:.1f} s")
    parts += [_cost_words(outcome), task.handle]
    if outcome.how:
        parts.append(outcome.how)
    parts += [*(outcome.notes or task.changes), *also]
    if outcome.error is not None:
        parts.append(f"{task.state.value}: {outcome.error}")
    elif task.state is not State.DONE:
        parts.append(task.state.value)
    return " · ".join(dict.fromkeys(parts))


def record(outcome: Outcome) -> dict[str, Any]:
    """The same as data."""
    task, error = outcome.task, outcome.error
    return {
        "handle": task.handle if task else None,
        "state": task.state.value if task else State.FAILED.value,
        "model": task.model if task else (outcome.request.model if outcome.request else None),
        "provider": task.provider if task else None,
        "count": _pictures(outcome),
        "seconds": round(task.seconds, 3) if task and task.seconds is not None else None,
        "cost": _cost(outcome),
        "unit": task.price_unit if task else "",
        "price_basis": task.price_basis if task else "unknown",
        "reused": outcome.how == "reused",
        "joined": outcome.how == "joined",
        "error": type(error).__name__ if error else None,
    }


def moment(progress: Progress, now: float) -> str:
    """How one task stands, for the line on the node: state, place in line or seconds, expected seconds, cost.

    The line of a task that waits for its place says no seconds: hundreds of them would be sent to the browser each
    second, and nothing is known of how long the line takes.
    """
    words = progress.words
    if progress.place:
        words += f", number {progress.place}"
    else:
        words += f" · {max(0.0, now - progress.since):.0f} s"
    if progress.state is State.ACCEPTED:
        words += f" of about {progress.expected:.0f} s"
    return f"{words} · {shown(progress.price)}" if progress.price else words


def put_into_workflow(extra_pnginfo: Any, node_id: str | None, records: list[dict[str, Any]]) -> None:
    """Adds the records to the workflow that ComfyUI writes into saved pictures, where there is one."""
    workflow = extra_pnginfo.get("workflow") if isinstance(extra_pnginfo, dict) else None
    if isinstance(workflow, dict) and node_id is not None:
        extra = workflow.setdefault("extra", {})
        if isinstance(extra, dict):
            extra.setdefault(RECORDS, {})[node_id] = records


def _pictures(outcome: Outcome) -> int:
    return len(outcome.files) or (outcome.task.count if outcome.task and not outcome.error else 0)


def _cost(outcome: Outcome) -> float | None:
    """What this run paid for the task: nothing for what was joined or reused."""
    task = outcome.task
    if task is None or outcome.how or task.provider == SANDBOX:
        return 0.0
    if task.state in (State.FAILED, State.CANCELLED):
        return 0.0
    amount = task.actual_amount or task.estimated_amount
    return float(amount) if amount else None


def _cost_words(outcome: Outcome) -> str:
    task = outcome.task
    if task is None or task.provider == SANDBOX:
        return "free"
    if outcome.how or task.state in (State.FAILED, State.CANCELLED):
        return "nothing paid now" if outcome.how else "nothing paid"
    if outcome.price is not None:
        return shown(outcome.price)
    amount = task.actual_amount or task.estimated_amount
    if amount is None:
        return shown(None)
    return f"${amount}" if task.price_unit == "USD" else f"{amount} {task.price_unit}"
