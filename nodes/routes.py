"""The pack's HTTP routes on ComfyUI's server: JSON, and nothing changes by GET."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from ..errors import InputError, KlingError
from ..jobs.states import State
from ..jobs.work import Handle, read_handles
from . import session, views

MOST_TASKS = 1000
LARGEST_BODY = 64 * 1024


def add_to(server: Any) -> None:
    """Adds the routes; ComfyUI serves each of them under /api as well."""
    server.routes.get("/kling/catalog")(_catalog)
    server.routes.get("/kling/tasks")(_tasks)
    server.routes.post("/kling/tasks/{handle}/cancel")(_cancel)
    server.routes.post("/kling/tasks/{handle}/resolve")(_resolve)


async def _catalog(request: web.Request) -> web.Response:
    _only_own_pages(request)
    try:
        settings = await asyncio.to_thread(session.settings_now)
    except KlingError as error:
        return _problem(error, 500)
    return web.json_response(views.catalog(settings))


async def _tasks(request: web.Request) -> web.Response:
    _only_own_pages(request)
    state = request.query.get("state")
    limit = request.query.get("limit", "100")
    if state is not None and state not in {known.value for known in State}:
        return _problem(
            KlingError(f"state is {state[:40]!r}; it must be one of {', '.join(s.value for s in State)}."),
            400,
        )
    if not re.fullmatch("[0-9]{1,4}", limit) or not 1 <= int(limit) <= MOST_TASKS:
        return _problem(KlingError(f"limit is {limit[:40]!r}; it must be a whole number from 1 to {MOST_TASKS}."), 400)
    try:
        settings = await asyncio.to_thread(session.settings_now)
        engine = await asyncio.to_thread(session.engine, settings)
        found = await asyncio.wrap_future(engine.tasks(int(limit), State(state) if state else None))
    except KlingError as error:
        return _problem(error, 500)
    return web.json_response({"tasks": [views.task_row(task) for task in found]})


async def _cancel(request: web.Request) -> web.Response:
    try:
        await _own_json(request)
        handle = _handle(request)
        engine = await asyncio.to_thread(session.engine, await asyncio.to_thread(session.settings_now))
        return web.json_response({"message": await asyncio.wrap_future(engine.cancel(handle))})
    except KlingError as error:
        return _problem(error, 400)


async def _resolve(request: web.Request) -> web.Response:
    """`{"id": "…"}` found at the provider, or `{"created": false}`."""
    try:
        body = await _own_json(request)
        handle = _handle(request)
        found = body.get("id")
        if not (isinstance(found, str) and found) and body.get("created") is not False:
            raise InputError('The body must be {"id": the provider\'s id} or {"created": false}. Nothing was changed.')
        engine = await asyncio.to_thread(session.engine, await asyncio.to_thread(session.settings_now))
        task = await asyncio.wrap_future(engine.resolve(handle, found if isinstance(found, str) else None))
    except KlingError as error:
        return _problem(error, 400)
    return web.json_response({"task": views.task_row(task)})


def _handle(request: web.Request) -> Handle:
    return read_handles(request.match_info["handle"])[0]


def _only_own_pages(request: web.Request) -> None:
    """Raises HTTPForbidden for a page of another server.

    ComfyUI drops its own check of origins under --enable-cors-header, so it is made here again.
    """
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise web.HTTPForbidden(text="Only ComfyUI's own pages may do this.")


async def _own_json(request: web.Request) -> dict[str, Any]:
    """The JSON object that a page of this very server sent. Raises HTTPForbidden or InputError."""
    _only_own_pages(request)
    if request.content_type != "application/json":
        raise InputError("The request must be JSON. Nothing was changed.")
    sent = bytearray()
    # Counted as it comes: a body in chunks does not say its size, and ComfyUI takes a hundred megabytes.
    async for piece in request.content.iter_any():
        sent += piece
        if len(sent) > LARGEST_BODY:
            raise InputError(f"The request has more than {LARGEST_BODY} bytes. Nothing was changed.")
    try:
        body = json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise InputError("The request is not JSON. Nothing was changed.") from error
    if not isinstance(body, dict):
        raise InputError("The request must be a JSON object. Nothing was changed.")
    return body


def _problem(error: KlingError, status: int) -> web.Response:
    return web.json_response({"error": type(error).__name__, "message": str(error)}, status=status)
