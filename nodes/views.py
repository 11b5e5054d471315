"""What the routes answer, as plain values for JSON. No links, no paths, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..catalog.fields import Choice, Field, Number, Text
from ..catalog.models import MODELS, Model, Offer
from ..catalog.operations import OPERATIONS, Operation
from ..catalog.request import SANDBOX
from ..jobs.board import Seen
from ..jobs.keys import last_four
from ..jobs.settings import Endpoint, Settings
from ..jobs.spend import Span, Spend
from ..jobs.states import State
from ..jobs.task import Task
from ..providers import ADAPTERS


def catalog(settings: Settings) -> dict[str, Any]:
    """Operations with their fields, models with their offers, which providers have a key, what `auto` means here.

    `auto_is_sandbox` says whether a prompt from the editor that leaves the provider to `auto` goes to the sandbox.
    """
    return {
        "operations": [_operation(operation) for operation in OPERATIONS],
        "models": [_model(row, settings) for row in MODELS],
        "providers": {name: {"key": end.key is not None} for name, end in settings.endpoints.items()},
        "auto_is_sandbox": settings.auto_means_sandbox(from_editor=True),
    }


TOLD = (
    "number", "handle", "provider", "operation", "model", "wire_model", "count", "resolution", "changes", "word",
    "reason", "created_at", "submitted_at", "accepted_at", "finished_at", "collected_at", "seconds", "prompt_id",
    "node_id",
)  # fmt: skip
"""What of a task anybody may see who opens ComfyUI; the rest is of this machine, or a secret."""


def task_row(seen: Seen) -> dict[str, Any]:
    """A task as the browser sees it: no link and no path.

    `todo` is settle, change, update or empty; `expected` seconds are told while it runs.
    """
    task = seen.task
    node = next((known.node_id for known in OPERATIONS if known.name == task.operation), "KlingPoll")
    row = {name: getattr(task, name) for name in TOLD} | {"state": task.state.value, "node": node}
    row |= {"cost": _cost(task), "pictures": seen.pictures, "todo": seen.todo}
    return row | {"expected": seen.expected, "cancels": _cancels(task)}


def spent(spend: Spend, settings: Settings) -> dict[str, Any]:
    """Amounts as decimal text, each beside its unit. `since` is in seconds since 1970."""
    budget = {"usd": settings.daily_budget_usd, "spent": round(spend.budget_spent, 6)}
    return {"today": _span(spend.today), "month": _span(spend.month), "budget": budget}


def keys(settings: Settings, changeable: bool) -> dict[str, Any]:
    """Which keys are set and where from, at most their last four characters; whether this caller may change them."""
    return {
        "keys": {name: _key(end) for name, end in settings.endpoints.items()},
        "changeable": changeable,
        "auto_is_sandbox": settings.auto_means_sandbox(from_editor=True),
    }


def _key(end: Endpoint) -> dict[str, Any]:
    kind = "missing" if end.key is None else "saved" if end.saved else "environment"
    variable = f"{end.name.upper()}_API_KEY"
    return {"title": ADAPTERS[end.name].title, "state": kind, "last_four": last_four(end.key), "variable": variable}


def _span(span: Span) -> dict[str, Any]:
    paid = [asdict(one) | {"amount": f"{one.amount:f}"} for one in span.paid]
    saved = [asdict(one) | {"amount": f"{one.amount:f}"} for one in span.saved]
    return {"since": span.since, "paid": paid, "saved": saved}


def _cost(task: Task) -> dict[str, Any]:
    """`amount` is decimal text, or None where no price is known; `basis` says whose word it is."""
    amount: str | None = task.actual_amount or task.estimated_amount
    if task.provider == SANDBOX or task.state in (State.FAILED, State.CANCELLED):
        amount = "0"
    return {"amount": amount, "unit": task.price_unit, "basis": task.price_basis}


def _cancels(task: Task) -> bool:
    """Whether stopping it can still spare something: it was not sent yet, or its provider has a call for it."""
    if task.state is State.ACCEPTED:
        return task.dialect in ADAPTERS and ADAPTERS[task.dialect].cancel("") is not None
    return task.state is State.NEW


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "node": operation.node_id,
        "inputs": operation.inputs,
        "fields": [_field(field) for field in operation.fields],
        "pictures": [asdict(role) | {"sockets": role.sockets} for role in operation.pictures],
        "models": operation.models,
    }


_KINDS: Mapping[type[Field], str] = {Text: "text", Choice: "choice", Number: "number"}


def _field(field: Field) -> dict[str, Any]:
    return {"kind": _KINDS[type(field)], **asdict(field)}


def _model(row: Model, settings: Settings) -> dict[str, Any]:
    offers = [_offer(row, offer, settings) for offer in row.offers]
    return {"operation": row.operation, "name": row.name, "retired": row.retired, "offers": offers}


def _offer(row: Model, offer: Offer, settings: Settings) -> dict[str, Any]:
    price = settings.prices.price(offer.provider, row.name, row.operation, offer.price)
    usd = settings.prices.in_usd(offer.provider, price)
    return {
        "provider": offer.provider,
        "wire_model": offer.wire_model,
        "fields": {
            name: {
                "values": list(wire.values) if wire.values else None,
                "at_most": wire.at_most,
                "only_with": wire.only_with,
            }
            for name, wire in offer.wires.items()
        },
        "price": None if price is None else {"amount": str(price.amount), "unit": price.unit, "shown": str(price)},
        "usd": None if usd is None else float(usd),
        "seconds": offer.seconds,
    }
