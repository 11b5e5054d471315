"""The values that adapters take and return, and the steps an adapter gives.

An adapter opens no socket, does not sleep and reads no clock. Whatever it wants done it says by
returning a `Call`; whatever came back it reads from a `Reply`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from ..catalog.order import Order
from ..catalog.references import translate_references


@dataclass(frozen=True)
class Call:
    """One HTTP request. `url` is a path below the provider's base URL, or absolute. No key is in it."""

    method: str
    url: str
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What was answered: status code, headers by lower-case name, and the whole body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> str | None:
        """The provider's own word on when to come back, as it was written: seconds, a date, or seconds since 1970.

        The last is Modellix' `X-RateLimit-Reset` (its REST playbook).
        """
        return self.headers.get("retry-after") or self.headers.get("x-ratelimit-reset")


class Refusal(Enum):
    """Why nothing was created."""

    INVALID = "the request was refused"
    KEY = "the key was refused"
    CREDIT = "there is no credit left"
    UNKNOWN = "the model or task is not known there"
    FULL = "too many requests or tasks at once"

    @property
    def passes(self) -> bool:
        """Whether the same request may be taken a little later."""
        return self is Refusal.FULL

    @property
    def elsewhere(self) -> bool:
        """Whether another provider may take what this one refused."""
        return self is not Refusal.INVALID


@dataclass(frozen=True)
class Created:
    """The task exists and is paid for; `id` is the provider's."""

    id: str


@dataclass(frozen=True)
class Refused:
    """Surely nothing was created. `reason` is the provider's own text."""

    kind: Refusal
    reason: str


@dataclass(frozen=True)
class Unclear:
    """The answer does not tell whether a task was created."""

    reason: str


class Phase(Enum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """How a task stands. `word` is the provider's own status word, kept also when nobody documents it.

    `links` are the result pictures in order. DONE without links means that the answer cannot be read.
    `cost` is what the provider says it charged, in USD, where it says so.
    """

    phase: Phase
    word: str
    links: tuple[str, ...] = ()
    reason: str = ""
    cost: Decimal | None = None


@dataclass(frozen=True)
class Place:
    """Where an input picture goes: `put` it there, then hand over `link`. `id` deletes it again."""

    put: Call
    link: str
    id: str | None = None


@dataclass(frozen=True)
class Limits:
    """What one key may do: tasks in flight and API calls a minute."""

    in_flight: int
    per_minute: int


WORDS: Mapping[str, Phase] = {
    **dict.fromkeys(("created", "starting", "submitted", "pending", "processing"), Phase.RUNNING),
    **dict.fromkeys(("success", "succeed", "succeeded", "completed"), Phase.DONE),
    **dict.fromkeys(("error", "failed", "fail"), Phase.FAILED),
    **dict.fromkeys(("cancelled", "canceled"), Phase.CANCELLED),
}
"""Every status word that any provider's page, OpenAPI file or own client names. The pages of one provider
disagree with each other, so a word one of them knows is understood at all."""


class Provider(ABC):
    """One provider's dialect. Class attributes are facts; methods marked *may override* have a default."""

    name: str
    title: str
    base_url: str
    limits: Limits
    inline_pictures = False
    """True: pictures go as raw Base64 in the body. False: they are uploaded and go as links."""
    reference = "@Image{}"
    """How a prompt names the K-th picture of an edit."""
    advised_pause = 0.0
    """Seconds that the provider's page advises between two looks at a task; bounds how many a task may cost."""
    phases: Mapping[str, Phase] = WORDS
    """Status words, lower case; may override. A word that is not here keeps the task running and is shown."""

    @abstractmethod
    def authorize(self, key: str) -> dict[str, str]:
        """The headers that carry the key."""

    @abstractmethod
    def create(self, order: Order, pictures: Mapping[str, str], callback: str | None = None) -> Call:
        """The paid call. `pictures` maps digests to links or Base64; `callback` is a webhook URL."""

    @abstractmethod
    def created(self, reply: Reply) -> Created | Refused | Unclear:
        """Reads the answer to `create`. Never raises."""

    @abstractmethod
    def poll(self, task_id: str) -> Call:
        """Asks how the task stands."""

    @abstractmethod
    def status(self, reply: Reply) -> Status | Refused | Unclear:
        """Reads the answer to `poll`. Unclear asks for another look. Never raises."""

    def cancel(self, task_id: str) -> Call | None:
        """Asks to stop a task. May override; None where the provider has no such call."""
        return None

    def upload(self, digest: str, media_type: str, size: int) -> Call | None:
        """Asks for a place for `size` bytes. May override; None where pictures go inline."""
        return None

    def place(self, reply: Reply, media_type: str) -> Place | Refused | Unclear:
        """Reads the answer to `upload`. May override together with `upload`."""
        return Unclear("this provider has no upload")

    def discard(self, place_id: str) -> Call | None:
        """Deletes an uploaded picture. May override; None where they only expire."""
        return None

    def values(self, order: Order) -> dict[str, Any]:
        """The order's plain values, picture references in an edit's prompt spelled as this provider wants."""
        values: dict[str, Any] = dict(order.values)
        if order.request.operation.name == "edit" and "prompt" in values:
            values["prompt"] = translate_references(str(values["prompt"]), self.reference)
        return values

    def phase(self, word: object) -> Phase:
        return self.phases.get(str(word).lower(), Phase.RUNNING)
