"""Modellix: the model in the path, flat bodies, pictures as raw Base64 or URL, nothing to upload or cancel.

v1.5 answers under the path of its page, ``/image-to-image/kling/…``; all other models under
``/kling/{model}/async``. Where pages are cut: the multi-image models also take ``aspect_ratio`` and ``n``,
expansion and o1 take ``n``, and kling-v3-t2i takes what kling-v2.1-t2i does. The field of a failed task's
reason is named nowhere.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar

from aiohttp import web

from ..behaviour import Fault
from ..fields import Asked, Choice, Field, Number, Picture, Pictures, Text, Whole
from ..refusal import Refused
from ..service import Call, Route
from ..tasks import Task
from .dialect import UNKNOWN_STATUS, Dialect, Row, shaped
from .kling import EIGHT_RATIOS, SIDES, area_at_most_three

PROMPT = Text(name="prompt", means="prompt", required=True, least=1)
MAYBE_PROMPT = Text(name="prompt", means="prompt", least=1)
IMAGE = Picture(name="image", required=True)
RATIO = Choice(name="aspect_ratio", means="ratio", options=EIGHT_RATIOS)
RESOLUTION = Choice(name="resolution", means="resolution", options=("1k", "2k"))
N = Whole(name="n", means="n")
TEXT_FIELDS: tuple[Field, ...] = (
    PROMPT, Text(name="negative_prompt", means="negative", least=1), RATIO, RESOLUTION, N,
)  # fmt: skip
MULTI_FIELDS: tuple[Field, ...] = (
    MAYBE_PROMPT, Pictures(name="subject_images", role="subject", most=4),
    Picture(name="scene_image", role="scene"), Picture(name="style_image", role="style"), RATIO, N,
)  # fmt: skip


def human_needs_subject(asked: Asked) -> None:
    if "human_fidelity" in asked.values and asked.values.get("reference") != "subject":
        raise Refused(400, "human_fidelity: only available when image_reference is 'subject'")


def some_picture(asked: Asked) -> None:
    if not asked.sources:
        raise Refused(400, "at least one of subject_images, scene_image, style_image is required")


def auto_needs_picture(asked: Asked) -> None:
    if asked.values.get("ratio") == "auto" and not asked.sources:
        raise Refused(400, "aspect_ratio: auto is not supported in text-to-image")


ROWS = (
    Row("kling-v2-t2i", "text", TEXT_FIELDS),
    Row("kling-v2.1-t2i", "text", TEXT_FIELDS),
    Row("kling-v3-t2i", "text", TEXT_FIELDS),
    Row(
        "kling-v1.5-i2i",
        "image",
        (
            PROMPT,
            IMAGE,
            Choice(name="image_reference", means="reference", options=("subject", "face")),
            Number(name="image_fidelity", means="fidelity"),
            Number(name="human_fidelity", means="human_fidelity"),
            RATIO,
            Choice(name="resolution", means="resolution", options=("1k",)),
            N,
        ),
        rule=human_needs_subject,
    ),
    Row("kling-v3-i2i", "image", (PROMPT, IMAGE, N, RATIO, RESOLUTION)),
    Row("kling-v2-mi2i", "multi", MULTI_FIELDS, rule=some_picture),
    Row("kling-v2.1-mi2i", "multi", MULTI_FIELDS, rule=some_picture),
    Row(
        "kling-image-o1",
        "edit",
        (
            PROMPT,
            Pictures(name="image_list", item="image"),
            RESOLUTION,
            Choice(name="aspect_ratio", means="ratio", options=("auto", *EIGHT_RATIOS)),
            N,
        ),
        bare="text",
        ratio="auto",
        rule=auto_needs_picture,
    ),
    Row("kling-image-expansion", "expand", (IMAGE, *SIDES, MAYBE_PROMPT, N), ratio="", rule=area_at_most_three),
)
OLD_PATH = "kling-v1.5-i2i"
STATUS = {
    "queued": "pending",
    "running": "processing",
    "unknown": UNKNOWN_STATUS,
    "done": "success",
    "failed": "failed",
}
CATEGORIES = {
    400: "Invalid parameters", 401: "Authentication failed", 402: "Insufficient balance", 403: "Forbidden",
    404: "Not found", 409: "Conflict", 429: "Too many requests", 500: "Internal server error",
    502: "Bad gateway", 503: "Service unavailable", 504: "Gateway timeout",
}  # fmt: skip


class Modellix(Dialect):
    name = "modellix"
    root = "/modellix/api/v1"
    rows: ClassVar[dict[str, Row]] = {row.model: row for row in ROWS}
    takes_base64 = True

    def routes(self) -> list[Route]:
        return [
            Route("POST", self.root + "/image-to-image/kling/{model}/async", "create", self.create_old),
            Route("POST", self.root + "/kling/{model}/async", "create", self.create),
            Route("GET", self.root + "/tasks/{id}", "poll", self.poll),
            Route("GET", self.root + "/apikey/validate", "check", self.validate),
            Route("GET", self.root + "/team/balance", "check", self.balance),
        ]

    def new_id(self) -> str:
        return f"modellix-task-{uuid.uuid4().hex}"

    async def create_old(self, call: Call) -> web.Response:
        if call.part("model") != OLD_PATH:
            raise Refused(404, f"model {call.part('model')} not found", "model")
        return await self._create(call)

    async def create(self, call: Call) -> web.Response:
        if call.part("model") == OLD_PATH:
            raise Refused(404, f"model {OLD_PATH} not found", "model")
        return await self._create(call)

    async def _create(self, call: Call) -> web.Response:
        row = self.row(call.part("model"))
        body = await call.body()
        task = await self.accept(call, row, body, body)
        data = {
            "status": "pending",
            "task_id": task.id,
            "model_id": task.model,
            "get_result": {"method": "GET", "url": f"{call.origin}{self.root}/tasks/{task.id}"},
        }
        return _ok(data)

    async def poll(self, call: Call) -> web.Response:
        task, state = await self.look_up(call, call.part("id"))
        data: dict[str, Any] = {"status": STATUS[state], "task_id": task.id, "model_id": task.model}
        if state == "done":
            data["result"] = {"resources": self._resources(call, task)}
        if state == "failed" and task.failure:
            data |= _failure(task.failure)
        return _ok(data)

    async def validate(self, call: Call) -> web.Response:
        return _ok({"is_valid": True})

    async def balance(self, call: Call) -> web.Response:
        return _ok({"balance": 100.0})

    def refusal(self, refused: Refused) -> web.Response:
        message = f"{CATEGORIES.get(refused.status, 'Error')}: {refused.detail}"
        headers = {}
        if refused.status == 429:
            headers["X-RateLimit-Reset"] = str(round(time.time() + (refused.retry_after or 1)))
        return web.json_response({"code": refused.status, "message": message}, status=refused.status, headers=headers)

    def _resources(self, call: Call, task: Task) -> Any:
        """Objects with type, url, width, height, format; plain links where a fault asks for another shape."""
        links = self.links(task, call.origin)
        if shape := self.shape(task, call.faults, ""):
            return shaped([url for url, _ in links], shape)
        return [
            {
                "type": "image",
                "url": url,
                "width": result.width,
                "height": result.height,
                "format": result.format,
            }
            for url, result in links
        ]


def _failure(failure: Fault) -> dict[str, Any]:
    match failure.shape:
        case "message":
            return {"message": failure.reason}
        case "none":
            return {}
    return {"error": {"code": "task_failed", "message": failure.reason}}


def _ok(data: dict[str, Any]) -> web.Response:
    return web.json_response({"code": 0, "message": "success", "data": data})
