"""Whatever a provider answers, an adapter returns a value: it never raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kling_pack.providers import ADAPTERS
from kling_pack.providers.base import Created, Place, Refused, Reply, Status, Unclear

NAMES = st.sampled_from(
    [
        "id",
        "status",
        "state",
        "code",
        "data",
        "task_id",
        "taskId",
        "predictionID",
        "output",
        "result",
        "resources",
        "resultUrls",
        "url",
        "images",
        "metrics",
        "cost",
        "message",
        "error",
        "failMsg",
        "presigned_url",
        "public_url",
        "required_headers",
        "uploadUrl",
        "publicUrl",
    ]
)
WORDS = st.sampled_from(["success", "completed", "failed", "error", "cancelled", "https://a.example.com/a.png"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=6),
    max_leaves=20,
)
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 402, 404, 408, 429, 500, 503]) | st.integers(100, 599)


def only_values(reply: Reply) -> None:
    for adapter in ADAPTERS.values():
        assert isinstance(adapter.created(reply), Created | Refused | Unclear)
        assert isinstance(adapter.place(reply, "image/png"), Place | Refused | Unclear)
        status = adapter.status(reply)
        assert isinstance(status, Status | Refused | Unclear)
        if isinstance(status, Status):
            assert all(isinstance(link, str) for link in status.links)
            assert isinstance(status.word, str)
            assert isinstance(status.reason, str)


@given(STATUSES, ANYTHING)
@example(200, {"data": {"status": "success", "state": "completed", "result": 10**4000}, "code": 10**4000})
@example(200, {"status": "success", "output": 1e308, "metrics": {"cost": 10**4000}})
@example(200, {"status": ["success"], "id": {"a": 1}, "code": "0", "data": []})
@example(200, {"presigned_url": "https://a", "public_url": "https://b", "required_headers": {"a": [[]], "b": None}})
@pytest.mark.slow
def test_any_json(status: int, body: Any) -> None:
    only_values(Reply(status, json.dumps(body).encode()))


@given(STATUSES, st.binary(max_size=200))
@example(200, b'{"status": "success", "output": ' + b"[" * 900 + b"]" * 900 + b"}")
@example(200, b'{"code": 0, "data": {"status": "failed", "x": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}")
@example(200, b'{"status": "success", "metrics": {"cost": ' + b"[" * 900 + b"]" * 900 + b"}}")
@example(200, b'{"code": ' + b"9" * 5000 + b"}")
@example(200, b'{"status": "success", "metrics": {"cost": 1e999999}}')
@example(200, b"[" * 100_000)
@example(500, b"\xef\xbb\xbf{}")
def test_any_bytes(status: int, body: bytes) -> None:
    only_values(Reply(status, body))


@pytest.mark.slow
@given(STATUSES, ANYTHING, ANYTHING, ANYTHING)
def test_the_providers_own_shapes_with_anything_inside(status: int, inner: Any, code: Any, word: Any) -> None:
    only_values(Reply(status, json.dumps({"status": word, "output": inner, "metrics": inner, "id": code}).encode()))
    data = {"status": word, "state": word, "result": inner, "resultUrls": inner, "task_id": inner}
    for known in (0, 200, code):
        only_values(Reply(status, json.dumps({"code": known, "msg": inner, "data": data}).encode()))
