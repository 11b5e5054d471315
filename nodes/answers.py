"""How the pack's routes answer: JSON, errors in words, and only to ComfyUI's own pages."""

from __future__ import annotations

import functools
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from ..errors import InputError, KlingError

LARGEST_BODY = 64 * 1024
FORWARDED = ("forwarded", "via", "x-real-ip", "client-ip", "true-client-ip")
FORWARDED_PREFIXES = ("x-forwarded", "cf-", "x-original-", "fly-")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Told = Callable[[web.Request], Awaitable[Mapping[str, Any] | web.StreamResponse]]


def answering(handler: Told) -> Handler:
    """What the handler returns, as JSON; what it raises, as 400 where the question was wrong, else 500.

    Only pages of this very server are answered.
    """

    @functools.wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        _only_own_pages(request)
        try:
            told = await handler(request)
        except KlingError as error:
            status = 400 if isinstance(error, InputError) else 500
            return web.json_response({"error": type(error).__name__, "message": str(error)}, status=status)
        return told if isinstance(told, web.StreamResponse) else web.json_response(told)

    return answer


async def sent_json(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises InputError."""
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


def _only_own_pages(request: web.Request) -> None:
    """Raises HTTPForbidden for a page of another server.

    ComfyUI drops its own check of origins under --enable-cors-header, so it is made here again.
    """
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise web.HTTPForbidden(text="Only ComfyUI's own pages may do this.")


def from_this_machine(request: web.Request) -> bool:
    """Whether the request came from this machine, to a name of this machine, through nobody else.

    The name is checked because a foreign page can let its own name point here; what a proxy adds, because behind one
    every peer looks near.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    near = isinstance(peer, tuple) and _is_loopback(str(peer[0]))
    host = urlsplit(f"//{request.host}").hostname or ""
    forwarded = any(
        name.lower() in FORWARDED or name.lower().startswith(FORWARDED_PREFIXES) for name in request.headers
    )
    return near and (host == "localhost" or _is_loopback(host)) and not forwarded


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
