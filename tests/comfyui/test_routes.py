"""The pack's routes on ComfyUI's server."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from graphs import graph, node, records
from PIL import Image
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


def test_a_task_tells_what_a_person_wants_to_know(comfyui: ComfyUI) -> None:
    prompt_id = comfyui.queue(graph("edit", prompt="in full", provider="eachlabs", n=2))
    handle = records(comfyui.wait(prompt_id))[0]["handle"]
    (task,) = tasks(comfyui, "?limit=1")
    told = {"node": "KlingO1Edit", "model": "kling-image-o1", "provider": "eachlabs", "state": "done", "todo": ""}
    told |= {"handle": handle, "prompt_id": prompt_id, "node_id": "1", "pictures": 2, "count": 2, "expected": None}
    assert told.items() <= task.items()
    assert task["cost"] == {"amount": "0.056", "unit": "USD", "basis": "provider"}
    assert task["seconds"] > 0
    request = comfyui.get(f"/kling/tasks/{handle}")["task"]["request"]
    assert request["fields"]["prompt"] == "in full"
    assert request["pictures"]["image"][0]["width"] == 640


def test_a_running_task_tells_how_long_it_should_take(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    behave(sandbox, seconds={"*": 30})
    prompt_id = comfyui.queue(graph("edit", prompt="how long", provider="eachlabs"))
    until(lambda: bool(tasks(comfyui, "?state=accepted")))
    (running,) = tasks(comfyui, "?state=accepted&limit=1")
    assert running["expected"] > 0
    assert running["cancels"]
    comfyui.post(f"/kling/tasks/{running['handle']}/cancel", {})
    comfyui.wait(prompt_id)


def test_a_kept_picture_is_shown_small(comfyui: ComfyUI) -> None:
    entry = comfyui.run(graph("text", prompt="small picture", provider="modellix"))
    answer = requests.get(f"{comfyui.address}/kling/tasks/{records(entry)[0]['handle']}/thumbnail", timeout=10)
    assert answer.headers["Content-Type"] == "image/webp"
    with Image.open(BytesIO(answer.content)) as small:
        assert small.size == (128, 128)
    assert len(answer.content) < 20_000


def test_without_a_kept_picture_there_is_nothing_small(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    task = lost(comfyui, sandbox, "nothing to show")
    assert requests.get(f"{comfyui.address}/kling/tasks/{task['handle']}/thumbnail", timeout=10).status_code == 404
    copied = comfyui.post(f"/kling/tasks/{task['handle']}/input", {})
    assert copied.status_code == 400
    assert "Kling Poll" in copied.json()["message"]


@pytest.mark.parametrize("handle", ["modellix:nobody", "odd:x", "modellix:..", "..%2F..%2Fetc%2Fpasswd"])
@pytest.mark.parametrize("below", ["", "/thumbnail"])
def test_only_handles_of_the_ledger_are_answered(comfyui: ComfyUI, handle: str, below: str) -> None:
    assert requests.get(f"{comfyui.address}/kling/tasks/{handle}{below}", timeout=10).status_code == 400


def test_kept_pictures_become_inputs(comfyui: ComfyUI) -> None:
    entry = comfyui.run(graph("text", prompt="once more as an input", provider="modellix", n=2))
    handle = records(entry)[0]["handle"]
    files = comfyui.post(f"/kling/tasks/{handle}/input", {}).json()["files"]
    assert files == [f"kling-{handle.replace(':', '-')}-{place}.png" for place in (1, 2)]
    assert comfyui.post(f"/kling/tasks/{handle}/input", {}).json()["files"] == files
    reused = {"9": node("LoadImage", image=files[1]), "10": node("PreviewImage", images=["9", 0])}
    assert comfyui.run(reused)["status"]["status_str"] == "success"


def test_spend_follows_what_is_paid(comfyui: ComfyUI) -> None:
    def paid() -> tuple[float, int]:
        sums = comfyui.get("/kling/spend")["today"]["paid"]
        mine = [one for one in sums if (one["provider"], one["unit"]) == ("eachlabs", "USD")]
        return sum(float(one["amount"]) for one in mine), sum(one["tasks"] for one in mine)

    amount, count = paid()
    comfyui.run(graph("edit", prompt="what it costs", provider="eachlabs"))
    assert paid() == (pytest.approx(amount + 0.028), count + 1)
    told = comfyui.get("/kling/spend")
    assert told["budget"]["usd"] is None
    assert told["budget"]["spent"] == pytest.approx(amount + 0.028, abs=0.5)
    assert set(told["month"]) == {"since", "paid", "saved"}


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
