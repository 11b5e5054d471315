"""What reached the sandbox, counted: the truth that tests hold a client against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

#: The count an operation goes into; creates are counted by their outcome instead.
PLURAL = {"poll": "polls", "upload": "uploads", "put": "puts", "download": "downloads", "cancel": "cancels",
          "delete": "deletes", "check": "checks"}  # fmt: skip


@dataclass
class Counts:
    """Of one provider. ``creates_accepted`` is what would have been paid for."""

    requests: int = 0
    creates_accepted: int = 0
    creates_refused: int = 0
    polls: int = 0
    uploads: int = 0
    puts: int = 0
    downloads: int = 0
    cancels: int = 0
    deletes: int = 0
    checks: int = 0
    webhooks: int = 0
    given_429: int = 0
    most_in_flight: int = 0
    keys_leaked: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def count(self, operation: str) -> None:
        self.requests += 1
        if operation in PLURAL:
            setattr(self, PLURAL[operation], getattr(self, PLURAL[operation]) + 1)

    def refuse(self, status: int, reason: str, creating: bool) -> None:
        self.given_429 += status == 429
        self.reasons[f"{status} {reason}"] += 1
        self.creates_refused += creating

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"reasons": dict(self.reasons), "faults": dict(self.faults)}
