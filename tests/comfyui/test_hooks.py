"""Webhooks: the provider says that a task has ended, and the pack looks. Polling goes on underneath."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from comfyui import ComfyUI, free_port
from graphs import graph, records
from truth import paint_inputs, stats, until

from kling_pack.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def reachable(with_keys: dict[str, str]) -> Iterator[ComfyUI]:
    """ComfyUI that knows under which address providers reach it."""
    port = free_port()
    with ComfyUI({**with_keys, "KLING_PUBLIC_URL": f"http://127.0.0.1:{port}"}, port=port) as started:
        paint_inputs(started.base / "input")
        yield started


@pytest.mark.parametrize("provider", ["apimodels", "eachlabs"])
def test_a_provider_calls_back_under_an_address_of_the_tasks_own(
    reachable: ComfyUI, sandbox: Sandbox, provider: str
) -> None:
    entry = reachable.run(graph("edit", prompt="call me back", provider=provider))
    assert records(entry)[0]["state"] == "done"
    until(lambda: stats(sandbox)["providers"][provider]["webhooks"] == 1)


@pytest.mark.parametrize("path", ["modellix/" + "x" * 43, "nobody/" + "x" * 43, "modellix/..%2F..", "modellix/%00"])
def test_whoever_calls_learns_nothing_and_no_body_is_read(reachable: ComfyUI, path: str) -> None:
    for body in (b"{}", b"\0" * 100_000, b'{"status": "success", "output": ["http://169.254.169.254/"]}'):
        answer = reachable._session.post(f"{reachable.address}/kling/hooks/{path}", data=body, timeout=10)
        assert (answer.status_code, answer.content) == (204, b"")


def test_nothing_is_woken_by_get(reachable: ComfyUI) -> None:
    address = f"{reachable.address}/kling/hooks/modellix/{'x' * 43}"
    assert reachable._session.get(address, timeout=10).status_code in (404, 405)
