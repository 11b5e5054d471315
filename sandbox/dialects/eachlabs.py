"""EachLabs: ``POST /prediction/`` with the inputs one level down, files by presigned link, no inline
pictures.

Errors come in two shapes there. The model's page shows ``{"status":"error","message","details"}`` (bad input,
unknown model), the reference ``{"error", …}``, with ``status`` as a number where an account is full or out of
credit.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any, ClassVar

from aiohttp import web

from ..behaviour import Fault
from ..fields import Choice, Number, Picture, Pictures, Text, Whole, check
from ..refusal import Refused
from ..service import Call, Route
from ..tasks import Task
from .dialect import UNKNOWN_STATUS, Dialect, Hook, Row, shaped
from .kling import EIGHT_RATIOS

ROWS = (
    Row(
        "kling-v1-5-img-to-img",
        "image",
        (
            Text(name="prompt", means="prompt", required=True, least=1),
            Picture(name="image", required=True),
            Choice(name="model", options=("kling-v1-5",), required=True),
            Choice(name="image_reference", means="reference", options=("face", "subject")),
            Number(name="image_fidelity", means="fidelity"),
            Number(name="human_fidelity", means="human_fidelity"),
            Choice(name="aspect_ratio", means="ratio", options=EIGHT_RATIOS),
            Whole(name="number_of_images", means="n"),
        ),
    ),
    Row(
        "kling-o1",
        "edit",
        (
            Text(name="prompt", means="prompt", required=True, least=1),
            Pictures(name="image_urls", required=True),
            Choice(name="resolution", means="resolution", options=("1K", "2K")),
            Whole(name="num_images", means="n"),
            Choice(name="aspect_ratio", means="ratio", options=("auto", *EIGHT_RATIOS)),
            Choice(name="output_format", means="format", options=("jpeg", "png", "webp")),
        ),
        ratio="auto",
    ),
)
#: The one price its pages give for these models: USD an image.
O1_USD = 0.028
UPLOAD_SECONDS = 15 * 60
KEPT_SECONDS = 180 * 86_400
STATUS = {"queued": "starting", "running": "processing", "unknown": UNKNOWN_STATUS, "done": "success",
          "failed": "error", "cancelled": "cancelled"}  # fmt: skip
TEXTS = {403: "Forbidden", 404: "Prediction not found", 409: "conflict", 500: "Internal server error",
         502: "Bad gateway", 503: "Service unavailable", 504: "Gateway timeout"}  # fmt: skip
BODY = (
    Text(name="model", required=True, least=1),
    Text(name="version"),
    Text(name="webhook_url"),
    Text(name="webhook_secret"),
)
PRESIGN = (
    Text(name="content_type", required=True, least=1),
    Choice(name="file_type", options=("image", "video", "audio", "other")),
    Whole(name="expires_in_seconds", means="life", low=60, high=31_536_000, default=KEPT_SECONDS),
)


class Eachlabs(Dialect):
    name = "eachlabs"
    root = "/eachlabs/v1"
    rows: ClassVar[dict[str, Row]] = {row.model: row for row in ROWS}

    def routes(self) -> list[Route]:
        one = self.root + "/prediction/{id}"
        return [
            Route("POST", self.root + "/prediction", "create", self.create),
            Route("POST", self.root + "/prediction/", "create", self.create),
            Route("GET", one, "poll", self.poll),
            Route("POST", one + "/cancel", "cancel", self.cancel),
            Route("POST", self.root + "/upload/presign", "upload", self.presign),
            Route("DELETE", self.root + "/files/{id}", "delete", self.delete),
        ]

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("X-API-Key", "") or super().key_of(request)

    def new_id(self) -> str:
        return f"eachlabs-{uuid.uuid4()}"

    async def create(self, call: Call) -> web.Response:
        body = await call.body()
        check(BODY, {name: value for name, value in body.items() if name != "input"})
        row = self.row(body["model"])
        if not isinstance(body.get("input"), dict):
            raise Refused(400, "input: must be an object")
        hook = Hook(body.get("webhook_url", ""), body.get("webhook_secret", ""))
        task = await self.accept(call, row, body["input"], body, hook)
        return web.json_response(
            {"status": "success", "message": "Prediction created successfully", "predictionID": task.id}
        )

    async def poll(self, call: Call) -> web.Response:
        task, state = await self.look_up(call, call.part("id"))
        url = f"{call.origin}{self.root}/prediction/{task.id}"
        answer: dict[str, Any] = {
            "id": task.id,
            "predictionID": task.id,
            "input": task.body["input"],
            "status": STATUS[state],
            "output": self._output(call, task, call.origin) if state == "done" else None,
            "logs": None,
            "metrics": self._metrics(task, state),
            "urls": {"cancel": f"{url}/cancel", "get": url},
        }
        return web.json_response(answer | (_failure(task.failure) if state == "failed" and task.failure else {}))

    async def cancel(self, call: Call) -> web.Response:
        task, state = await self.look_up(call, call.part("id"))
        if state in ("done", "failed", "cancelled"):
            raise Refused(400, "Prediction has already ended")
        self.desk.tasks.cancel(task)
        return web.json_response(
            {"status": "cancelled", "message": "Prediction canceled successfully", "predictionID": task.id}
        )

    async def presign(self, call: Call) -> web.Response:
        asked = check(PRESIGN, body := await call.body())
        upload = self.desk.uploads.offer(self.name, body["content_type"], None, UPLOAD_SECONDS, asked.values["life"])
        expires = datetime.fromtimestamp(upload.expires, timezone.utc)
        return web.json_response({
            "id": upload.id,
            "presigned_url": call.origin + upload.put_path,
            "public_url": call.origin + upload.public_path,
            "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "required_headers": {"x-amz-meta-file-id": upload.id},
        })  # fmt: skip

    async def delete(self, call: Call) -> web.Response:
        try:
            file_id = str(uuid.UUID(call.part("id")))
        except ValueError as error:
            raise Refused(400, "invalid argument", "file") from error
        upload = self.desk.uploads.find(file_id)
        if upload is None or upload.provider != self.name:
            raise Refused(404, "file not found", "file")
        if not upload.stored:
            raise Refused(409, "conflict", "file")
        self.desk.tasks.lose_upload(upload.id)
        self.desk.uploads.delete(upload)
        return web.Response(status=204)

    def refusal(self, refused: Refused) -> web.Response:
        headers = {"Retry-After": str(max(1, round(refused.retry_after)))} if refused.retry_after else {}
        return web.json_response(_error(refused), status=refused.status, headers=headers)

    def hook_payload(self, task: Task, state: str, origin: str) -> dict[str, Any] | None:
        if state == "done":
            urls = [url for url, _ in self.links(task, origin)]
            output = shaped(urls, self.shape(task, (), "string" if len(urls) == 1 else "list"))
            return {"exec_id": task.id, "status": "succeeded", "output": output, "error": ""}
        if state == "failed" and task.failure:
            return {
                "exec_id": task.id,
                "status": "failed",
                "output": [{"error": task.failure.reason}],
                "error": "",
            }
        return None

    def _output(self, call: Call, task: Task, origin: str) -> Any:
        """A list for kling-o1 ("Output Type: array"); the older page prints one "Output URL"."""
        urls = [url for url, _ in self.links(task, origin)]
        single = task.model != "kling-o1" and len(urls) == 1
        return shaped(urls, self.shape(task, call.faults, "string" if single else "list"))

    def _metrics(self, task: Task, state: str) -> dict[str, float]:
        """The older model's page shows the time alone."""
        metrics = {"predict_time": round(min(task.seconds, time.time() - task.created), 3)}
        if task.model == "kling-o1" and state == "done":
            metrics["cost"] = round(O1_USD * task.order.n, 4)
        return metrics


