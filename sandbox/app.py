"""The path of one request: count it, let a fault strike, let it in, answer, let a fault spoil the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from .behaviour import ODDITIES, REFUSALS, Fault
from .control import control_routes
from .desk import Desk
from .dialects.apimodels import Apimodels
from .dialects.eachlabs import Eachlabs
from .dialects.modellix import Modellix
from .faults import abort, spoiled
from .intake import LOOPBACK
from .refusal import Refused
from .service import Call, Route, Service
from .storage import Storage

#: Ten pictures of 10 MB as Base64, and room.
LARGEST_REQUEST = 160_000_000
DIALECTS = (Eachlabs, Modellix, Apimodels)
ROOTS = {dialect.name: dialect.root for dialect in DIALECTS}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(desk: Desk) -> web.Application:
    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[from_this_machine])
    for dialect in DIALECTS:
        api, storage = dialect(desk), Storage(desk, dialect.name)
        for service in (api, storage):
            for route in service.routes():
                app.router.add_route(route.method, route.path, endpoint(desk, service, route))
        elsewhere = Route("*", dialect.root + "/{path:.*}", "", no_such_path)
        app.router.add_route(elsewhere.method, elsewhere.path, endpoint(desk, api, elsewhere))
    app.add_routes(control_routes(desk))
    return app


async def no_such_path(call: Call) -> web.Response:
    raise Refused(404, f"no such path: {call.request.method} {call.request.path}", "path")


@web.middleware
async def from_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No web page may reach the sandbox: neither under a foreign name nor across origins."""
    host = request.url.host or ""
    if host not in LOOPBACK or "Origin" in request.headers:
        raise web.HTTPForbidden(text="The sandbox answers programs on this machine only.")
    return await handler(request)


def endpoint(desk: Desk, service: Service, route: Route) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        counts = desk.counts[service.name]
        counts.count(route.operation)
        faults = desk.dice.draw(service.name, route.operation)
        counts.faults.update(fault.fault for fault in faults)
        loud = next((fault for fault in faults if fault.fault not in ODDITIES), None)
        if loud and loud.fault == "drop_before":
            return abort(request)
        try:
            key = service.admit(request)
            if loud and loud.fault in REFUSALS:
                raise _refusal_by(loud, route)
            odd = tuple(fault for fault in faults if fault is not loud)
            response = await route.handler(Call(request, key, odd))
            if loud and loud.fault == "error_after":
                raise Refused(502, "upstream connect error")
        except Refused as refused:
            counts.refuse(refused.status, refused.detail, route.operation == "create" and not _acted(loud))
            response = service.refusal(refused)
        except web.HTTPRequestEntityTooLarge:
            counts.refuse(413, "the body is too large", route.operation == "create")
            response = service.refusal(Refused(413, "the body is too large"))
        strange = loud or next((fault for fault in faults if fault.fault == "no_id"), None)
        return await spoiled(request, response, strange) if strange else response

    return answer


def _acted(loud: Fault | None) -> bool:
    return loud is not None and loud.fault == "error_after"


def _refusal_by(fault: Fault, route: Route) -> Refused:
    if fault.fault == "rate_limited":
        return Refused(429, "Rate limit exceeded", "rate", fault.retry_after)
    if fault.fault == "no_credit":
        return Refused(402, "the estimated cost of your in-flight executions exceeds your current balance")
    status = int(fault.fault.removeprefix("http_"))
    topic = {404: "model" if route.operation == "create" else "task"}.get(status, "")
    return Refused(status, "as the sandbox was told to answer", topic)
