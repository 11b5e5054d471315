"""The pack's routes under attack, on a ComfyUI whose own check of origins is off: --enable-cors-header.

The routes are read from the sources, so that a new one is attacked as soon as it is written.
"""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from pack import ROOT

ADDED = re.compile(r'routes\.(get|post|put|delete|patch)\(\s*"(/kling/[^"]*)"')
SOURCES = "\n".join(file.read_text("utf-8") for file in sorted((ROOT / "nodes").glob("*.py")))
ROUTES = sorted({(method.upper(), path) for method, path in ADDED.findall(SOURCES)})
OPEN_TO_PROVIDERS = "/kling/hooks/"
CHANGING = [route for route in ROUTES if route[0] != "GET" and not route[1].startswith(OPEN_TO_PROVIDERS)]
READING = [route for route in ROUTES if route[0] == "GET"]
PLACES = {"{handle}": "modellix:abc", "{provider}": "modellix", "{token}": "0123456789abcdef"}
JSON = {"Content-Type": "application/json"}
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.fixture(scope="module")
def open_wide() -> Iterator[ComfyUI]:
    with ComfyUI(arguments=("--enable-cors-header", "*")) as started:
        yield started


def ask(comfyui: ComfyUI, route: tuple[str, str], headers: dict[str, str], body: Any = b"{}") -> requests.Response:
    method, path = route
    for place, filled in PLACES.items():
        path = path.replace(place, filled)
    return requests.request(method, comfyui.address + path, headers=headers, data=body, timeout=20)


def ledger(comfyui: ComfyUI) -> list[str]:
    """Everything the ledger holds."""
    file = comfyui.base / "kling" / "ledger.sqlite"
    if not file.exists():
        return []
    with sqlite3.connect(file) as connection:
        held = list(connection.iterdump())
    connection.close()
    return held


def files(comfyui: ComfyUI) -> set[Path]:
    shared = {".sqlite", ".sqlite-wal", ".sqlite-shm", ".db", ".log"}
    return {file for file in (comfyui.base / "kling").rglob("*") if file.suffix not in shared}


def test_the_routes_are_seen() -> None:
    assert {"/kling/catalog", "/kling/tasks"} <= {path for _, path in READING}
    assert {"/kling/tasks/{handle}/cancel", "/kling/tasks/{handle}/resolve"} <= {path for _, path in CHANGING}


def test_no_route_takes_an_address_or_a_place() -> None:
    for _, path in ROUTES:
        assert set(re.findall(r"\{[^}]*\}", path)) <= PLACES.keys()


def test_no_widget_takes_an_address_or_a_place(open_wide: ComfyUI) -> None:
    nodes = {name: told for name, told in open_wide.object_info().items() if name.startswith("Kling")}
    assert "KlingT2I" in nodes
    for told in nodes.values():
        names = {name for group in told["input"].values() for name in group}
        assert not {name for name in names if re.search("url|host|path|proxy|folder|file|key|token", name)}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_foreign_page_gets_nothing(open_wide: ComfyUI, route: tuple[str, str], headers: dict[str, str]) -> None:
    answer = ask(open_wide, route, {**JSON, **headers})
    if route[1].startswith(OPEN_TO_PROVIDERS):
        # Everybody may call, and hears the same: without the token of a task that runs, nothing happens.
        assert (answer.status_code, answer.content) == (204, b"")
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", None]
)
@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_only_json_changes_anything(open_wide: ComfyUI, route: tuple[str, str], kind: str | None) -> None:
    answer = ask(open_wide, route, {"Content-Type": kind} if kind else {})
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"5", b'"x"', b"null", b"\xff\xfe{}", b"[" * 60_000, b'{"a":' * 10_000, b"9" * 60_000],
    ids=lambda body: str(body[:12]),
)
@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_a_body_that_is_no_object_is_refused_in_words(open_wide: ComfyUI, route: tuple[str, str], body: bytes) -> None:
    answer = ask(open_wide, route, JSON, body)
    assert answer.status_code in (400, 403)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("charset", ["nope", "utf-7", "rot13"])
@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_no_charset_breaks_a_route(open_wide: ComfyUI, route: tuple[str, str], charset: str) -> None:
    answer = ask(open_wide, route, {"Content-Type": f"application/json; charset={charset}"}, b'{"x": 1')
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_a_large_body_is_refused_whether_it_says_its_size_or_not(open_wide: ComfyUI, route: tuple[str, str]) -> None:
    assert ask(open_wide, route, JSON, b'{"x": "' + b"y" * 100_000 + b'"}').status_code in (400, 403, 413)
    assert ask(open_wide, route, JSON, iter([b'{"x": "', *[b"y" * 10_000] * 10, b'"}'])).status_code in (400, 403, 413)


@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_an_endless_body_is_not_waited_for(open_wide: ComfyUI, route: tuple[str, str]) -> None:
    path = route[1]
    for place, filled in PLACES.items():
        path = path.replace(place, filled)
    head = f"{route[0]} {path} HTTP/1.1\r\nHost: 127.0.0.1:{open_wide.port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", open_wide.port), 20) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            connection.sendall(b"4000\r\n" + b"y" * 0x4000 + b"\r\n")
        assert re.match(rb"HTTP/1\.1 4\d\d ", connection.recv(100))


@pytest.mark.parametrize(
    "handle", ["..%2F..%2Fetc", "modellix:..%2Fx", "modellix:%00", "x", "%20", "nobody:1", "a" * 5000]
)
@pytest.mark.parametrize("route", [route for route in ROUTES if "{handle}" in route[1]], ids=" ".join)
def test_a_handle_that_is_none_is_refused(open_wide: ComfyUI, route: tuple[str, str], handle: str) -> None:
    answer = ask(open_wide, (route[0], route[1].replace("{handle}", handle)), JSON)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "query", ["limit=%C2%B2", f"limit={'9' * 5000}", "limit=-1", "limit=1e3", "limit=", "state=%00"]
)
def test_a_question_that_makes_no_sense_is_refused(open_wide: ComfyUI, query: str) -> None:
    assert ask(open_wide, ("GET", f"/kling/tasks?{query}"), {}).status_code == 400


def test_nothing_changes_by_reading(open_wide: ComfyUI) -> None:
    ask(open_wide, ("GET", "/kling/tasks"), {})  # the ledger is made on first use
    before = ledger(open_wide), files(open_wide)
    for method in ("GET", "HEAD", "OPTIONS"):
        for _, path in ROUTES:
            ask(open_wide, (method, path), JSON)
            ask(open_wide, (method, f"/api{path}?id=x&created=false&key=abcdefgh"), JSON)
    assert (ledger(open_wide), files(open_wide)) == before


@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_a_changing_route_answers_to_no_get(open_wide: ComfyUI, route: tuple[str, str]) -> None:
    if ("GET", route[1]) not in ROUTES:
        assert ask(open_wide, ("GET", route[1]), JSON).status_code in (404, 405)
