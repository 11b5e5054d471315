"""Modellix: async submit, `GET /tasks/{id}`, pictures as raw Base64.

Sources: page kling-v1.5-i2i and docs.modellix.ai (API, kling/*), and Modellix' own command line tool for
status words and result fallbacks. Submit paths come in three generations; the page of v1.5 keeps the one it
shows, every other model uses the current `/kling/{model}/async`. Base64 goes without a `data:` prefix
everywhere: the expansion page forbids the prefix, Kling's own pages call it wrong. Multi-image editing keeps
`image_list` with `<<<image_1>>>`, as on the page of kling-image-o1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..catalog.order import Order
from .base import Call, Created, Limits, Phase, Provider, Refused, Reply, Status, Unclear
from .reading import code_in, links_in, reason_in, refusal, text_at

IMAGE_TO_IMAGE_PATHS = {"kling-v1.5-i2i": "/image-to-image/kling/kling-v1.5-i2i/async"}


class Modellix(Provider):
    name = "modellix"
    title = "Modellix"
    base_url = "https://api.modellix.ai/api/v1"
    limits = Limits(in_flight=10, per_minute=100)
    inline_pictures = True
    reference = "<<<image_{}>>>"

    def authorize(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def create(self, order: Order, pictures: Mapping[str, str], callback: str | None = None) -> Call:
        body = self.values(order)
        for name, sent in order.pictures.items():
            encoded = [pictures[picture.digest] for picture in sent]
            body[name] = _SHAPES.get(name, _first)(encoded)
        model = order.offer.wire_model
        return Call("POST", IMAGE_TO_IMAGE_PATHS.get(model, f"/kling/{model}/async"), body)

    def created(self, reply: Reply) -> Created | Refused | Unclear:
        answer = reply.json()
        found = text_at(answer, "data", "task_id")
        if reply.ok and code_in(answer) in (0, None) and found:
            return Created(found)
        return _no_success(reply, answer, "task_id")

    def poll(self, task_id: str) -> Call:
        return Call("GET", f"/tasks/{quote(task_id, safe='')}")

    def status(self, reply: Reply) -> Status | Refused | Unclear:
        answer = reply.json()
        word = text_at(answer, "data", "status")
        if not reply.ok or code_in(answer) not in (0, None) or word is None:
            return _no_success(reply, answer, "status")
        data, phase = answer["data"], self.phase(word)
        if phase is Phase.DONE:
            return Status(phase, word, links_in(data.get("result")) or links_in(data.get("resources")))
        failed = phase in (Phase.FAILED, Phase.CANCELLED)
        return Status(phase, word, reason=reason_in(data) if failed else "")


def _first(encoded: list[str]) -> Any:
    return encoded[0]


def _flat(encoded: list[str]) -> Any:
    return encoded


def _objects(encoded: list[str]) -> Any:
    return [{"image": picture} for picture in encoded]


_SHAPES = {"image_list": _objects, "subject_images": _flat}


def _no_success(reply: Reply, answer: Any, missing: str) -> Refused | Unclear:
    """Errors carry `code` equal to the HTTP status and a `message` of "<Category>: <detail>"."""
    code = code_in(answer)
    if reply.ok and code in (0, None):
        return Unclear(f"the answer has no {missing}: {reason_in(answer, 'no text')}")
    return refusal(reply, code)
