"""Answers of a provider as fixtures: stripped of secrets, with what the adapter read in them, to be read again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from kling_pack.jobs.redact import redact, redact_json
from kling_pack.providers.base import Call, Provider, Reply

KEPT_HEADERS = re.compile(r"content-type|retry-after|x-ratelimit-.*")
LONGEST_TEXT = 2000
READERS = {"create": "created", "poll": "status", "upload": "place"}
"""Which method of an adapter reads the answer to a step; the others are told by their HTTP status alone."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `step` is create, poll, upload, put or discard."""

    step: str
    call: Call
    reply: Reply


def read(adapter: Provider, step: str, reply: Reply) -> Any:
    """What the adapter makes of an answer; its status code where no adapter reads it."""
    if step not in READERS:
        return reply.status
    reader = getattr(adapter, READERS[step])
    return reader(reply, "image/png") if step == "upload" else reader(reply)


def as_json(value: Any) -> Any:
    """An adapter's value for a file, with the name of its kind."""
    if is_dataclass(value) and not isinstance(value, type):
        plain = {name: _plain(item) for name, item in asdict(value).items()}
        return {"kind": type(value).__name__, **plain}
    return value


def fixture(exchange: Exchange, adapter: Provider, secrets: tuple[str, ...], source: str) -> dict[str, Any]:
    """The exchange as it is stored: without keys, signatures and Base64, whatever they stand in."""
    reply = _stripped(exchange.reply, secrets)
    call = exchange.call
    request = {"method": call.method, "url": call.url, "json": call.json}
    return {
        "source": source,
        "step": exchange.step,
        "request": redact_json(request, secrets),
        "reply": _reply_as_json(reply),
        "read": redact_json(as_json(read(adapter, exchange.step, reply)), secrets),
    }


def save(folder: Path, name: str, written: Mapping[str, Any]) -> Path:
    """Writes a fixture; a folder's older one of the same name is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return file


def differences(folder: Path, adapter: Provider) -> Iterator[str]:
    """One sentence for each recorded answer that the adapter no longer reads as it did."""
    for file in sorted(folder.glob("*.json")):
        written = json.loads(file.read_text("utf-8"))
        if "step" not in written:
            continue
        now = json.loads(json.dumps(as_json(read(adapter, written["step"], _reply(written["reply"])))))
        # What is hidden in the file may have been cut out of the middle of a text.
        if redact_json(now) != written["read"]:
            yield f"{folder.parent.name}/{file.name} was read as {written['read']}, and is read as {now}"


def _stripped(reply: Reply, secrets: tuple[str, ...]) -> Reply:
    told = reply.json()
    body = redact(reply.body.decode("utf-8", "replace"), secrets)[:LONGEST_TEXT].encode()
    if told is not None:
        body = json.dumps(redact_json(told, secrets), ensure_ascii=False).encode()
    headers = {name: redact(value, secrets) for name, value in reply.headers.items() if KEPT_HEADERS.fullmatch(name)}
    return Reply(reply.status, body, headers)


def _reply_as_json(reply: Reply) -> dict[str, Any]:
    told = reply.json()
    body = {"text": reply.body.decode("utf-8")} if told is None else {"json": told}
    return {"status": reply.status, "headers": dict(reply.headers), **body}


def _reply(written: Mapping[str, Any]) -> Reply:
    body = json.dumps(written["json"]) if "json" in written else written["text"]
    return Reply(written["status"], body.encode(), written["headers"])


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
