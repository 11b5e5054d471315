"""The pack's HTTP routes on ComfyUI's server: JSON, and nothing changes by GET."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..errors import KlingError
from ..jobs.states import State
from . import session, views

MOST_TASKS = 1000


def add_to(server: Any) -> None:
    """Adds the routes; ComfyUI serves each of them under /api as well."""
    server.routes.get("/kling/catalog")(_catalog)
    server.routes.get("/kling/tasks")(_tasks)


async def _catalog(request: web.Request) -> web.Response:
    try:
        settings = await asyncio.to_thread(session.settings_now)
    except KlingError as error:
        return _problem(error, 500)
    return web.json_response(views.catalog(settings))


async def _tasks(request: web.Request) -> web.Response:
    state = request.query.get("state")
    limit = request.query.get("limit", "100")
    if state is not None and state not in {known.value for known in State}:
        return _problem(
            KlingError(f"state is {state[:40]!r}; it must be one of {', '.join(s.value for s in State)}."),
            400,
        )
    if not limit.isdigit() or not 1 <= int(limit) <= MOST_TASKS:
        return _problem(KlingError(f"limit is {limit[:40]!r}; it must be a whole number from 1 to {MOST_TASKS}."), 400)
    try:
        settings = await asyncio.to_thread(session.settings_now)
        engine = await asyncio.to_thread(session.engine, settings)
        found = await asyncio.wrap_future(engine.tasks(int(limit), State(state) if state else None))
    except KlingError as error:
        return _problem(error, 500)
    return web.json_response({"tasks": [views.task_row(task) for task in found]})


def _problem(error: KlingError, status: int) -> web.Response:
    return web.json_response({"error": type(error).__name__, "message": str(error)}, status=status)
