"""A task's row as it is first written: what is asked, of whom, for how much, and where it comes from."""

from __future__ import annotations

import secrets
from typing import Any

from ..catalog.order import Order
from ..catalog.prices import Price
from ..catalog.request import IDENTITY_RULE, SANDBOX, Request
from .redact import redact_json
from .route import price_of
from .services import Services
from .settings import Settings, sandbox_endpoint
from .work import Context, Handle

SANDBOX_SECONDS = 2.0
"""How long a task of the sandbox is taken to last before there is any history."""


def row_of(order: Order, settings: Settings, context: Context, services: Services) -> dict[str, Any]:
    """What `Sharing.admit` writes of a new task."""
    price = price_for(order, settings)
    usd = settings.prices.in_usd(order.provider, price)
    endpoint = sandbox_endpoint() if order.provider == SANDBOX else settings.endpoints[order.provider]
    return {
        "provider": order.provider,
        "dialect": order.offer.provider,
        "operation": order.request.operation.name,
        "model": order.request.model,
        "wire_model": order.offer.wire_model,
        "identity": order.request.identity,
        "identity_rule": IDENTITY_RULE,
        "count": order.request.count,
        "resolution": str(order.request.fields.get("resolution", "")),
        "request": as_meant(order.request),
        "changes": list(order.changes),
        "created_at": services.now(),
        "estimated_amount": str(price.total) if price else None,
        "estimated_usd": float(usd) if usd is not None else None,
        "price_unit": price.unit if price else "",
        "price_basis": _basis(order, settings, price),
        "prompt_id": context.prompt_id,
        "node_id": context.node_id,
        "worker": services.worker,
        "pack_version": services.version,
        "key_hash": endpoint.key_hash,
        "hook": secrets.token_urlsafe(32) if settings.public_url and order.provider != SANDBOX else None,
        "labels": redact_json(context.labels, settings.secrets),
    }


def row_of_handle(handle: Handle, dialect: str, services: Services) -> dict[str, Any]:
    """What `Ledger.adopt` writes of a task that is known by nothing but its handle."""
    now = services.now()
    unknown = dict.fromkeys(("operation", "model", "wire_model", "identity", "resolution", "price_unit"), "")
    return unknown | {
        "provider": handle.provider,
        "provider_id": handle.name,
        "dialect": dialect,
        "identity_rule": 0,
        "count": 1,
        "request": {},
        "changes": [],
        "created_at": now,
        "accepted_at": now,
        "worker": services.worker,
        "pack_version": services.version,
        "price_basis": "unknown",
    }


def price_for(order: Order, settings: Settings) -> Price | None:
    """What all pictures of the order cost together."""
    price = price_of(order, settings.prices)
    return price.times(order.request.count) if price else None


def unlearned_seconds(order: Order) -> float:
    """How long the order is taken to last before there is any history."""
    return SANDBOX_SECONDS if order.provider == SANDBOX else order.offer.seconds


def as_meant(request: Request) -> dict[str, Any]:
    """A request for the ledger: our names and values, pictures as digests."""
    pictures = {
        role: [{"sha256": picture.digest, "width": picture.width, "height": picture.height} for picture in sent]
        for role, sent in request.pictures.items()
        if sent
    }
    return {
        "fields": dict(request.fields),
        "pictures": pictures,
        "seed": request.seed,
        "provider": request.provider,
    }


def _basis(order: Order, settings: Settings, price: Price | None) -> str:
    if order.provider == SANDBOX:
        return "sandbox"
    if price is None:
        return "unknown"
    asked: tuple[str, str, str] = (order.provider, order.request.model, order.request.operation.name)
    return "prices.json" if asked in settings.prices.prices else "catalogue"
