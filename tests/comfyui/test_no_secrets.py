"""Planted keys, signed links and pictures as Base64, looked for in everything that runs of every kind leave behind."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from echo import BASE64, SIGNATURE, Echo
from graphs import WORKFLOW, graph, records
from listening import Listening
from PIL import Image
from truth import behave, error_of, paint_inputs

from kling_pack.sandbox.server import Sandbox

KEYS = {
    "eachlabs": "el-Planted7Qm2xVb9Tz4Rn8Kd",
    "modellix": "mx_planted_5c8e1f7a2b9d4036",
    "apimodels": "sk-planted-Zx81Lw0PqUe57Yt3Gh",
}
SIGNED = re.compile(rb"(?:X-Amz-Signature|token)(?:=|%3D)[0-9a-zA-Z_-]{6,}")
"""What makes a link of the sandbox's a signed one."""


def spellings(secret: str) -> dict[str, bytes]:
    """The secret as it is and as it may be dressed up."""
    whole = f"Bearer {secret}".encode()
    return {
        secret: secret.encode(),
        f"{secret} as Base64": base64.b64encode(secret.encode()).rstrip(b"="),
        f"{secret} as a header in Base64": base64.b64encode(whole).rstrip(b"="),
        f"{secret} as UTF-16": secret.encode("utf-16-le"),
        f"{secret} in reverse": secret[::-1].encode(),
        f"most of {secret}": secret[: len(secret) * 2 // 3].encode(),
    }


class Run:
    """One ComfyUI with debug logging, and all that was heard while it worked."""

    def __init__(self, comfyui: ComfyUI, told: list[tuple[str, str]], entries: dict[str, dict[str, Any]]) -> None:
        self.comfyui, self.told, self.entries = comfyui, told, entries

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Where and what: files, texts in pictures, answers of every route, messages on the socket."""
        pack = self.comfyui.base / "custom_nodes"
        for file in sorted(self.comfyui.base.rglob("*")):
            if file.is_file() and pack not in file.parents and file.name != "keys.json":
                yield str(file.relative_to(self.comfyui.base)), file.read_bytes()
                if file.suffix in (".png", ".jpg", ".webp"):
                    with Image.open(file) as picture:
                        yield f"texts in {file.name}", repr(picture.info).encode()
        for route in ("/history", "/queue", "/kling/tasks?limit=1000", "/kling/catalog", "/object_info", "/settings"):
            yield route, json.dumps(self.comfyui.get(route)).encode()
        for route in ("/internal/logs", "/internal/logs/raw", "/system_stats", "/userdata?dir=.&recurse=true"):
            yield route, requests.get(self.comfyui.address + route, timeout=30).content
        for kind, text in self.told:
            yield f"socket, {kind}", text.encode()


@pytest.fixture(scope="module")
def ran(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two keys in the environment and one saved; every way a run can end."""
    variables = {
        "KLING_HOME": "",
        "EACHLABS_API_KEY": KEYS["eachlabs"],
        "EACHLABS_BASE_URL": sandbox.base_url("eachlabs"),
        "MODELLIX_API_KEY": KEYS["modellix"],
        "APIMODELS_BASE_URL": sandbox.base_url("apimodels"),
    }
    with Echo() as echo:
        variables["MODELLIX_BASE_URL"] = echo.url
        comfyui = ComfyUI(variables, arguments=("--verbose", "DEBUG"))
        saved = comfyui.base / "user" / "__kling" / "keys.json"
        saved.parent.mkdir(parents=True)
        saved.touch(0o600)
        saved.write_text(json.dumps({"apimodels": KEYS["apimodels"]}))
        paint_inputs(comfyui.base / "input")
        with comfyui, Listening(comfyui) as heard:
            behave(sandbox)
            entries = {
                "an edit": comfyui.run(graph("edit", prompt="an edit", provider="eachlabs"), WORKFLOW),
                "a saved key": comfyui.run(graph("text", prompt="a saved key", provider="apimodels"), WORKFLOW),
            }
            for word in ("refused", "lost", "failed", "elsewhere", "unreadable"):
                asked = graph("image", prompt=f"{word} by the echo", provider="modellix", model="kling-v1-5")
                entries[word] = comfyui.run(asked, WORKFLOW)
            told = [(kind, json.dumps(data)) for kind, data in heard.events] + heard.texts
            yield Run(comfyui, told, entries)


def test_every_way_to_end_was_gone(ran: Run) -> None:
    assert [records(ran.entries[name])[0]["state"] for name in ("an edit", "a saved key")] == ["done", "done"]
    kinds = {name: error_of(entry).get("exception_type") for name, entry in ran.entries.items()}
    assert kinds["refused"] == "kling.RefusedError" and kinds["lost"] == "kling.UncertainError"
    assert kinds["failed"] == "kling.FailedError" and kinds["unreadable"] == "kling.UnreadError"
    assert kinds["elsewhere"] in ("kling.UnfinishedError", "kling.UnreadError")
    assert 'HTTP/1.1" 200' in ran.comfyui.log_text()


@pytest.mark.parametrize("provider", KEYS)
def test_no_key_is_left_anywhere(ran: Run, provider: str) -> None:
    wanted = spellings(KEYS[provider])
    found = [(name, where) for where, held in ran.everything() for name, text in wanted.items() if text in held]
    assert found == []


def test_no_signed_link_and_no_base64_is_left_anywhere(ran: Run) -> None:
    wanted = {SIGNATURE: SIGNATURE.encode(), "Base64": BASE64[:200].encode()}
    found = [(name, where) for where, held in ran.everything() for name, text in wanted.items() if text in held]
    for where, held in ran.everything():
        found += [(match.decode(), where) for match in SIGNED.findall(held)]
    assert found == []


def test_the_search_finds_what_is_there(ran: Run, tmp_path: Path) -> None:
    """A search that looks past something would pass for the wrong reason."""
    planted = ran.comfyui.base / "output" / "planted.txt"
    planted.write_bytes(base64.b64encode(b"Bearer " + KEYS["eachlabs"].encode()))
    try:
        wanted = spellings(KEYS["eachlabs"])
        held = dict(ran.everything())
        assert any(text in held["output/planted.txt"] for text in wanted.values())
    finally:
        planted.unlink()
    assert any(where.startswith("texts in kling_") and b"lighthouse" not in data for where, data in held.items())
    assert {"comfyui.log", "user/__kling/ledger.sqlite", "/history"} <= held.keys()
    assert any(where.startswith("socket, ") for where in held)
