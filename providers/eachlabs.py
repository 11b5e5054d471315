"""EachLabs: predictions, presigned upload, cancel.

Sources: the model pages kling-v1-5-img-to-img and kling-o1 (bodies, `X-API-Key`, status words, errors), and
for what they leave out docs.eachlabs.ai (upload, delete, cancel, error envelopes). The newer docs name
`Authorization: Bearer`; no page withdraws `X-API-Key`, which the model pages show, so that one is sent. A
failure is `error` on the pages and `failed` in the OpenAPI file. Of the three statements on limits, the
stricter of the model pages is kept: 60 requests a minute, 10 in flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..catalog.order import Order
from .base import Call, Created, Limits, Phase, Place, Provider, Refused, Reply, Status, Unclear
from .reading import amount_in, links_in, reason_in, refusal, text_at

UPLOAD_SECONDS = 24 * 3600
"""How long an input stays that could not be deleted: enough for a queue, far below the default 180 days."""


class EachLabs(Provider):
    name = "eachlabs"
    title = "EachLabs"
    base_url = "https://api.eachlabs.ai/v1"
    limits = Limits(in_flight=10, per_minute=60)

    def authorize(self, key: str) -> dict[str, str]:
        return {"X-API-Key": key}

    def create(self, order: Order, pictures: Mapping[str, str], callback: str | None = None) -> Call:
        given = self.values(order)
        for name, sent in order.pictures.items():
            links = [pictures[picture.digest] for picture in sent]
            given[name] = links if name == "image_urls" else links[0]
        body: dict[str, Any] = {"model": order.offer.wire_model, "input": given}
        if order.offer.version:
            body["version"] = order.offer.version
        if callback:
            body["webhook_url"] = callback
        return Call("POST", "/prediction/", body)

    def created(self, reply: Reply) -> Created | Refused | Unclear:
        answer = reply.json()
        if not reply.ok:
            return refusal(reply)
        # `status: "success"` here means created, not finished.
        found = text_at(answer, "predictionID") or text_at(answer, "id")
        if found:
            return Created(found)
        return Unclear(f"the answer to the create call has no predictionID: {reason_in(answer, 'no text')}")

    def poll(self, task_id: str) -> Call:
        return Call("GET", f"/prediction/{quote(task_id, safe='')}")

    def status(self, reply: Reply) -> Status | Refused | Unclear:
        answer = reply.json()
        if not reply.ok:
            return refusal(reply)
        word = text_at(answer, "status")
        if word is None:
            return Unclear("the answer has no status")
        phase = self.phase(word)
        metrics = answer.get("metrics")
        cost = amount_in(metrics.get("cost")) if isinstance(metrics, Mapping) else None
        if phase is Phase.DONE:
            return Status(phase, word, links_in(answer.get("output")), cost=cost)
        failed = phase in (Phase.FAILED, Phase.CANCELLED)
        return Status(phase, word, reason=_failure(answer) if failed else "", cost=cost)

    def cancel(self, task_id: str) -> Call | None:
        return Call("POST", f"/prediction/{quote(task_id, safe='')}/cancel", {})

    def upload(self, digest: str, media_type: str, size: int) -> Call | None:
        wanted = {"content_type": media_type, "file_type": "image", "expires_in_seconds": UPLOAD_SECONDS}
        return Call("POST", "/upload/presign", wanted)

    def place(self, reply: Reply, media_type: str) -> Place | Refused | Unclear:
        answer = reply.json()
        if not reply.ok:
            return refusal(reply)
        target, link = text_at(answer, "presigned_url"), text_at(answer, "public_url")
        if not target or not link:
            return Unclear("the answer to the upload call has no presigned_url and public_url")
        required = answer.get("required_headers")
        given = required.items() if isinstance(required, Mapping) else ()
        headers = {name: str(value) for name, value in given if isinstance(value, str | int)}
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = media_type
        return Place(Call("PUT", target, headers=headers), link, text_at(answer, "id"))

    def discard(self, place_id: str) -> Call | None:
        return Call("DELETE", f"/files/{quote(place_id, safe='')}")


def _failure(answer: Mapping[str, Any]) -> str:
    """The reason of a failed prediction: in `output`'s error envelope (docs), or beside it (model page)."""
    output = answer.get("output")
    envelope = output[0] if isinstance(output, list) and output else output
    inner = reason_in(envelope, "") if isinstance(envelope, Mapping) else ""
    outer = {name: value for name, value in answer.items() if name not in ("output", "input", "logs")}
    return inner or reason_in(outer)
