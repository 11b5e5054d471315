"""apimodels.app: one path for all models, ``{code, msg, data}`` around every answer, files by presigned link.

Pictures come as URLs only. kling-image-o1 has one documented field for a picture, so it takes one at most,
and kling-v2-new is image to image alone, at the size of its input, so it has neither ratio nor resolution. A
failed task answers with ``code`` 200. The shape of an error is not on the pages; it follows that of a
success.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar

from aiohttp import web

from ..fields import Asked, Choice, Field, Number, Picture, Pictures, Text, Whole, check
from ..refusal import Refused
from ..service import Call, Route
from ..tasks import Task
from .dialect import UNKNOWN_STATUS, Dialect, Hook, Row, shaped
from .kling import EIGHT_RATIOS, SIDES, area_at_most_three

MODEL = Text(name="model", required=True, least=1)
HOOK = Text(name="callback_url")
PROMPT = Text(name="prompt", means="prompt", required=True, least=1)
MAYBE_PROMPT = Text(name="prompt", means="prompt")
NEGATIVE = Text(name="negative_prompt", means="negative")
RATIO = Choice(name="aspect_ratio", means="ratio", options=EIGHT_RATIOS)
RESOLUTION = Choice(name="resolution", means="resolution", options=("1k", "2k"))
N = Whole(name="n", means="n")
REFERENCE: tuple[Field, ...] = (
    Choice(name="image_reference", means="reference", options=("subject", "face")),
    Number(name="image_fidelity", means="fidelity"),
    Number(name="human_fidelity", means="human_fidelity"),
)
TEXT_FIELDS: tuple[Field, ...] = (MODEL, PROMPT, NEGATIVE, RATIO, RESOLUTION, N, HOOK)
BOTH_FIELDS = (*TEXT_FIELDS, Picture(name="image_url"), *REFERENCE)


def reference_needs_picture(asked: Asked) -> None:
    given = {"reference", "fidelity", "human_fidelity"} & set(asked.values)
    if given and not asked.sources:
        raise Refused(400, "image_reference, image_fidelity and human_fidelity need image_url")


ROWS = (
    Row("kling-v2", "image", BOTH_FIELDS, bare="text", rule=reference_needs_picture),
    Row("kling-v2-1", "text", TEXT_FIELDS),
    Row("kling-v3-image", "image", BOTH_FIELDS, bare="text", rule=reference_needs_picture),
    Row("kling-image-o1", "edit", BOTH_FIELDS, bare="text", rule=reference_needs_picture),
    Row(
        "kling-v2-new",
        "restyle",
        (MODEL, PROMPT, NEGATIVE, Picture(name="image_url", required=True), *REFERENCE, N, HOOK),
        ratio="",
    ),
    Row(
        "kling-multi-image",
        "multi",
        (
            MODEL,
            Choice(name="multi_model_name", options=("kling-v2", "kling-v2-1")),
            Pictures(name="subject_image_list", role="subject", item="subject_image", most=4, required=True),
            Picture(name="scene_image", role="scene"),
            Picture(name="style_image", role="style"),
            MAYBE_PROMPT,
            N,
            RATIO,
            HOOK,
        ),
    ),
    Row(
        "kling-expand",
        "expand",
        (MODEL, Picture(name="image_url", required=True), *SIDES, MAYBE_PROMPT, N, HOOK),
        ratio="",
        rule=area_at_most_three,
    ),
)
FILE = (
    Text(name="filename", required=True, least=1, most=255),
    Text(name="contentType", required=True, least=1),
    Whole(name="fileSize", required=True, high=100_000_000),
)
UPLOAD_SECONDS = 10 * 60
KEPT_SECONDS = 7 * 86_400
STATUS = {"queued": "pending", "running": "processing", "unknown": UNKNOWN_STATUS, "done": "completed",
          "failed": "failed"}  # fmt: skip
TITLES = {400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 404: "Not Found",
          429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip


class Apimodels(Dialect):
    name = "apimodels"
    root = "/apimodels/api/v1"
    rows: ClassVar[dict[str, Row]] = {row.model: row for row in ROWS}

    def routes(self) -> list[Route]:
        return [
            Route("POST", self.root + "/images/generations", "create", self.create),
            Route("GET", self.root + "/images/generations", "poll", self.poll),
            Route("POST", self.root + "/files", "upload", self.presign),
        ]

    def new_id(self) -> str:
        return f"apimodels-cl{secrets.token_hex(12)[:23]}"

    async def create(self, call: Call) -> web.Response:
        body = await call.body()
        model = body.get("model")
        if not isinstance(model, str):
            raise Refused(400, "model: is required")
        if model not in self.rows:
            raise Refused(400, f"model: {model} is not supported")
        task = await self.accept(call, self.rows[model], body, body, Hook(body.get("callback_url", "")))
        return _ok({"taskId": task.id, "state": "pending", "model": _echo(task.model)})

    async def poll(self, call: Call) -> web.Response:
        if "task_id" not in call.request.query:
            raise Refused(400, "task_id: is required")
        task, state = await self.look_up(call, call.request.query["task_id"])
        return _ok(self._data(task, state, call.origin, self.shape(task, call.faults, "list")))

    async def presign(self, call: Call) -> web.Response:
        body = await call.body()
        check(FILE, body)
        upload = self.desk.uploads.offer(self.name, body["contentType"], body["fileSize"], UPLOAD_SECONDS, KEPT_SECONDS)
        return _ok({
            "uploadUrl": call.origin + upload.put_path,
            "publicUrl": call.origin + upload.public_path,
            "expiresAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(upload.put_until)),
        })  # fmt: skip

    def refusal(self, refused: Refused) -> web.Response:
        message = f"{TITLES.get(refused.status, 'Error')} - {refused.detail}"
        return web.json_response({"code": refused.status, "msg": message}, status=refused.status)

    def hook_payload(self, task: Task, state: str, origin: str) -> dict[str, Any] | None:
        """No page shows it; this is what a GET answers."""
        data = self._data(task, state, origin, self.shape(task, (), "list"))
        return {"code": 200, "msg": "success", "data": data}

    def _data(self, task: Task, state: str, origin: str, shape: str) -> dict[str, Any]:
        data: dict[str, Any] = {"taskId": task.id, "state": STATUS[state], "model": _echo(task.model)}
        if state == "done":
            data["resultUrls"] = shaped([url for url, _ in self.links(task, origin)], shape)
            data |= {"createTime": round(task.created * 1000), "completeTime": round(task.ends * 1000)}
        if state == "failed" and task.failure:
            data["failMsg"] = task.failure.reason
        return data


def _echo(model: str) -> str:
    """The page's example answers ``kling-image-gen/kling-v3`` to ``kling-v3-image``."""
    return "kling-image-gen/" + ("kling-v3" if model == "kling-v3-image" else model)


def _ok(data: dict[str, Any]) -> web.Response:
    return web.json_response({"code": 200, "msg": "success", "data": data})
