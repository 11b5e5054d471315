"""The pack's files for the editor, which a browser is told to look at anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

WEB = Path(__file__).resolve().parents[1] / "web"


def add_to(server: Any) -> None:
    """ComfyUI tells so for .js and .css alone: after an update a browser would mix new files with .mjs it has kept."""
    server.app.on_response_prepare.append(_look_anew)


async def _look_anew(request: web.Request, response: web.StreamResponse) -> None:
    resource = request.match_info.route.resource
    if resource is not None and resource.get_info().get("directory") == WEB:
        response.headers.setdefault("Cache-Control", "no-cache")
