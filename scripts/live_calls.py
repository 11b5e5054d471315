"""The calls of a live check: each model's cheapest one, and what the adapter should find in every answer."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import recording
from recording import Exchange
from sample_pictures import teapot

from kling_pack.catalog.models import MODELS, Model, Offer
from kling_pack.catalog.operations import operation
from kling_pack.catalog.order import Order, fit
from kling_pack.catalog.prices import Overrides, Price
from kling_pack.catalog.request import build_requests
from kling_pack.errors import UnreadError
from kling_pack.jobs.decode import inspect
from kling_pack.jobs.encode import describe, encode
from kling_pack.jobs.http import AnswerLostError, DownloadError, Http, NotSentError
from kling_pack.jobs.links import Origin
from kling_pack.jobs.redact import redact
from kling_pack.jobs.settings import Endpoint
from kling_pack.providers import ADAPTERS
from kling_pack.providers.base import Call, Created, Phase, Place, Refusal, Refused, Reply, Status

PROMPT = "A blue teapot on a wooden table, soft morning light"
RATIO = "1:1"
LONGEST_WAIT = 900.0
NO_TASK = "00000000-0000-0000-0000-000000000000"
NO_KEY = "kling-images-live-check-no-key"


@dataclass(frozen=True)
class Planned:
    """One paid call. `price` is None where no page gives one."""

    row: Model
    offer: Offer
    price: Price | None

    @property
    def name(self) -> str:
        return f"{self.row.operation}-{self.row.name}"


@dataclass(frozen=True)
class Finding:
    """Whether a fact of docs/wire-facts.md held, and what was seen."""

    fact: str
    held: bool
    seen: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.held else 'WRONG'} {self.fact}: {self.seen}"


def planned(provider: str, prices: Overrides, every_operation: bool = False) -> list[Planned]:
    """The cheapest call of each of the provider's models, or one call for each operation of each model."""
    calls = [
        Planned(row, offer, prices.price(provider, row.name, row.operation, offer.price))
        for row in MODELS
        for offer in row.offers
        if offer.provider == provider
    ]
    if every_operation:
        return calls
    cheapest: dict[str, Planned] = {}
    for call in calls:
        known = cheapest.get(call.offer.wire_model)
        if known is None or (call.price and known.price and call.price.total < known.price.total):
            cheapest[call.offer.wire_model] = call
    return list(cheapest.values())


@lru_cache
def _picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(teapot().convert("RGB").resize((512, 512)))


def order_of(call: Planned) -> tuple[Order, Any]:
    """The smallest order the offer takes, and the pixels of its picture."""
    kind = operation(call.row.operation)
    pixels = _picture()
    sockets = {role.sockets[0]: [describe(pixels)] for role in kind.pictures if role.at_least}
    given: dict[str, object] = {"prompt": PROMPT, "model": call.row.name, "n": 1, "resolution": "1k"}
    known = {one.name for one in kind.fields}
    given |= {"aspect_ratio": RATIO} if "aspect_ratio" in known else {}
    given |= {"right_expansion_ratio": 0.25} if "right_expansion_ratio" in known else {}
    meant = {name: value for name, value in given.items() if name in known or name == "model"}
    (request,) = build_requests(kind, meant, sockets)
    return fit(request, call.offer), pixels


