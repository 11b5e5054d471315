"""Tasks: kept in files, painted when created, and answered for by the clock."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from .behaviour import Fault
from .files import Pictures, read_json, write_bytes, write_json
from .order import Order
from .painter import paint
from .pictures import opened

#: A poll waits this long (s) for a picture that is late, so that short tasks end exactly when they should.
LATE_PAINT = 5.0


@dataclass(frozen=True)
class Task:
    """``body`` is what came in, Base64 shortened; ``key`` a hash; times are epoch seconds; ``links`` counts
    how often its result links were renewed; ``uploads`` are the files it reads; ``faults`` are what goes
    wrong with it."""

    id: str
    provider: str
    model: str
    key: str
    created: float
    seconds: float
    order: Order
    pictures: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    webhook: str = ""
    webhook_secret: str = ""
    token: str = ""
    links: int = 0
    cancelled: float | None = None

    @property
    def ends(self) -> float:
        return self.created + self.seconds

    @property
    def failure(self) -> Fault | None:
        return next((fault for fault in self.faults if fault.fault == "task_failed"), None)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Task:
        order = Order(**record["order"] | {"roles": tuple(record["order"]["roles"])})
        faults = tuple(Fault(**fault) for fault in record["faults"])
        lists = {name: tuple(record[name]) for name in ("pictures", "uploads", "headers")}
        return cls(**record | lists | {"order": order, "faults": faults})


@dataclass(frozen=True)
class Result:
    path: Path
    width: int
    height: int
    format: str


class Tasks:
    """The tasks under ``folder``; pictures are painted on ``pool``, anew for every task unless ``repaint`` is off.
    Used from one event loop."""

    def __init__(self, folder: Path, pictures: Pictures, pool: Executor) -> None:
        self.folder = folder
        self.pictures = pictures
        self.repaint = True
        self._stocking = threading.Lock()
        self._stock: dict[tuple[Order, tuple[str, ...]], list[bytes]] = {}
        self._pool = pool
        self._known: dict[str, Task] = {}
        self._painting: dict[str, asyncio.Future[None]] = {}
        for path in folder.glob("*.json"):
            if record := read_json(path):
                self._known[path.stem] = Task.from_json(record)

    def __iter__(self) -> Iterator[Task]:
        return iter(sorted(self._known.values(), key=lambda task: task.created))

    def find(self, task_id: str, provider: str) -> Task | None:
        task = self._known.get(task_id)
        return task if task and task.provider == provider else None

    def add(self, task: Task) -> Task:
        task = replace(task, token=secrets.token_hex(8))
        self._write(task)
        self.paint(task)
        return task

    def paint(self, task: Task) -> asyncio.Future[None]:
        """Starts painting unless the pictures are there or under way."""
        if task.id not in self._painting:
            loop = asyncio.get_running_loop()
            self._painting[task.id] = loop.run_in_executor(self._pool, self._paint, task)
        return self._painting[task.id]

    def state(self, task: Task) -> str:
        """queued, running, done, failed or cancelled, now."""
        now = time.time()
        if task.cancelled is not None:
            return "cancelled"
        if now < task.ends:
            return "queued" if now < task.created + task.seconds / 4 else "running"
        if task.failure:
            return "failed"
        return "done" if self._results(task).is_dir() else "running"

    def resume(self) -> None:
        """Paints what an earlier run of the sandbox did not get to."""
        for task in self:
            if not self._results(task).is_dir():
                self.paint(task)

    async def settle(self, task: Task) -> Task:
        """The task, after a moment's wait when its time is over and its pictures are not there yet."""
        if task.cancelled is None and not task.failure and time.time() >= task.ends:
            painting = self.paint(task)
            await asyncio.wait({painting}, timeout=LATE_PAINT)
            if painting.done() and (error := painting.exception()):
                self.fail(task, Fault("task_failed", reason=f"Painting failed: {error}"))
        return self._known.get(task.id, task)

    def in_flight(self, provider: str, key: str) -> int:
        mine = (task for task in self._known.values() if task.provider == provider and task.key == key)
        return sum(self.state(task) in ("queued", "running") for task in mine)

    def results(self, task: Task) -> list[Result]:
        found = []
        for path in sorted(self._results(task).iterdir()):
            with Image.open(path) as image:
                found.append(Result(path, image.width, image.height, path.suffix[1:]))
        return found

    def cancel(self, task: Task) -> Task:
        return self._write(replace(task, cancelled=time.time()))

    def fail(self, task: Task, fault: Fault) -> Task:
        return self._write(replace(task, faults=(*task.faults, fault)))

    def renew_links(self, task: Task) -> Task:
        """The links given out so far end; the next poll gives new ones."""
        spent = tuple(fault for fault in task.faults if fault.fault != "expired_link")
        return self._write(replace(task, links=task.links + 1, faults=spent))

    def lose_upload(self, upload_id: str) -> None:
        """A running task that reads an upload which is deleted too early fails, as it does at a real
        provider."""
        for task in list(self._known.values()):
            if upload_id in task.uploads and self.state(task) in ("queued", "running"):
                self.fail(task, Fault("task_failed", reason="Failed to download input: the file is gone"))

    def clean(self, before: float) -> None:
        for task in list(self._known.values()):
            if task.ends < before:
                self.forget(task)

    def forget(self, task: Task) -> None:
        self._known.pop(task.id, None)
        if painting := self._painting.pop(task.id, None):
            painting.cancel()
        (self.folder / f"{task.id}.json").unlink(missing_ok=True)
        shutil.rmtree(self._results(task), ignore_errors=True)

    def _paint(self, task: Task) -> None:
        target = self._results(task)
        if target.is_dir():
            return
        painted = self._painted(task) if self.repaint else self._from_stock(task)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        for index, data in enumerate(painted):
            write_bytes(part / f"{index}.{task.order.format}", data)
        if task.id in self._known:
            part.rename(target)
        else:
            shutil.rmtree(part)

    def _painted(self, task: Task) -> list[bytes]:
        return paint(task.order, [opened(self.pictures.read(digest)) for digest in task.pictures])

    def _from_stock(self, task: Task) -> list[bytes]:
        """The pictures of the first order that differs from this one in its words alone."""
        alike = replace(task.order, salt="", prompt="", negative=""), task.pictures
        with self._stocking:
            if alike not in self._stock:
                self._stock[alike] = self._painted(task)
            return self._stock[alike]

    def _results(self, task: Task) -> Path:
        return self.folder.parent / "results" / task.id

    def _write(self, task: Task) -> Task:
        self._known[task.id] = task
        write_json(self.folder / f"{task.id}.json", asdict(task))
        return task
