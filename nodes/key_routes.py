"""Routes for the providers' keys. A key comes in once, by PUT; none ever goes out."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..catalog.models import PROVIDERS
from ..errors import InputError
from ..jobs.keys import remove_key, save_key, try_key
from . import session, views
from .answers import answering, from_this_machine, sent_json


def add_to(server: Any) -> None:
    """Adds the routes; ComfyUI serves each of them under /api as well."""
    server.routes.get("/kling/keys")(answering(_keys))
    server.routes.put("/kling/keys/{provider}")(answering(_save))
    server.routes.delete("/kling/keys/{provider}")(answering(_remove))
    server.routes.post("/kling/keys/{provider}/test")(answering(_test))


async def _keys(request: web.Request) -> dict[str, Any]:
    return views.keys(await session.settings_soon(), from_this_machine(request))


async def _save(request: web.Request) -> dict[str, Any]:
    """`{"key": "…"}`."""
    _only_here(request)
    body = await sent_json(request)
    provider, key = _provider(request), body.get("key")
    if not isinstance(key, str):
        raise InputError('The body must be {"key": the key}. Nothing was changed.')
    settings = await session.settings_soon()
    await asyncio.to_thread(save_key, settings.home, provider, key)
    return await _keys(request)


async def _remove(request: web.Request) -> dict[str, Any]:
    _only_here(request)
    await sent_json(request)
    settings = await session.settings_soon()
    await asyncio.to_thread(remove_key, settings.home, _provider(request))
    return await _keys(request)


async def _test(request: web.Request) -> dict[str, Any]:
    await sent_json(request)
    provider = _provider(request)
    settings = await session.settings_soon()
    tried = await asyncio.to_thread(try_key, settings.endpoints[provider])
    return {"verdict": tried.verdict.value, "reason": tried.reason}


def _only_here(request: web.Request) -> None:
    if not from_this_machine(request):
        raise web.HTTPForbidden(text="Keys are changed only in a browser on the machine that ComfyUI runs on.")


def _provider(request: web.Request) -> str:
    provider = request.match_info["provider"]
    if provider not in PROVIDERS:
        raise InputError(f"provider is {provider[:40]!r}; it must be one of {', '.join(PROVIDERS)}.")
    return provider
