"""What happens in one schedule, drawn from its seed: who asks for what, who crashes, and how bad the weather is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

OFFERS = {
    ("text", "kling-v3"): ("modellix", "apimodels"),
    ("edit", "kling-image-o1"): ("eachlabs", "modellix", "apimodels"),
    ("image", "kling-v1-5"): ("eachlabs", "modellix"),
}
"""The models that are asked for, and who offers them."""

ON_CREATE = (
    *("refused", "unreachable", "lost before", "lost after", "hangs before", "hangs after", "slow"),
    *("429", "429 with Retry-After", "500 before", "500 after", "cut", "wrong", "empty", "401", "402", "422"),
)
ON_LOOK = (
    *("refused", "unreachable", "lost before", "lost after", "hangs before", "slow", "429", "429 with Retry-After"),
    *("500 before", "cut", "wrong", "empty", "401", "404", "no links"),
)
ON_FETCH = ("refused", "cut", "500 before", "hangs before", "slow", "expired", "wrong")
ON_UPLOAD = ("refused", "lost before", "lost after", "slow", "500 before", "429", "wrong", "hangs before", "422")


@dataclass(frozen=True)
class Asked:
    """One request of a node: equal ones have equal tags. `shade` is its picture's, where the operation takes one."""

    tag: int
    operation: str
    model: str
    provider: str
    count: int
    shade: int


@dataclass(frozen=True)
class Node:
    """A node's run. `stop_after` is when somebody presses Stop, in seconds."""

    machine: int
    at: float
    asked: tuple[Asked, ...]
    stop_after: float | None
    cancel: bool


@dataclass(frozen=True)
class Mishap:
    """Something that befalls a machine: crash, sleep, close, poll or wake.

    A crash comes after so many `steps` of its loop from `at` on; `seconds` is how long it stays away.
    """

    kind: str
    machine: int
    at: float
    seconds: float = 0.0
    steps: int = 0


@dataclass(frozen=True)
class Trouble:
    """A time in which the ledger's disk is full, or another program holds its lock."""

    kind: str
    at: float
    until: float


@dataclass(frozen=True)
class Plan:
    """`weather` is the chance of each fault by "on what: which". All faults end at `calm_at`."""

    seed: int
    machines: int
    nodes: tuple[Node, ...]
    mishaps: tuple[Mishap, ...]
    troubles: tuple[Trouble, ...]
    weather: Mapping[str, float]
    calm_at: float
    in_flight: int
    per_minute: int
    budget: float | None
    hooks: bool
    known: bool
    seconds: tuple[float, float]
    fails: float


def draw(seed: int) -> Plan:
    """The plan of a seed; the same on every machine."""
    chance = random.Random(seed)
    machines = chance.choice((1, 1, 1, 2, 2, 3))
    calm_at = chance.choice((8.0, 15.0, 40.0))
    tags = [_request(chance, tag) for tag in range(chance.choice((1, 1, 2, 2, 3, 4, 6)))]
    return Plan(
        seed,
        machines,
        nodes=tuple(_node(chance, machines, calm_at, tags) for _ in range(chance.choice((1, 1, 2, 2, 3, 4)))),
        mishaps=tuple(_mishap(chance, machines, calm_at) for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))),
        troubles=tuple(_trouble(chance, calm_at) for _ in range(chance.choice((0, 0, 0, 0, 1, 2)))),
        weather=_weather(chance),
        calm_at=calm_at,
        in_flight=chance.choice((1, 2, 3, 10)),
        per_minute=chance.choice((8, 20, 60, 60)),
        budget=chance.choice((None, None, None, 0.05, 0.1)),
        hooks=chance.random() < 0.3,
        known=chance.random() < 0.6,
        seconds=chance.choice(((0.3, 2.0), (0.3, 2.0), (1.0, 10.0), (5.0, 30.0))),
        fails=chance.choice((0.0, 0.0, 0.1, 0.3)),
    )


def _request(chance: random.Random, tag: int) -> Asked:
    operation, model = chance.choice((*OFFERS, ("text", "kling-v3"), ("text", "kling-v3")))
    provider = chance.choice(("auto", *OFFERS[operation, model]))
    return Asked(tag, operation, model, provider, chance.choice((1, 1, 1, 2)), chance.randrange(2))


def _node(chance: random.Random, machines: int, calm_at: float, tags: list[Asked]) -> Node:
    asked = chance.choices(tags, k=chance.choice((1, 1, 2, 3, 6)))
    asked = [_elsewhere(chance, one) if chance.random() < 0.1 else one for one in asked]
    stop_after = chance.choice((None, None, None, chance.uniform(0, 2), chance.uniform(0, calm_at)))
    at = chance.choice((0.0, chance.uniform(0, 1), chance.uniform(0, calm_at)))
    return Node(chance.randrange(machines), at, tuple(asked), stop_after, chance.random() < 0.3)


def _elsewhere(chance: random.Random, one: Asked) -> Asked:
    provider = chance.choice(("auto", *OFFERS[one.operation, one.model]))
    return Asked(one.tag, one.operation, one.model, provider, one.count, one.shade)


def _mishap(chance: random.Random, machines: int, calm_at: float) -> Mishap:
    kind = chance.choice(("crash", "crash", "crash", "sleep", "close", "poll", "resolve"))
    at = chance.choice((0.0, chance.uniform(0, 3), chance.uniform(0, calm_at)))
    away = {"crash": (0.1, 60.0), "close": (0.1, 60.0), "sleep": (1.0, 70.0)}.get(kind, (0.0, 0.0))
    steps = chance.choice((chance.randrange(60), chance.randrange(400)))
    return Mishap(kind, chance.randrange(machines), at, chance.uniform(*away), steps)


def _trouble(chance: random.Random, calm_at: float) -> Trouble:
    at = chance.choice((0.0, chance.uniform(0, 3), chance.uniform(0, calm_at)))
    seconds = chance.choice((chance.uniform(0, 2), chance.uniform(0, 30)))
    return Trouble(chance.choice(("full", "full at the end", "locked")), at, min(at + seconds, calm_at))


def _weather(chance: random.Random) -> dict[str, float]:
    """Few kinds of fault at a time: some mistakes show only where no other fault hides them."""
    kinds = [
        f"{on}: {fault}"
        for on, faults in {"create": ON_CREATE, "look": ON_LOOK, "fetch": ON_FETCH, "upload": ON_UPLOAD}.items()
        for fault in faults
    ]
    chosen = chance.sample(kinds, chance.choice((0, 1, 2, 4, 8)))
    # A task whose id its provider denies four times in a row is given up: not what is to be found out here.
    return {kind: 0.1 if kind == "look: 404" else chance.choice((0.1, 0.3, 0.6)) for kind in chosen}
