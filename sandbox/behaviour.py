"""What a sandbox does: how long tasks take, its limits, the keys it accepts, and the faults it plays."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

PROVIDERS = ("eachlabs", "modellix", "apimodels")
OPERATIONS = ("create", "poll", "upload", "put", "download", "cancel", "delete", "check")

#: Answered in place of the real answer; the request is not acted on.
REFUSALS = (
    *(f"http_{code}" for code in (400, 401, 402, 403, 404, 409, 500, 502, 503, 504)),
    "rate_limited",
    "no_credit",
)
#: The connection, not the answer, is at fault. All but ``drop_before`` have acted on the request: a create is
#: paid.
BROKEN = ("drop_before", "drop_after", "error_after", "hang", "slow", "cut", "html", "not_json")
#: What is said about a task, or handed out for it, is odd. On ``create`` they stay with the task.
ODDITIES = (
    "no_id", "unknown_status", "task_failed", "expired_link", "wrong_sizes",
    "shape:string", "shape:list", "shape:object", "shape:objects",
    "picture:jpeg", "picture:webp", "picture:png", "picture:png16", "picture:palette",
    "picture:truncated", "picture:bomb",
)  # fmt: skip
FAULTS = (*REFUSALS, *BROKEN, *ODDITIES)


@dataclass(frozen=True)
class Fault:
    """One rule. It skips the first ``after`` requests that match, then strikes ``times`` times (without it: always)
    or by chance with ``share`` (0-1).

    ``seconds`` belongs to hang (an hour) and slow (three), ``retry_after`` to rate_limited, ``reason`` and
    ``shape`` to task_failed, ``status`` (403 or 404) to expired_link. Shapes: eachlabs envelope, dispatch,
    message, failed; modellix error, message, none; apimodels knows one.
    """

    fault: str
    on: str = "create"
    provider: str = "*"
    times: int | None = None
    share: float | None = None
    after: int = 0
    seconds: float | None = None
    retry_after: float | None = None
    reason: str = "Content policy violation"
    shape: str = ""
    status: int = 403

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"Unknown fault {self.fault!r}. Known: {', '.join(FAULTS)}.")
        if self.on not in OPERATIONS:
            raise ValueError(f"A fault cannot be on {self.on!r}. Known: {', '.join(OPERATIONS)}.")
        if self.provider != "*" and self.provider not in PROVIDERS:
            raise ValueError(f"Unknown provider {self.provider!r} in a fault. Known: *, {', '.join(PROVIDERS)}.")


@dataclass(frozen=True)
class Limit:
    """Tasks in flight and API requests in any 60 seconds, for each key; None is no limit."""

    in_flight: int | None = None
    requests_per_minute: int | None = None


#: What the pages state: eachlabs 10 concurrent and 60 requests a minute, Modellix 100 a minute, apimodels
#: nothing.
STATED_LIMITS = {"eachlabs": Limit(10, 60), "modellix": Limit(None, 100), "apimodels": Limit()}

Seconds = float | tuple[float, float]


@dataclass(frozen=True)
class Behaviour:
    """All of it has defaults; JSON in by `from_json`, out by `to_json`.

    ``seconds``: how long a task takes, a number or (least, most), by provider, ``*`` for the others.
    ``each_picture``: on, every further picture of a task takes as long again.
    ``keys``: accepted keys by provider; none listed means any that is not empty.
    ``reachable``: URL prefixes besides the sandbox's own uploads that input pictures may come from.
    ``keep_days``: how long tasks and their pictures stay.
    ``repaint``: off, orders that differ only in their words get the pictures painted first: whoever measures a
    client does not measure the painter beside it.
    """

    seconds: Mapping[str, Seconds] = field(default_factory=lambda: {"*": 2.0})
    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(STATED_LIMITS))
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    reachable: tuple[str, ...] = ()
    keep_days: float = 7.0
    repaint: bool = True
    each_picture: bool = False
    rng: int = 0

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Behaviour:
        """Reads what `to_json` writes, and shorter forms: ``"seconds": 1``, ``"seconds": [1, 3]``, only some
        limits.

        Raises ValueError or TypeError with the reason when something is unknown or out of form.
        """
        unknown = set(raw) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"Unknown in a behaviour: {', '.join(sorted(unknown))}.")
        values: dict[str, Any] = dict(raw)
        if "seconds" in raw:
            by_provider = raw["seconds"] if isinstance(raw["seconds"], Mapping) else {"*": raw["seconds"]}
            values["seconds"] = {name: _seconds(value) for name, value in by_provider.items()}
        if "limits" in raw:
            values["limits"] = STATED_LIMITS | {name: Limit(**limit) for name, limit in raw["limits"].items()}
        if "keys" in raw:
            values["keys"] = {name: tuple(keys) for name, keys in raw["keys"].items()}
        if "faults" in raw:
            values["faults"] = tuple(Fault(**fault) for fault in raw["faults"])
        if "reachable" in raw:
            values["reachable"] = tuple(raw["reachable"])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def limit(self, provider: str) -> Limit:
        return self.limits.get(provider, Limit())

    def accepts(self, provider: str, key: str) -> bool:
        listed = self.keys.get(provider)
        return key in listed if listed is not None else bool(key)

    def pick_seconds(self, provider: str, pictures: int, rng: random.Random) -> float:
        asked = self.seconds.get(provider, self.seconds.get("*", 2.0))
        drawn = rng.uniform(*asked) if isinstance(asked, tuple) else asked
        return drawn * pictures if self.each_picture else drawn


def _seconds(value: object) -> Seconds:
    if isinstance(value, (list, tuple)):
        least, most = value
        return float(least), float(most)
    if isinstance(value, (int, float)):
        return float(value)
    raise ValueError(f"Seconds are a number or [least, most], not {value!r}.")
