"""``/sandbox/…``: what came in, and how the sandbox behaves from now on. JSON, for tests and the curious."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .behaviour import Behaviour
from .desk import Desk
from .tasks import Task


def control_routes(desk: Desk) -> list[web.RouteDef]:
    started_with = desk.behaviour

    async def stats(request: web.Request) -> web.Response:
        providers = {name: counts.to_json() for name, counts in desk.counts.items()}
        tasks = [_told(task, desk.tasks.state(task)) for task in desk.tasks]
        return web.json_response({"providers": providers, "tasks": tasks})

    async def behaviour(request: web.Request) -> web.Response:
        return web.json_response(desk.behaviour.to_json())

    async def behave(request: web.Request) -> web.Response:
        try:
            desk.behave(Behaviour.from_json(await request.json()))
        except (ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(desk.behaviour.to_json())

    async def reset(request: web.Request) -> web.Response:
        """Forgets tasks and counts, and behaves as at the start."""
        desk.forget_all()
        desk.behave(started_with)
        return web.json_response({})

    return [
        web.get("/sandbox/stats", stats),
        web.get("/sandbox/behaviour", behaviour),
        web.put("/sandbox/behaviour", behave),
        web.post("/sandbox/reset", reset),
    ]


def _told(task: Task, state: str) -> dict[str, Any]:
    return {
        "id": task.id,
        "provider": task.provider,
        "model": task.model,
        "operation": task.order.operation,
        "state": state,
        "created": task.created,
        "seconds": task.seconds,
        "n": task.order.n,
        "body": task.body,
        "headers": task.headers,
        "pictures": task.pictures,
    }
