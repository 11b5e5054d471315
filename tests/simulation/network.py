"""The scripted network: every request of a machine, with the faults that the plan has for it."""

from __future__ import annotations

import errno
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provider import House
from virtual import Blocking

from kling_pack.jobs.http import ANSWER_SECONDS, CONNECT_SECONDS, AnswerLostError, DownloadError, NotSentError, Origin
from kling_pack.providers.base import Call, Reply

LATENCY = (0.01, 0.3)
"""Seconds on the way, one way. The pack allows for less than a second by which calls overtake each other."""


class Weather:
    """Draws what befalls one request."""

    def __init__(self, chances: Mapping[str, float], chance: random.Random) -> None:
        self._chances, self._chance = dict(chances), chance

    def clear_up(self) -> None:
        self._chances.clear()

    def strike(self, on: str) -> str:
        for kind, share in self._chances.items():
            if kind.startswith(f"{on}:") and self._chance.random() < share:
                return kind.partition(": ")[2]
        return ""

    def latency(self) -> float:
        return self._chance.uniform(*LATENCY)

    def long(self) -> float:
        return self._chance.uniform(5.0, 50.0)

    def retry_after(self) -> str:
        return str(self._chance.choice((0, 1, 7, 30)))


class Network:
    """What stands in for `Http` on one machine: generators that a virtual `Pool` plays."""

    def __init__(self, machine: Any, houses: Mapping[str, House], weather: Weather) -> None:
        self._machine, self._houses, self._weather = machine, houses, weather

    def send(self, call: Call, base_url: str, headers: Mapping[str, str], body: bytes | None = None) -> Blocking:
        stored = "://" in call.url  # the storage that a provider names is another server
        house = None if stored else self._houses[base_url.removeprefix("https://").removesuffix(".test")]
        on = _kind(call)
        if on == "create":
            self._machine.sends_create(call)
        counted = self._machine.counts_calls()
        fault = self._weather.strike(on)
        self._machine.say(f"{call.method} {'' if stored else base_url}{call.url}{f'  ⚡ {fault}' if fault else ''}")
        yield from self._on_the_way(fault)
        if fault in ("lost before", "hangs before"):
            raise AnswerLostError(fault)
        reply = Reply(200, b"") if house is None else self._arrive(house, call, fault, counted)
        if fault == "slow":
            yield self._weather.long()
        if fault == "hangs after":
            yield ANSWER_SECONDS
        yield self._weather.latency()
        if fault in ("lost after", "hangs after"):
            raise AnswerLostError(fault)
        self._machine.say(f"  answer {reply.status} {reply.body[:80]!r}")
        return reply

    def download(self, url: str, target: Path, trusted: Origin) -> Blocking:
        fault = self._weather.strike("fetch")
        self._machine.say(f"GET {url}{f'  ⚡ {fault}' if fault else ''}")
        if fault == "refused":
            raise DownloadError(fault)
        yield 60.0 if fault == "hangs before" else self._weather.long() if fault == "slow" else self._weather.latency()
        if fault in ("cut", "hangs before"):
            raise DownloadError(fault)
        if fault in ("500 before", "expired"):
            status = 503 if fault == "500 before" else 403
            raise DownloadError(f"HTTP {status}", status)
        if self._machine.disk_is_full():
            raise OSError(errno.ENOSPC, "No space left on device")
        if self._machine.dead:
            return
        *_, house, name, place = url.split("/")
        data = b"<html>" if fault == "wrong" else self._houses[house].made[name].picture(int(place))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def _on_the_way(self, fault: str) -> Blocking:
        if fault == "refused":
            yield self._weather.latency()
            raise NotSentError("refused")
        if fault == "unreachable":
            yield CONNECT_SECONDS
            raise NotSentError("no connection")
        yield self._weather.latency()
        if fault == "hangs before":
            yield ANSWER_SECONDS

    def _arrive(self, house: House, call: Call, fault: str, counted: bool) -> Reply:
        """What a fault lets through reaches the provider as it is."""
        if fault[:3].isdecimal() and not fault.endswith("after"):
            return house.refuse(int(fault[:3]), "so said the weather", self._retry_after(fault))
        reply = house.answer(call, counted)
        if fault == "500 after":
            return Reply(502, b"<html>Bad Gateway</html>")
        if fault == "cut":
            return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        if fault == "wrong":
            return Reply(200, b"<html>Welcome to the hotel</html>")
        if fault == "empty":
            return Reply(200, b"{}")
        return house.without_links(reply) if fault == "no links" else reply

    def _retry_after(self, fault: str) -> str | None:
        return self._weather.retry_after() if fault.endswith("Retry-After") else None


def _kind(call: Call) -> str:
    if call.method == "PUT" or call.url in ("/upload/presign", "/files"):
        return "upload"
    if call.method == "POST" and not call.url.endswith("/cancel"):
        return "create"
    return "look"
