"""A request fitted to one provider's offer: the values as they go on the wire, and what had to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError
from .fields import Choice, Value
from .frames import Picture, nearest_ratio
from .models import Offer, Wire
from .operations import AUTO, RATIOS
from .request import Request

NOT_SENT = "none"
"""The value of a choice that asks for the field to be left out."""


@dataclass(frozen=True)
class Order:
    """What one provider is asked for.

    `values` and `pictures` are keyed by wire name; `changes` says, for a person, what differs from what
    the user set. `provider` is who is asked, which for the sandbox is not the offer's own.
    """

    request: Request
    offer: Offer
    provider: str
    values: Mapping[str, Value]
    pictures: Mapping[str, tuple[Picture, ...]]
    changes: tuple[str, ...]


def fit(request: Request, offer: Offer, provider: str | None = None) -> Order:
    """The order that comes closest to `request` at `offer`.

    Raises InputError when the offer cannot take as many pictures as the request has.
    """
    values: dict[str, Value] = dict(offer.fixed)
    changes: list[str] = []
    for name, value in request.fields.items():
        wire = offer.wires.get(name)
        sent = _sent(request, wire, name)
        if wire is not None and sent is not None:
            values[wire.name] = sent
        changes.extend(_change(request, offer, name, value, wire, sent))
    pictures = {offer.wires[role].name: sent for role, sent in request.pictures.items() if sent}
    for role, sent_pictures in request.pictures.items():
        _check_room(request, offer, role, len(sent_pictures))
    return Order(request, offer, provider or offer.provider, values, pictures, tuple(changes))


def takes(request: Request, offer: Offer) -> bool:
    """Whether the offer has room for the request's pictures."""
    return all(_has_room(offer, role, len(sent)) for role, sent in request.pictures.items())


def _sent(request: Request, wire: Wire | None, name: str) -> Value | None:
    """The value that goes on the wire for field `name`, or None when it is left out."""
    value = request.fields[name]
    if wire is None or value == "" or _asks_for_none(request, name):
        return None
    if wire.only_with and request.fields.get(wire.only_with[0]) != wire.only_with[1]:
        return None
    if wire.values is None:
        return value
    return wire.values[_nearest_offered(request, wire, name)]


def _asks_for_none(request: Request, name: str) -> bool:
    return request.fields[name] == NOT_SENT and isinstance(request.operation.field(name), Choice)


def _nearest_offered(request: Request, wire: Wire, name: str) -> str:
    value, offered = str(request.fields[name]), wire.values or {}
    if value in offered:
        return value
    if value == AUTO:
        first = next(pictures[0] for pictures in request.pictures.values() if pictures)
        return nearest_ratio(first, tuple(ratio for ratio in RATIOS if ratio in offered))
    field = request.operation.field(name)
    options = field.options if isinstance(field, Choice) else tuple(offered)
    place = options.index(value)
    return min(offered, key=lambda option: abs(options.index(option) - place))


def _change(
    request: Request, offer: Offer, name: str, value: Value, wire: Wire | None, sent: Value | None
) -> tuple[str, ...]:
    """What a person should know about field `name`, where they had set it."""
    if name not in request.set_by_user or _asks_for_none(request, name):
        return ()
    what = f"{request.model} at {offer.provider}"
    if wire is None:
        return (f"{name} not sent ({what} has no such field)",)
    if sent is None:
        other, wanted = wire.only_with or ("", "")
        return (f"{name} not sent ({what} takes it only with {other} {wanted})",)
    if wire.values is not None and str(value) not in wire.values and value != AUTO:
        return (f"{name} {value} sent as {sent} (the nearest that {what} has)",)
    return ()


def _has_room(offer: Offer, role: str, count: int) -> bool:
    wire = offer.wires.get(role)
    return count == 0 or (wire is not None and (wire.at_most is None or count <= wire.at_most))


def _check_room(request: Request, offer: Offer, role: str, count: int) -> None:
    if not _has_room(offer, role, count):
        most = offer.wires[role].at_most
        raise InputError(
            f"{count} pictures are connected as {role}; {request.model} at {offer.provider} takes at most "
            f"{most}. Nothing was sent and nothing was paid: use fewer pictures or another provider."
        )
