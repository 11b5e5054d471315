"""Where a provider may say that a task has ended. It is only a reason to look: nothing that it sends is read."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from ..catalog.models import PROVIDERS
from . import session

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


def add_to(server: Any) -> None:
    """Adds `POST /kling/hooks/{provider}/{token}`."""
    server.routes.post("/kling/hooks/{provider}/{token}")(_hook)


async def _hook(request: web.Request) -> web.Response:
    """Answers the same to everybody, so that nobody learns which tokens there are. Starts no engine."""
    provider, token = request.match_info["provider"], request.match_info["token"]
    if provider in PROVIDERS and TOKEN.fullmatch(token):
        for engine in session.engines():
            engine.wake(provider, token)
    return web.Response(status=204)
