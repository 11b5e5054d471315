"""The pack's routes on ComfyUI's server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from graphs import graph, records
from truth import behave, error_of, until

from kling_pack.sandbox.server import Sandbox

OWN = {"Content-Type": "application/json"}


def tasks(comfyui: ComfyUI, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = comfyui.get(f"/kling/tasks{query}")["tasks"]
    return found


def lost(comfyui: ComfyUI, sandbox: Sandbox, prompt: str) -> dict[str, Any]:
    """A task whose answer was lost on the way: paid for at the provider, uncertain here."""
    behave(sandbox, faults=[{"fault": "drop_after", "on": "create", "times": 1}])
    entry = comfyui.run(graph("text", prompt=prompt, provider="modellix"))
    assert error_of(entry)["exception_type"] == "kling.UncertainError"
    (task,) = tasks(comfyui, "?state=uncertain&limit=1")
    return task


def test_tasks_come_newest_first_and_by_state(comfyui: ComfyUI) -> None:
    comfyui.run(graph("text", prompt="first of two", provider="modellix"))
    entry = comfyui.run(graph("text", prompt="second of two", provider="modellix"))
    newest, before = tasks(comfyui, "?limit=2")
    assert newest["handle"] == records(entry)[0]["handle"]
    assert newest["number"] > before["number"]
    assert {task["state"] for task in tasks(comfyui, "?state=done")} == {"done"}
    assert not {"identity", "worker"} & set(newest)


@pytest.mark.parametrize("query", ["?state=odd", "?limit=0", "?limit=1001", "?limit=x"])
def test_a_wrong_question_is_refused(comfyui: ComfyUI, query: str) -> None:
    answer = requests.get(f"{comfyui.address}/kling/tasks{query}", timeout=10)
    assert answer.status_code == 400
    assert "must be" in answer.json()["message"]


def test_a_lost_task_is_settled_with_the_id_found_at_the_provider(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Callable[[], int]
) -> None:
    task = lost(comfyui, sandbox, "lost and found")
    (at_provider,) = requests.get(f"{sandbox.origin}/sandbox/stats", timeout=10).json()["tasks"]
    answer = comfyui.post(f"/kling/tasks/{task['handle']}/resolve", {"id": at_provider["id"]})
    assert answer.json()["task"]["state"] == "accepted"
    until(lambda: any(done["number"] == task["number"] for done in tasks(comfyui, "?state=done")))
    entry = comfyui.run(graph("text", prompt="lost and found", provider="modellix"))
    assert records(entry)[0]["reused"]
    assert paid() == 1


def test_a_lost_task_that_was_never_created_may_be_sent_again(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    task = lost(comfyui, sandbox, "never arrived")
    answer = comfyui.post(f"/kling/tasks/{task['handle']}/resolve", {"created": False})
    assert answer.json()["task"]["state"] == "failed"
    entry = comfyui.run(graph("text", prompt="never arrived", provider="modellix"))
    assert records(entry)[0]["state"] == "done"
    assert not records(entry)[0]["reused"]


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"created": True}, {"id": 5}])
def test_settling_takes_an_id_or_that_nothing_was_created(
    comfyui: ComfyUI, sandbox: Sandbox, body: dict[str, Any]
) -> None:
    task = lost(comfyui, sandbox, f"wrongly settled {body}")
    answer = comfyui.post(f"/kling/tasks/{task['handle']}/resolve", body)
    assert answer.status_code == 400
    assert "created" in answer.json()["message"]


def test_only_uncertain_tasks_are_settled(comfyui: ComfyUI) -> None:
    entry = comfyui.run(graph("text", prompt="quite certain", provider="modellix"))
    answer = comfyui.post(f"/kling/tasks/{records(entry)[0]['handle']}/resolve", {"created": False})
    assert answer.status_code == 400
    assert "which is done, not uncertain" in answer.json()["message"]


def test_a_running_task_is_cancelled_where_the_provider_can(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    behave(sandbox, seconds={"*": 30})
    prompt_id = comfyui.queue(graph("edit", prompt="cancel me", provider="eachlabs"))
    until(lambda: bool(tasks(comfyui, "?state=accepted")))
    (running,) = tasks(comfyui, "?state=accepted&limit=1")
    answer = comfyui.post(f"/kling/tasks/{running['handle']}/cancel", {})
    assert "asked to stop" in answer.json()["message"]
    entry = comfyui.wait(prompt_id)
    assert error_of(entry)["exception_type"] == "kling.FailedError"
    assert tasks(comfyui, "?limit=1")[0]["state"] == "cancelled"


def test_nothing_is_cancelled_twice(comfyui: ComfyUI) -> None:
    entry = comfyui.run(graph("text", prompt="long done", provider="modellix"))
    answer = comfyui.post(f"/kling/tasks/{records(entry)[0]['handle']}/cancel", {})
    assert "nothing to cancel" in answer.json()["message"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({**OWN, "Origin": "https://elsewhere.example"}, b"{}", 403),
        ({**OWN, "Sec-Fetch-Site": "cross-site"}, b"{}", 403),
        ({"Content-Type": "text/plain"}, b"{}", 400),
        (OWN, b"not json", 400),
        (OWN, b"[]", 400),
        (OWN, b'{"x": "' + b"y" * 70_000 + b'"}', 400),
    ],
)
def test_state_changes_only_by_json_from_comfyuis_own_pages(
    comfyui: ComfyUI, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = requests.post(f"{comfyui.address}/kling/tasks/modellix:x/cancel", data=body, headers=headers, timeout=10)
    assert answer.status_code == status


def test_nothing_changes_by_get(comfyui: ComfyUI) -> None:
    assert requests.get(f"{comfyui.address}/kling/tasks/modellix:x/cancel", timeout=10).status_code in (404, 405)
