"""What is wanted: one task, checked, and the identity by which it is never paid twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from .fields import Pictures, Value, check_all, is_default, one_of, wrong
from .frames import Picture, expansion_of, expansion_to
from .models import MODELS, PROVIDERS
from .operations import AUTO, EXPANSION_RATIOS, OFF, SEED, Operation
from .references import check_references

SANDBOX = "sandbox"
PROVIDER_CHOICES = (AUTO, *PROVIDERS, SANDBOX)
IDENTITY_RULE = 1
"""Raised whenever `Request.identity` is computed in another way."""


@dataclass(frozen=True)
class Request:
    """One task as meant: our names and values, pictures by role in the order they are sent.

    `provider` is a provider's name, `auto` or `sandbox`. `fields` holds every field of the operation.
    """

    operation: Operation
    model: str
    fields: Mapping[str, Value]
    pictures: Mapping[str, tuple[Picture, ...]]
    seed: int = 0
    provider: str = AUTO

    @property
    def count(self) -> int:
        """How many pictures are paid for."""
        return int(self.fields["n"])

    @property
    def set_by_user(self) -> frozenset[str]:
        """The fields that differ from their defaults."""
        return frozenset(name for name, value in self.fields.items() if not self._is_default(name, value))

    @property
    def identity(self) -> str:
        """Hex SHA-256 over operation, model, fields, pixels and seed; the provider is matched apart.

        A field at its default is left out, so that an input added by a later version changes no identity.
        """
        meant = {
            "rule": IDENTITY_RULE,
            "operation": self.operation.name,
            "model": self.model,
            "fields": {name: self.fields[name] for name in self.set_by_user},
            "pictures": {role: [picture.digest for picture in sent] for role, sent in self.pictures.items() if sent},
            "seed": self.seed,
        }
        written = json.dumps(meant, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(written.encode("utf-8")).hexdigest()

    def _is_default(self, name: str, value: Value) -> bool:
        return is_default(self.operation.field(name), value)


def build_requests(
    operation: Operation, given: Mapping[str, object], sockets: Mapping[str, Sequence[Picture]]
) -> tuple[Request, ...]:
    """The tasks one run of a node asks for, in order: one, or one for each picture of a batch.

    `given` are the node's values by input name, defaults may be missing. `sockets` are the connected
    picture sockets, each with its batch. Raises InputError for anything that can be known to be wrong.
    """
    model = _check_model(operation, given.get("model", operation.models[0]))
    provider = _check_provider(given.get("provider", AUTO))
    fields = check_all(operation.fields, given)
    seed = int(SEED.check(given.get("seed", SEED.default)))
    roles = {role.name: _gather(role, sockets) for role in operation.pictures}
    batch = next((role.name for role in operation.pictures if role.each_is_a_task), None)
    tasks = [{**roles, batch: (picture,)} for picture in roles[batch]] if batch else [roles]
    sent = sum(len(pictures) for pictures in tasks[0].values())
    check_references(str(fields["prompt"]), sent, _gap(operation, sockets))
    return tuple(
        Request(operation, model, _settle_expansion(fields, pictures), pictures, seed, provider) for pictures in tasks
    )


def _check_model(operation: Operation, name: object) -> str:
    if name not in operation.models:
        raise InputError(wrong("model", name, one_of(operation.models)))
    row = next(row for row in MODELS if (row.operation, row.name) == (operation.name, name))
    if row.retired:
        date, successor = row.retired
        raise InputError(
            f"model is {name}, which was retired on {date}. Nothing was sent and nothing was paid: use {successor}."
        )
    return row.name


def _check_provider(name: object) -> str:
    if name not in PROVIDER_CHOICES:
        raise InputError(wrong("provider", name, one_of(PROVIDER_CHOICES)))
    return str(name)


def _gather(role: Pictures, sockets: Mapping[str, Sequence[Picture]]) -> tuple[Picture, ...]:
    """The pictures of a role, sockets in order and batches opened, each checked."""
    nothing = "Nothing was sent and nothing was paid"
    for socket in role.required_sockets:
        if not sockets.get(socket):
            raise InputError(f"{socket} has no picture; it needs one. {nothing}: connect it.")
    gathered: list[Picture] = []
    for socket in role.sockets:
        pictures = sockets.get(socket, ())
        single = not role.numbered and not role.each_is_a_task
        if single and len(pictures) > 1:
            raise InputError(
                f"{socket} has a batch of {len(pictures)} pictures; it takes one. {nothing}: choose one of them."
            )
        for picture in pictures:
            picture.check(socket)
        gathered.extend(pictures)
    if role.numbered and len(gathered) > role.at_most:
        raise InputError(
            f"{role.sockets[0]} to {role.sockets[-1]} hold {len(gathered)} pictures, with every "
            f"picture of a batch counted; at most {role.at_most} are allowed. {nothing}: use fewer."
        )
    return tuple(gathered)


def _gap(operation: Operation, sockets: Mapping[str, Sequence[Picture]]) -> str | None:
    """The first empty numbered socket that stands before a connected one."""
    for role in operation.pictures:
        connected = [bool(sockets.get(socket)) for socket in role.sockets]
        for place, here in enumerate(connected):
            if role.numbered and not here and any(connected[place:]):
                return role.sockets[place]
    return None


def _settle_expansion(fields: Mapping[str, Value], pictures: Mapping[str, tuple[Picture, ...]]) -> Mapping[str, Value]:
    """`fields` with target_aspect turned into the four ratios that reach it, and those checked."""
    if "target_aspect" not in fields:
        return fields
    if fields["target_aspect"] == OFF:
        expansion_of(fields).check()
        return {**fields, "anchor": "center"}
    target, anchor = str(fields["target_aspect"]), str(fields["anchor"])
    grown = expansion_to(target, anchor, pictures["image"][0])
    ratios = dict(zip(EXPANSION_RATIOS, (grown.up, grown.down, grown.left, grown.right), strict=True))
    return {**fields, **ratios, "target_aspect": OFF, "anchor": "center"}
