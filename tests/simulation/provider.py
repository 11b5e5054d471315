"""The scripted provider: it keeps the truth about what was created, and its limits to the letter."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling_pack.providers.base import Call, Limits, Reply

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c636868680000030401814bd3d2100000000049454e44ae426082"
)
"""A whole picture of one pixel. What follows its end tells whose it is."""

PRICES = {"eachlabs": "0.03", "modellix": "0.02", "apimodels": "0.025"}
"""USD a picture."""


@dataclass
class Made:
    """A task that a provider accepted: it is paid for, whatever becomes of it."""

    provider: str
    id: str
    tag: int
    count: int
    at: float
    ends_at: float
    fails: bool
    hook: str | None
    cancelled: bool = False

    def over(self, now: float) -> bool:
        return self.cancelled or now >= self.ends_at

    def for_nothing(self, now: float) -> bool:
        """Ended without a picture: the same request may be sent again."""
        return self.cancelled or (self.fails and now >= self.ends_at)

    @property
    def links(self) -> list[str]:
        return [f"https://cdn.test/{self.provider}/{self.id}/{place}" for place in range(self.count)]

    def picture(self, place: int) -> bytes:
        return PNG + f"|{self.provider}:{self.id}/{place}/{self.tag}".encode()


@dataclass
class House:
    """One provider. `now` is the time, `broken` hears of every promise that was broken towards it."""

    name: str
    limits: Limits
    now: Callable[[], float]
    broken: Callable[[str, str], None]
    lasts: Callable[[], tuple[float, bool]]
    """-> how long the next task takes, and whether it fails"""
    may_pay: Callable[[Made], None]
    made: dict[str, Made] = field(default_factory=dict)
    calls: deque[float] = field(default_factory=deque)
    files: int = 0

    def answer(self, call: Call, counted: bool) -> Reply:
        """What it says to a call that arrived. Calls that are not `counted` are let off the limit."""
        now = self.now()
        while self.calls and self.calls[0] <= now - 60.0:
            self.calls.popleft()
        if counted:
            self.calls.append(now)
        if len(self.calls) > self.limits.per_minute:
            self.broken("limits", f"{self.name} got {len(self.calls)} calls within a minute")
            return self.refuse(429, "too many calls")
        path, body = call.url, call.json or {}
        if found := re.fullmatch(_LOOK[self.name], path):
            task = self.made.get(found[1])
            if task is None:
                return self.refuse(404, "no such task")
            if call.method == "POST":
                task.cancelled = task.cancelled or not task.over(now)
                return _reply(200, {"status": "ok"})
            return self.tell(task)
        if call.method == "DELETE":
            return _reply(200, {})
        if path in ("/upload/presign", "/files"):
            self.files += 1
            up, link, name = "https://storage.test/up", f"https://cdn.test/in/{self.files}", f"f{self.files}"
            flat = {"presigned_url": up, "public_url": link, "id": name}
            return _reply(200, flat | {"code": 200, "data": {"uploadUrl": up, "publicUrl": link}})
        return self.create(body)

    def create(self, body: Mapping[str, Any]) -> Reply:
        now = self.now()
        given = body.get("input", body)
        flying = sum(not task.over(now) for task in self.made.values())
        if flying >= self.limits.in_flight:
            self.broken("limits", f"{self.name} was to run {flying + 1} tasks at once")
            return self.refuse(429, "too many tasks")
        seconds, fails = self.lasts()
        tag = int(str(given["prompt"]).split()[-1])
        count = int(given.get("n") or given.get("num_images") or given.get("number_of_images") or 1)
        hook = body.get("webhook_url") or body.get("callback_url")
        name = f"{self.name[0]}{len(self.made) + 1}"
        made = Made(self.name, name, tag, count, now, now + seconds, fails, hook and str(hook).rsplit("/", 1)[-1])
        self.may_pay(made)
        self.made[name] = made
        flat = {"status": "success", "predictionID": name}
        return _reply(200, flat if self.name == "eachlabs" else self.envelope({"task_id": name, "taskId": name}))

    def tell(self, task: Made) -> Reply:
        """How a task stands, in this provider's words."""
        running, done, failed = _WORDS[self.name]
        over = task.over(self.now())
        word = "cancelled" if task.cancelled else running if not over else failed if task.fails else done
        links = task.links if word == done else []
        if self.name == "eachlabs":
            return _reply(200, {"status": word, "output": links if links else {"message": "no"}})
        shown: dict[str, Any] = {"status": word, "state": word, "error_message": "it would not do"}
        if links:
            shown |= {"resultUrls": links, "result": {"resources": [{"url": link} for link in links]}}
        return _reply(200, self.envelope(shown))

    def without_links(self, reply: Reply) -> Reply:
        """The same answer of a task that is done, in a shape that nobody can read."""
        told = reply.json()
        inner = told.get("data", told)
        for name in ("output", "resultUrls", "result"):
            inner.pop(name, None)
        return _reply(reply.status, told)

    def envelope(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {"code": 0 if self.name == "modellix" else 200, "data": dict(data)}

    def refuse(self, status: int, why: str, retry_after: str | None = None) -> Reply:
        headers = {"retry-after": retry_after} if retry_after else {}
        return _reply(status, {"code": status, "message": why}, headers)


_LOOK = {
    "eachlabs": r"/prediction/([^/]+)(?:/cancel)?",
    "modellix": r"/tasks/(.+)",
    "apimodels": r"/images/generations\?task_id=(.+)",
}
_WORDS = {
    "eachlabs": ("processing", "success", "error"),
    "modellix": ("pending", "success", "failed"),
    "apimodels": ("pending", "success", "fail"),
}


def _reply(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(body).encode(), headers or {})
