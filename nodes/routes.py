"""The pack's HTTP routes on ComfyUI's server: the catalogue, the tasks and what they cost."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from ..errors import InputError
from ..jobs.board import newest, one
from ..jobs.collect import kept_files
from ..jobs.engine import Engine
from ..jobs.pool import Pool
from ..jobs.settings import Settings
from ..jobs.spend import spend
from ..jobs.states import State
from ..jobs.task import Result, Task
from ..jobs.thumbnails import MEDIA_TYPE, thumbnail
from ..jobs.work import Handle, read_handles
from . import host, key_routes, session, views
from .answers import answering, sent_json

if TYPE_CHECKING:
    from ..jobs.ledger import Ledger

MOST_TASKS = 1000
THREADS = Pool("kling-thumbnail", 2)
Answer = TypeVar("Answer")


def add_to(server: Any) -> None:
    """Adds the routes; ComfyUI serves each of them under /api as well."""
    server.routes.get("/kling/catalog")(answering(_catalog))
    server.routes.get("/kling/spend")(answering(_spend))
    server.routes.get("/kling/tasks")(answering(_tasks))
    server.routes.get("/kling/tasks/{handle}")(answering(_task))
    server.routes.get("/kling/tasks/{handle}/thumbnail")(answering(_thumbnail))
    server.routes.post("/kling/tasks/{handle}/cancel")(answering(_cancel))
    server.routes.post("/kling/tasks/{handle}/resolve")(answering(_resolve))
    server.routes.post("/kling/tasks/{handle}/input")(answering(_input))
    key_routes.add_to(server)


async def _catalog(request: web.Request) -> dict[str, Any]:
    return views.catalog(await session.settings_soon())


async def _spend(request: web.Request) -> dict[str, Any]:
    settings = await session.settings_soon()
    engine = await asyncio.to_thread(session.engine, settings)
    return views.spent(await _look(engine, lambda ledger: spend(ledger, time.time())), settings)


async def _tasks(request: web.Request) -> dict[str, Any]:
    state = request.query.get("state")
    limit = request.query.get("limit", "100")
    if state is not None and state not in {known.value for known in State}:
        raise InputError(f"state is {state[:40]!r}; it must be one of {', '.join(s.value for s in State)}.")
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST_TASKS:
        raise InputError(f"limit is {limit[:40]!r}; it must be a whole number from 1 to {MOST_TASKS}.")
    wanted = State(state) if state else None
    found = await _look(await session.engine_soon(), lambda ledger: newest(ledger, int(limit), wanted))
    return {"tasks": [views.task_row(seen) for seen in found]}


async def _task(request: web.Request) -> dict[str, Any]:
    """One task with the request as it was meant."""
    handle = _handle(request)

    def look(ledger: Ledger) -> dict[str, Any]:
        task = _known(ledger, handle)
        return views.task_row(one(ledger, task)) | {"request": dict(ledger.asked(task))}

    return {"task": await _look(await session.engine_soon(), look)}


async def _thumbnail(request: web.Request) -> web.Response:
    """A small WebP of the task's first picture; 404 where none is kept."""
    _, results, files = await _kept(request)
    if not files:
        raise web.HTTPNotFound(text="No picture of this task is kept.")
    small = await asyncio.wrap_future(THREADS.submit(thumbnail, files[0], results[0].digest))
    return web.Response(body=small, content_type=MEDIA_TYPE, headers={"Cache-Control": "private, max-age=86400"})


async def _cancel(request: web.Request) -> dict[str, Any]:
    await sent_json(request)
    handle = _handle(request)
    return {"message": await asyncio.wrap_future((await session.engine_soon()).cancel(handle))}


async def _resolve(request: web.Request) -> dict[str, Any]:
    """`{"id": "…"}` found at the provider, or `{"created": false}`."""
    body = await sent_json(request)
    handle = _handle(request)
    found = body.get("id")
    if not (isinstance(found, str) and found) and body.get("created") is not False:
        raise InputError('The body must be {"id": the provider\'s id} or {"created": false}. Nothing was changed.')
    engine = await session.engine_soon()
    task = await asyncio.wrap_future(engine.resolve(handle, found if isinstance(found, str) else None))
    return {"task": views.task_row(await _look(engine, lambda ledger: one(ledger, task)))}


async def _input(request: web.Request) -> dict[str, Any]:
    """Copies the kept pictures to where LoadImage finds them, under names made from the handle."""
    await sent_json(request)
    task, _, files = await _kept(request)
    if not files:
        raise InputError(f"No picture of {task.handle} is kept. Kling Poll with its handle fetches it anew.")
    return {"files": await asyncio.wrap_future(THREADS.submit(_copy, task, files, host.input_folder()))}


def _copy(task: Task, files: tuple[Path, ...], folder: Path) -> list[str]:
    name = task.handle.replace(":", "-").replace("~", "")
    copied = []
    for place, file in enumerate(files, start=1):
        target = folder / f"kling-{name}-{place}{file.suffix}"
        shutil.copyfile(file, target)
        copied.append(target.name)
    return copied


async def _kept(request: web.Request) -> tuple[Task, tuple[Result, ...], tuple[Path, ...]]:
    """A task, its results and their files, which are none when one of them is missing."""
    handle = _handle(request)

    def look(ledger: Ledger) -> tuple[Task, tuple[Result, ...]]:
        task = _known(ledger, handle)
        return task, ledger.results(task)

    settings: Settings = await session.settings_soon()
    engine = await asyncio.to_thread(session.engine, settings)
    task, results = await _look(engine, look)
    return task, results, await asyncio.to_thread(kept_files, results, settings)


def _known(ledger: Ledger, handle: Handle) -> Task:
    task = ledger.by_handle(handle.provider, handle.name)
    if task is None:
        raise InputError(f"task is {handle}, which is not in this ledger. Nothing was changed and nothing was paid.")
    return task


def _handle(request: web.Request) -> Handle:
    return read_handles(request.match_info["handle"])[0]


async def _look(engine: Engine, into: Callable[[Ledger], Answer]) -> Answer:
    return await asyncio.wrap_future(engine.look(into))