@dataclass
class LiveCheck:
    """Asks one provider, keeps every answer in `folder` at once, and the pictures in `pictures`.

    `every` is the time between two looks at a task, in seconds. Nothing is asked twice that is paid for.
    """

    endpoint: Endpoint
    folder: Path
    pictures: Path
    source: str
    every: float
    say: Callable[[str], None]
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adapter = ADAPTERS[self.endpoint.name]
        self.key = self.endpoint.key.get_secret_value() if self.endpoint.key else ""
        self._http = Http()

    def refusals(self) -> None:
        """What costs nothing: a key that is none, and a task that is none."""
        poll = self.adapter.poll(NO_TASK)
        for fact, key, wanted in (("wrong key", NO_KEY, Refusal.KEY), ("unknown task", self.key, Refusal.UNKNOWN)):
            outcome = self._read(fact.replace(" ", "-"), "poll", poll, key=key)
            self._note(fact, isinstance(outcome, Refused) and outcome.kind is wanted, outcome)

    def offer(self, call: Planned) -> None:
        """Uploads, creates, waits and fetches; stops where an answer is not what it should be."""
        order, pixels = order_of(call)
        handed, places = self._hand_over(call.name, order, pixels)
        if handed is None:
            return
        task = self._create(call.name, order, handed)
        if task is not None:
            self.say(f"      {self.endpoint.name}:{task} is paid for")
            self._wait(call, task)
        self._discard(call.name, places)

    def _hand_over(self, name: str, order: Order, pixels: Any) -> tuple[dict[str, str] | None, list[Place]]:
        digests = {picture.digest for sent in order.pictures.values() for picture in sent}
        encoded = encode(pixels)
        if not digests or self.adapter.inline_pictures:
            return dict.fromkeys(digests, base64.b64encode(encoded.data).decode("ascii")), []
        (digest,) = digests
        upload = self.adapter.upload(digest, encoded.media_type, len(encoded.data))
        assert upload is not None
        place = self._read(f"{name}-upload", "upload", upload)
        self._note("upload", isinstance(place, Place), place)
        if not isinstance(place, Place):
            return None, []
        put = self._send(f"{name}-put", "put", place.put, body=encoded.data)
        self._note("put", put is not None and put.ok, put.status if put else "no answer")
        return ({digest: place.link} if put is not None and put.ok else None), [place]

    def _create(self, name: str, order: Order, handed: dict[str, str]) -> str | None:
        outcome = self._read(f"{name}-create", "create", self.adapter.create(order, handed))
        self._note("created", isinstance(outcome, Created), outcome)
        self._note(f"takes {name}", isinstance(outcome, Created), outcome)
        return outcome.id if isinstance(outcome, Created) else None

    def _wait(self, call: Planned, task: str) -> None:
        ends, words = time.monotonic() + LONGEST_WAIT, set[str]()
        while time.monotonic() < ends:
            status = self._read(f"{call.name}-poll", "poll", self.adapter.poll(task))
            if not isinstance(status, Status):
                self._note("status", False, status)
            elif status.word not in words:
                words.add(status.word)
                known = status.word.lower() in self.adapter.phases
                self._note(f"word {status.phase.name.lower()}", known, status.word)
                if status.phase is not Phase.RUNNING:
                    self._ended(call, status)
                    return
            time.sleep(self.every)
        self._note("status", False, f"not ended within {LONGEST_WAIT:.0f} s: {self.endpoint.name}:{task}")

    def _ended(self, call: Planned, status: Status) -> None:
        if status.phase is not Phase.DONE:
            self._note("links", False, f"{status.word}: {status.reason}")
            return
        self._note("links", len(status.links) == 1, f"{len(status.links)} of 1")
        if status.cost is not None:
            expected = status.cost if call.price is None else call.price.total
            self._note("cost", status.cost == expected, f"${status.cost}, and ${expected} in the catalogue")
        for place, link in enumerate(status.links):
            self._fetch(call, link, self.pictures / f"{call.name}-{place + 1}")

    def _fetch(self, call: Planned, link: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._http.download(link, file, Origin.of(self.endpoint.base_url))
            info = inspect(file)
        except (DownloadError, UnreadError) as error:
            self._note("result", False, error)
            return
        wanted = {"expand": 1.25}.get(call.row.operation, 1.0)
        seen = f"{info.format} {info.width}×{info.height}"
        self._note("result", True, seen)
        self._note(f"shape {call.name}", abs(info.width / info.height - wanted) < 0.03, seen)

    def _discard(self, name: str, places: list[Place]) -> None:
        for place in places:
            call = self.adapter.discard(place.id) if place.id else None
            if call is not None:
                reply = self._send(f"{name}-discard", "discard", call)
                self._note("discard", reply is not None and reply.ok, reply.status if reply else "no answer")

    def _read(self, name: str, step: str, call: Call, key: str | None = None) -> Any:
        reply = self._send(name, step, call, key)
        return "no answer" if reply is None else recording.read(self.adapter, step, reply)

    def _send(
        self, name: str, step: str, call: Call, key: str | None = None, body: bytes | None = None
    ) -> Reply | None:
        """One request, once. Its answer is on disk before anything is made of it."""
        headers = self.adapter.authorize(self.key if key is None else key)
        try:
            reply = self._http.send(call, self.endpoint.base_url, headers, body)
        except (NotSentError, AnswerLostError) as error:
            paid = " It may be paid for: look for it at the provider." if step == "create" else ""
            self.say(f"      {name}: no answer ({error}).{paid}")
            return None
        written = recording.fixture(Exchange(step, call, reply), self.adapter, (self.key, NO_KEY), self.source)
        word = written["read"].get("word", "") if isinstance(written["read"], dict) else ""
        recording.save(self.folder, f"{name}-{re.sub('[^a-z]', '', word.lower())}" if word else name, written)
        return reply

    def _note(self, fact: str, held: bool, seen: object) -> None:
        told = redact(str(recording.as_json(seen)), (self.key,))
        finding = Finding(f"{self.endpoint.name} {fact}", held, told)
        self.findings.append(finding)
        self.say(str(finding))


def held(findings: list[Finding]) -> Iterator[tuple[str, bool]]:
    """Each fact once; it held where it did every time."""
    for fact in dict.fromkeys(finding.fact for finding in findings):
        yield fact, all(finding.held for finding in findings if finding.fact == fact)