def _failure(failure: Fault) -> dict[str, Any]:
    """A failed prediction: the reference's envelope in ``output``, its short form when dispatch failed, or
    the model page's ``message`` and ``details``; ``failed`` is the status word of the OpenAPI file."""
    reason = failure.reason
    match failure.shape:
        case "message":
            return {"message": "Prediction failed", "details": reason}
        case "dispatch":
            return {"output": {"error": reason}}
    code, category = ("INPUT_DOWNLOAD_ERROR", "NETWORK") if "download" in reason else ("PROVIDER_REJECTED", "PROVIDER")
    output = {
        "success": False, "error": "Execution failed", "error_code": code, "error_message": reason,
        "classification": {"category": category}, "retryable": False, "error_step": "predict",
        "provider": "kling",
    }  # fmt: skip
    return {"status": "failed" if failure.shape == "failed" else "error", "output": output}


def _error(refused: Refused) -> dict[str, Any]:
    match refused.status, refused.topic:
        case _, "file" | "path":
            return {"error": refused.detail}
        case 400, _:
            return {"status": "error", "message": "Invalid input", "details": refused.detail}
        case 401, _:
            return {"error": "Invalid or missing API key"}
        case 402, _:
            return {"status": 402, "error": "payment required", "details": refused.detail}
        case 404, "model":
            return {"status": "error", "message": "Unknown model", "details": refused.detail}
        case 429, "limit":
            return {
                "status": 429,
                "error": "too many requests",
                "details": f"Account rate limited: {refused.detail}",
            }
        case 429, _:
            wait = f" Please retry after {refused.retry_after:.0f} seconds." if refused.retry_after else ""
            return {"error": f"Rate limit exceeded.{wait}"}
    return {"error": TEXTS.get(refused.status, refused.detail)}
