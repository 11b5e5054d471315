"""Which fault strikes which request, and what it does to the answer."""

from __future__ import annotations

import asyncio
import io
import json
import random
from functools import lru_cache
from typing import Any

import numpy as np
from aiohttp import web
from PIL import Image

from .behaviour import ODDITIES, Fault

HTML = "<!doctype html><html><head><title>Just a moment...</title></head><body>Checking</body></html>"
ID_NAMES = {"predictionID", "id", "task_id", "taskId", "get_result", "urls"}
PIECES = 10
HANG, SLOW = 3600.0, 3.0


class Dice:
    """Draws the faults for each request by the rules, with one seeded generator."""

    def __init__(self, rules: tuple[Fault, ...], seed: int) -> None:
        self._rules = rules
        self._seen = [0] * len(rules)
        self._struck = [0] * len(rules)
        self._rng = random.Random(seed)

    def draw(self, provider: str, operation: str) -> list[Fault]:
        """All oddities that strike, and at most one fault that takes the answer's place."""
        struck: list[Fault] = []
        for index, rule in enumerate(self._rules):
            if rule.on != operation or rule.provider not in ("*", provider):
                continue
            if rule.fault not in ODDITIES and any(fault.fault not in ODDITIES for fault in struck):
                continue
            self._seen[index] += 1
            if self._seen[index] > rule.after and self._strikes(index, rule):
                self._struck[index] += 1
                struck.append(rule)
        return struck

    def _strikes(self, index: int, rule: Fault) -> bool:
        if rule.times is not None and self._struck[index] >= rule.times:
            return False
        return rule.share is None or self._rng.random() < rule.share


def abort(request: web.Request) -> web.Response:
    """Ends the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def spoiled(request: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    """The answer to a request that was acted on, as ``fault`` lets it through."""
    match fault.fault:
        case "html":
            return web.Response(text=HTML, content_type="text/html")
        case "not_json":
            return web.Response(body=_body(answer)[:-7] + b"\x00<", content_type="application/json")
        case "no_id":
            return web.json_response(_without_ids(json.loads(_body(answer))))
        case "slow":
            return await _slowly(request, answer, SLOW if fault.seconds is None else fault.seconds)
        case "cut":
            return await _half(request, answer)
        case "hang":
            await asyncio.sleep(HANG if fault.seconds is None else fault.seconds)
            return abort(request)
        case "drop_after":
            return abort(request)
    return answer


async def _slowly(request: web.Request, answer: web.Response, seconds: float) -> web.StreamResponse:
    """The headers at once, the body in pieces over ``seconds``."""
    stream, body = await _begun(request, answer)
    step = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), step):
        await asyncio.sleep(seconds / PIECES)
        await stream.write(body[start : start + step])
    await stream.write_eof()
    return stream


async def _half(request: web.Request, answer: web.Response) -> web.StreamResponse:
    """The first half of the body, under the length of the whole."""
    stream, body = await _begun(request, answer)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


async def _begun(request: web.Request, answer: web.Response) -> tuple[web.StreamResponse, bytes]:
    body = _body(answer)
    stream = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    stream.content_length = len(body)
    await stream.prepare(request)
    return stream, body


def _body(answer: web.Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(item) for name, item in value.items() if name not in ID_NAMES}
    return value


def odd_picture(data: bytes, index: int, faults: list[Fault]) -> bytes:
    """A result's bytes as the ``picture:…`` and ``wrong_sizes`` among ``faults`` make them. The data stays a
    picture of the same content where that is possible."""
    for fault in faults:
        kind, _, form = fault.fault.partition(":")
        if fault.fault == "wrong_sizes" and index:
            data = _resized(data, index)
        elif kind == "picture":
            data = _reformed(data, form)
    return data


def _resized(data: bytes, index: int) -> bytes:
    image = Image.open(io.BytesIO(data))
    width, height = image.size
    return _saved(image.resize((max(16, width - 64 * index), max(16, height - 32 * index))), image.format or "PNG")


def _reformed(data: bytes, form: str) -> bytes:
    image = Image.open(io.BytesIO(data))
    match form:
        case "truncated":
            return data[: len(data) * 2 // 3]
        case "bomb":
            return _bomb()
        case "palette":
            return _saved(image.convert("P", palette=Image.Palette.ADAPTIVE), "PNG")
        case "png16":
            grey = np.asarray(image.convert("L"), dtype=np.uint16) * 257
            return _saved(Image.fromarray(grey), "PNG")
    return _saved(image.convert("RGB"), form.upper())


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """Some kilobytes that unpack to more pixels than Pillow opens."""
    return _saved(Image.new("1", (16_000, 16_000)), "PNG")


def _saved(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()
