"""apimodels.app: one endpoint for everything, routed by `model`; upload by `POST /files`.

Sources: apimodels.app/en/docs/kling-image and /en/docs/files. The page gives no syntax for naming pictures in
an O1 prompt; Kling's own `<<<image_1>>>` is used, as its field names are Kling's too. Error bodies are not
shown: `code` and `msg` are read as in the success shape. Failed tasks answer with HTTP and `code` 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..catalog.order import Order
from .base import Call, Created, Limits, Phase, Place, Provider, Refused, Reply, Status, Unclear
from .reading import code_in, links_in, reason_in, refusal, text_at

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}


class ApiModels(Provider):
    name = "apimodels"
    title = "apimodels"
    base_url = "https://apimodels.app/api/v1"
    limits = Limits(in_flight=10, per_minute=60)
    reference = "<<<image_{}>>>"
    advised_pause = 5.0

    def authorize(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def create(self, order: Order, pictures: Mapping[str, str], callback: str | None = None) -> Call:
        body: dict[str, Any] = {"model": order.offer.wire_model, **self.values(order)}
        for name, sent in order.pictures.items():
            links = [pictures[picture.digest] for picture in sent]
            listed = name == "subject_image_list"
            body[name] = [{"subject_image": link} for link in links] if listed else links[0]
        if callback:
            body["callback_url"] = callback
        return Call("POST", "/images/generations", body)

    def created(self, reply: Reply) -> Created | Refused | Unclear:
        answer = reply.json()
        found = text_at(answer, "data", "taskId")
        if _succeeded(reply, answer) and found:
            return Created(found)
        return _no_success(reply, answer, "taskId")

    def poll(self, task_id: str) -> Call:
        return Call("GET", f"/images/generations?task_id={quote(task_id, safe='')}")

    def status(self, reply: Reply) -> Status | Refused | Unclear:
        answer = reply.json()
        word = text_at(answer, "data", "state")
        if not _succeeded(reply, answer) or word is None:
            return _no_success(reply, answer, "state")
        data, phase = answer["data"], self.phase(word)
        if phase is Phase.DONE:
            return Status(phase, word, links_in(data.get("resultUrls")) or links_in(data))
        return Status(phase, word, reason=reason_in(data) if phase is Phase.FAILED else "")

    def upload(self, digest: str, media_type: str, size: int) -> Call | None:
        name = f"{digest[:32]}.{_ENDINGS[media_type]}"
        return Call("POST", "/files", {"filename": name, "contentType": media_type, "fileSize": size})

    def place(self, reply: Reply, media_type: str) -> Place | Refused | Unclear:
        answer = reply.json()
        target, link = text_at(answer, "data", "uploadUrl"), text_at(answer, "data", "publicUrl")
        if not _succeeded(reply, answer) or not target or not link:
            return _no_success(reply, answer, "uploadUrl and publicUrl")
        return Place(Call("PUT", target, headers={"Content-Type": media_type}), link)


def _succeeded(reply: Reply, answer: Any) -> bool:
    return reply.ok and code_in(answer) in (200, 0, None)


def _no_success(reply: Reply, answer: Any, missing: str) -> Refused | Unclear:
    if _succeeded(reply, answer):
        return Unclear(f"the answer has no {missing}: {reason_in(answer, 'no text')}")
    return refusal(reply, code_in(answer))
