"""What the routes answer, as plain values for JSON. No links, no paths, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..catalog.fields import Choice, Field, Number, Text
from ..catalog.models import MODELS, Model, Offer
from ..catalog.operations import OPERATIONS, Operation
from ..jobs.settings import Settings
from ..jobs.task import Task


def catalog(settings: Settings) -> dict[str, Any]:
    """Operations with their fields and models with their offers, and which providers have a key."""
    return {
        "operations": [_operation(operation) for operation in OPERATIONS],
        "models": [_model(row, settings) for row in MODELS],
        "providers": {name: {"key": end.key is not None} for name, end in settings.endpoints.items()},
    }


def task_row(task: Task) -> dict[str, Any]:
    """A task as the browser sees it; no link and no path."""
    row = asdict(task) | {"handle": task.handle, "state": task.state.value, "seconds": task.seconds}
    for private in ("identity", "worker"):
        row.pop(private)
    return row


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
