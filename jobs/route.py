"""Who is asked: the offers a request may go to, best first."""

from __future__ import annotations

from ..catalog.models import MODELS, Model, Offer
from ..catalog.operations import AUTO
from ..catalog.order import Order, fit, takes
from ..catalog.prices import Overrides, Price
from ..catalog.request import SANDBOX, Request
from ..errors import SetupError
from .settings import Settings


def candidates(request: Request, settings: Settings, auto_is_sandbox: bool) -> tuple[Order, ...]:
    """The orders to try, in this order; more than one only under `auto`.

    Raises SetupError or InputError when nobody can be asked.
    """
    row = _row(request)
    if request.provider == SANDBOX or (request.provider == AUTO and auto_is_sandbox):
        offer = next((offer for offer in row.offers if takes(request, offer)), row.offers[0])
        return (fit(request, offer, SANDBOX),)
    if request.provider != AUTO:
        return (fit(request, _named(request, row, settings)),)
    reachable = [offer for offer in row.offers if settings.endpoints[offer.provider].key]
    roomy = [offer for offer in reachable if takes(request, offer)]
    if not reachable:
        raise SetupError(_nobody(request, row, settings))
    orders = [fit(request, offer) for offer in roomy or reachable]
    return tuple(_best_first(orders, settings.prices))


def price_of(order: Order, overrides: Overrides) -> Price | None:
    """What one picture of this order costs; the sandbox costs nothing and has no price."""
    if order.provider == SANDBOX:
        return None
    request = order.request
    return overrides.price(order.provider, request.model, request.operation.name, order.offer.price)


def _best_first(orders: list[Order], overrides: Overrides) -> list[Order]:
    """Those that change nothing the user set first, then the cheapest where prices compare."""
    prices = [price_of(order, overrides) for order in orders]
    in_usd = [overrides.in_usd(order.provider, price) for order, price in zip(orders, prices, strict=True)]
    comparable = all(amount is not None for amount in in_usd)
    cost = dict(zip((order.provider for order in orders), in_usd, strict=True))
    return sorted(orders, key=lambda order: (bool(order.changes), cost[order.provider] if comparable else 0))


def _named(request: Request, row: Model, settings: Settings) -> Offer:
    offer = next((offer for offer in row.offers if offer.provider == request.provider), None)
    nothing = "Nothing was sent and nothing was paid."
    if offer is None:
        raise SetupError(
            f"provider is {request.provider}, which does not offer {request.model} for {request.operation.name}; "
            f"{_names(row)} {'does' if len(row.offers) == 1 else 'do'}. {nothing} Choose one of them, auto or another "
            "model."
        )
    if settings.endpoints[offer.provider].key is None:
        raise SetupError(
            f"provider is {request.provider}, which has no key. {nothing} Set {request.provider.upper()}_API_KEY or "
            "save a key in the settings, or choose sandbox to try without one."
        )
    return offer


def _nobody(request: Request, row: Model, settings: Settings) -> str:
    keys = settings.with_key
    start = f"No provider with a key offers {request.model} for {request.operation.name}; {_names(row)} "
    start += "offers it. " if len(row.offers) == 1 else "offer it. "
    if not keys:
        return (
            f"{start}No key is set at all. Nothing was sent and nothing was paid. Set "
            f"{row.offers[0].provider.upper()}_API_KEY or save a key in the settings, or choose provider sandbox."
        )
    there = sorted({other.name for other in MODELS if other.operation == row.operation and _offers(other, keys)})
    offered = ", ".join(there) if there else "nothing for this node"
    return f"{start}The keys at hand ({', '.join(keys)}) offer {offered}. Nothing was sent and nothing was paid."


def _offers(row: Model, providers: tuple[str, ...]) -> bool:
    return any(offer.provider in providers for offer in row.offers)


def _names(row: Model) -> str:
    return " and ".join(offer.provider for offer in row.offers)


def _row(request: Request) -> Model:
    return next(row for row in MODELS if (row.operation, row.name) == (request.operation.name, request.model))
