"""What all dialects do: let keys in, turn a body into a task, find a task again, say where its pictures
are."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from ..behaviour import Fault
from ..fields import Asked, Field, check
from ..order import Order
from ..refusal import Refused
from ..service import Call, Service
from ..tasks import Result, Task
from ..webhooks import deliver

#: A string this long in a body is a picture, not a prompt.
LONGEST_TEXT = 4000
UNKNOWN_STATUS = "warming_up"


@dataclass(frozen=True)
class Row:
    """One model. ``bare`` is the operation when no picture is sent; ``ratio`` what an omitted aspect ratio
    means; ``rule`` raises Refused for what no single field can tell."""

    model: str
    operation: str
    fields: tuple[Field, ...]
    bare: str = ""
    ratio: str = "16:9"
    rule: Callable[[Asked], None] | None = None


@dataclass(frozen=True)
class Hook:
    url: str = ""
    secret: str = ""


class Dialect(Service):
    """``root`` is where the API starts; ``rows`` the models; ``takes_base64`` whether pictures may come
    inline."""

    root: str
    rows: ClassVar[dict[str, Row]]
    takes_base64 = False

    def key_of(self, request: web.Request) -> str:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    def new_id(self) -> str:
        raise NotImplementedError

    def hook_payload(self, task: Task, state: str, origin: str) -> dict[str, Any] | None:
        """What is posted when a task ended; None where this provider posts nothing."""
        return None

    def admit(self, request: web.Request) -> str:
        key = self.key_of(request)
        if not key or not self.desk.behaviour.accepts(self.name, key):
            raise Refused(401, "Invalid or missing API key")
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        self.desk.admit_call(self.name, digest)
        return digest

    def row(self, model: str) -> Row:
        if model not in self.rows:
            raise Refused(404, f"model {model} not found", "model")
        return self.rows[model]

    async def accept(
        self, call: Call, row: Row, inputs: dict[str, Any], body: dict[str, Any], hook: Hook | None = None
    ) -> Task:
        """Checks ``inputs`` by the row and starts a task, or raises Refused. From here on it is paid."""
        asked = check(row.fields, inputs)
        if row.rule:
            row.rule(asked)
        intake = await self.desk.reader.read(asked.sources, self.takes_base64)
        self.desk.admit_task(self.name, call.key)
        task_id, now = self.new_id(), time.time()
        order = _order(row, asked, task_id)
        seconds = self.desk.behaviour.pick_seconds(self.name, order.n, self.desk.rng)
        task = Task(
            id=task_id, provider=self.name, model=row.model, key=call.key, created=now, seconds=seconds,
            order=order, pictures=intake.pictures, uploads=intake.uploads,
            body=shortened(body), headers=tuple(sorted(call.request.headers)),
            faults=(*_lasting(call.faults), *self._outlived(intake.uploads, now + seconds)),
            webhook=hook.url if hook else "", webhook_secret=hook.secret if hook else "",
        )  # fmt: skip
        task = self.desk.tasks.add(task)
        self._count()
        if task.webhook:
            self.desk.run(self._announce(task, call.origin))
        return task

    async def look_up(self, call: Call, task_id: str) -> tuple[Task, str]:
        """The task and its state now (`Tasks.state`, or ``unknown``); raises Refused (404) when there is
        none."""
        task = self.desk.tasks.find(task_id, self.name)
        if task is None:
            raise Refused(404, "Task not found", "task")
        if failing := next((fault for fault in call.faults if fault.fault == "task_failed"), None):
            task = self.desk.tasks.fail(task, failing)
        task = await self.desk.tasks.settle(task)
        state = self.desk.tasks.state(task)
        return task, "unknown" if _is_unknown(call, task, state) else state

    def links(self, task: Task, origin: str) -> list[tuple[str, Result]]:
        """The pictures of a task that is done, with signed links."""
        root = f"{origin}/{self.name}/results/{task.id}"
        return [
            (f"{root}/{result.path.name}?token={task.token}{task.links}", result)
            for result in self.desk.tasks.results(task)
        ]

    def shape(self, task: Task, faults: Sequence[Fault], default: str) -> str:
        """The shape a fault asks for: string, list, object or objects."""
        for fault in (*faults, *task.faults):
            kind, _, form = fault.fault.partition(":")
            if kind == "shape":
                return form
        return default

    def _outlived(self, uploads: tuple[str, ...], until: float) -> tuple[Fault, ...]:
        """An upload whose life ends before the task does lets the task fail."""
        files = (self.desk.uploads.find(upload_id) for upload_id in uploads)
        late = any(upload and upload.expires < until for upload in files)
        return (Fault("task_failed", reason="Failed to download input: the file has expired"),) if late else ()

    def _count(self) -> None:
        counts, tasks = self.desk.counts[self.name], self.desk.tasks
        counts.creates_accepted += 1
        keys = {task.key for task in tasks if task.provider == self.name}
        counts.most_in_flight = max(counts.most_in_flight, *(tasks.in_flight(self.name, key) for key in keys))

    async def _announce(self, task: Task, origin: str) -> None:
        await asyncio.wait({self.desk.tasks.paint(task)})
        await asyncio.sleep(max(0.0, task.ends - time.time()))
        task = await self.desk.tasks.settle(task)
        payload = self.hook_payload(task, self.desk.tasks.state(task), origin)
        if payload is not None:
            self.desk.counts[self.name].webhooks += await deliver(
                self.desk.session, task.webhook, payload, task.webhook_secret
            )


def shaped(urls: list[str], shape: str) -> Any:
    """Result links as string (the first), list, object ({url} of the first) or objects (list of {url})."""
    match shape:
        case "string":
            return urls[0]
        case "object":
            return {"url": urls[0]}
        case "objects":
            return [{"url": url} for url in urls]
    return urls


def shortened(value: Any) -> Any:
    """A body with every inline picture as its digest."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        try:
            data = base64.b64decode(value, validate=True)
        except binascii.Error:
            data = value.encode()
        return f"sha256:{hashlib.sha256(data).hexdigest()} ({len(data)} bytes)"
    return value


def _order(row: Row, asked: Asked, salt: str) -> Order:
    operation = row.operation if asked.sources or not row.bare else row.bare
    values = {"ratio": row.ratio} | dict(asked.values)
    if operation == "text" and values["ratio"] == "auto":
        values["ratio"] = "16:9"
    values["resolution"] = str(values.get("resolution", "1k")).lower()
    return Order(operation, salt, **values, roles=tuple(source.role for source in asked.sources))


def _is_unknown(call: Call, task: Task, state: str) -> bool:
    """Whether this answer is to carry a status word that nobody documents."""
    odd = (*call.faults, *task.faults) if state in ("queued", "running") else call.faults
    return any(fault.fault == "unknown_status" for fault in odd)


def _lasting(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(fault for fault in faults if fault.fault != "no_id")
