"""A provider's file hosts: where uploads are put, and where they and results are fetched. No key belongs
here."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .desk import Desk
from .faults import odd_picture
from .refusal import Refused
from .service import Call, Route, Service

CONTENT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
CODES = {400: "InvalidRequest", 403: "AccessDenied", 404: "NoSuchKey"}


class Storage(Service):
    def __init__(self, desk: Desk, provider: str) -> None:
        super().__init__(desk)
        self.name = provider

    def routes(self) -> list[Route]:
        root = f"/{self.name}"
        return [
            Route("PUT", root + "/storage/{name}", "put", self.put),
            Route("GET", root + "/cdn/uploads/{name}", "", self.fetch),
            Route("GET", root + "/results/{task}/{name}", "download", self.download),
        ]

    def admit(self, request: web.Request) -> str:
        """Signed links are the whole right; a host of signed links answers 400 where a second one comes
        along."""
        if "Authorization" in request.headers or "X-API-Key" in request.headers:
            self.desk.counts[self.name].keys_leaked += 1
            raise Refused(400, "Only one auth mechanism allowed: this link must not be sent a key")
        return ""

    def refusal(self, refused: Refused) -> web.Response:
        code = CODES.get(refused.status, "InternalError")
        text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{refused.detail}</Message></Error>'
        return web.Response(status=refused.status, text=text, content_type="application/xml")

    async def put(self, call: Call) -> web.Response:
        upload = self.desk.uploads.find(call.part("name").rpartition(".")[0])
        if not upload or upload.provider != self.name or call.request.query.get("X-Amz-Signature") != upload.token:
            raise Refused(403, "SignatureDoesNotMatch")
        file_id = call.request.headers.get("x-amz-meta-file-id")
        if self.name == "eachlabs" and file_id != upload.id:
            raise Refused(403, "SignatureDoesNotMatch: the required headers are missing")
        data = await call.request.read()
        await asyncio.to_thread(self.desk.uploads.store, upload, call.request.headers.get("Content-Type", ""), data)
        return web.Response()

    async def fetch(self, call: Call) -> web.Response:
        upload = self.desk.uploads.at(call.request.path)
        if upload is None:
            raise Refused(404, "The specified key does not exist.")
        data = await asyncio.to_thread(self.desk.uploads.read, upload)
        return web.Response(body=data, content_type=upload.content_type)

    async def download(self, call: Call) -> web.Response:
        tasks = self.desk.tasks
        task = tasks.find(call.part("task"), self.name)
        index = call.part("name").partition(".")[0]
        if task is None or tasks.state(task) != "done" or not index.isdecimal():
            raise Refused(404, "The specified key does not exist.")
        faults = [*task.faults, *call.faults]
        if call.request.query.get("token") != f"{task.token}{task.links}":
            raise Refused(403, "Request has expired")
        if expired := next((fault for fault in faults if fault.fault == "expired_link"), None):
            tasks.renew_links(task)
            raise Refused(expired.status, "Request has expired")
        results = tasks.results(task)
        if int(index) >= len(results):
            raise Refused(404, "The specified key does not exist.")
        result = results[int(index)]
        data = await asyncio.to_thread(result.path.read_bytes)
        data = await asyncio.to_thread(odd_picture, data, int(index), faults)
        return web.Response(body=data, content_type=CONTENT_TYPES[result.format])
