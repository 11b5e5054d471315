"""A service is a set of routes with one way to let requests in and one way to refuse them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .behaviour import Fault
from .desk import Desk
from .refusal import Refused


@dataclass(frozen=True)
class Call:
    """One request that was let in. ``key`` is a hash, empty where no key is asked for; ``faults`` are
    oddities only."""

    request: web.Request
    key: str
    faults: tuple[Fault, ...] = ()

    @property
    def origin(self) -> str:
        """Links are made from the address the request came in on, so they hold after a restart on another
        port."""
        return f"{self.request.scheme}://{self.request.host}"

    def part(self, name: str) -> str:
        return self.request.match_info[name]

    async def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Raises Refused (400) for anything else."""
        try:
            if self.request.content_type != "application/json":
                raise Refused(400, "Content-Type must be application/json")
            body = json.loads(await self.request.read())
        except ValueError as error:
            raise Refused(400, "the body is not valid JSON") from error
        if not isinstance(body, dict):
            raise Refused(400, "the body must be a JSON object")
        return body


@dataclass(frozen=True)
class Route:
    """``operation`` is one of `behaviour.OPERATIONS`, or empty for what no fault can hit."""

    method: str
    path: str
    operation: str
    handler: Callable[[Call], Awaitable[web.Response]]


class Service:
    """``name`` is the provider whose counts and faults apply."""

    name: str

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def admit(self, request: web.Request) -> str:
        """Lets a request in and returns the hash of its key; raises Refused."""
        raise NotImplementedError

    def refusal(self, refused: Refused) -> web.Response:
        raise NotImplementedError
