"""ComfyUI's own cache: it keeps what is final and never stands before what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from comfyui import ComfyUI
from graphs import WORKFLOW, Graph, graph, node, records, text
from truth import behave, error_of, stats, until

from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]


def ran(entry: dict[str, Any], name: str = "1") -> bool:
    """Whether ComfyUI ran the node, and did not take its outcome from the cache."""
    cached = next(told["nodes"] for kind, told in entry["status"]["messages"] if kind == "execution_cached")
    return name not in cached


def pictures(entry: dict[str, Any], name: str = "save") -> int:
    return len(entry["outputs"].get(name, {"images": []})["images"])


def poll(task: Any, **inputs: Any) -> Graph:
    return {
        "poll": node("KlingPoll", task=task, **inputs),
        "collected": node("SaveImage", images=["poll", 0], filename_prefix="kling"),
        "status": node("PreviewAny", source=["poll", 1]),
    }


def two_pictures() -> Graph:
    """Two different pictures, so two tasks."""
    prompt = graph("image", prompt="one of them fails", provider="apimodels", model="kling-v2")
    prompt["other"] = node("ImageInvert", image=["wide", 0])
    prompt["two"] = node("ImageBatch", image1=["wide", 0], image2=["other", 0])
    prompt["1"]["inputs"]["image"] = ["two", 0]
    return prompt


@pytest.mark.parametrize("operation", ["text", "image", "edit", "multi-image", "expand"])
def test_a_final_outcome_is_kept(comfyui: ComfyUI, sandbox: Sandbox, operation: str) -> None:
    prompt = graph(operation, prompt=f"kept {operation}")
    assert ran(comfyui.run(prompt))
    before = stats(sandbox)["tasks"]
    again = comfyui.run(prompt)
    assert not any(ran(again, name) for name in prompt)
    assert stats(sandbox)["tasks"] == before


def test_what_was_not_waited_for_runs_again_until_it_is_there(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, seconds={"*": 1})
    prompt = graph("text", prompt="not waited for, then there", wait=False)
    assert pictures(comfyui.run(prompt)) == 0
    second = comfyui.run(prompt)
    assert ran(second)
    assert pictures(second) == 0
    until(lambda: not comfyui.get("/kling/tasks?state=accepted")["tasks"])
    third = comfyui.run(prompt)
    assert ran(third)
    assert pictures(third) == 1
    assert not ran(comfyui.run(prompt))
    assert paid() == 1


def test_an_unfinished_poll_runs_again_until_it_is_done(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, seconds={"*": 1})
    handle = text(comfyui.run(graph("text", prompt="polled twice", wait=False)), "task")
    prompt = poll(handle, wait=False)
    assert text(comfyui.run(prompt), "status") == "accepted"
    until(lambda: not comfyui.get("/kling/tasks?state=accepted")["tasks"])
    second = comfyui.run(prompt)
    assert ran(second, "poll")
    assert text(second, "status") == "done"
    assert pictures(second, "collected") == 1
    assert not ran(comfyui.run(prompt), "poll")
    assert paid() == 1


def test_a_poll_behind_a_node_that_does_not_wait_is_kept_with_it(comfyui: ComfyUI, paid: Paid) -> None:
    prompt = {**graph("text", prompt="a chain", wait=False), **poll(["1", 1])}
    assert pictures(comfyui.run(prompt), "collected") == 1
    second = comfyui.run(prompt)
    assert (ran(second), pictures(second), pictures(second, "collected")) == (True, 1, 1)
    third = comfyui.run(prompt)
    assert (ran(third), ran(third, "poll")) == (False, False)
    assert paid() == 1


def test_a_run_that_failed_in_part_runs_again_and_pays_for_that_part_alone(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    prompt = two_pictures()
    behave(sandbox, faults=[{"fault": "task_failed", "times": 1}])
    assert pictures(comfyui.run(prompt)) == 1
    assert paid() == 2
    second = comfyui.run(prompt)
    assert ran(second)
    assert pictures(second) == 2
    assert paid() == 3
    assert sorted(record["reused"] for record in records(second)) == [False, True]
    assert not ran(comfyui.run(prompt))


def test_a_run_that_failed_runs_again(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    prompt = graph("text", prompt="fails at first")
    behave(sandbox, faults=[{"fault": "task_failed", "times": 1}])
    assert error_of(comfyui.run(prompt))["exception_type"] == "kling.FailedError"
    assert pictures(comfyui.run(prompt)) == 1
    assert not ran(comfyui.run(prompt))
    assert paid() == 2


def test_a_new_seed_pays_for_a_new_picture_and_an_old_one_never_again(comfyui: ComfyUI, paid: Paid) -> None:
    for seed in (1, 2):
        assert pictures(comfyui.run(graph("text", prompt="by seed", seed=seed))) == 1
    assert paid() == 2
    old = comfyui.run(graph("text", prompt="by seed", seed=1))
    assert records(old)[0]["reused"]
    assert paid() == 2


def test_two_nodes_that_ask_for_the_same_share_one_task(comfyui: ComfyUI, paid: Paid) -> None:
    """ComfyUI takes them for different ones; the pack does not."""
    prompt = graph("text", prompt="twins")
    prompt["2"] = node("KlingT2I", prompt="twins", n=1)
    prompt["save_2"] = node("SaveImage", images=["2", 0], filename_prefix="kling")
    entry = comfyui.run(prompt)
    assert (pictures(entry), pictures(entry, "save_2")) == (1, 1)
    assert paid() == 1


@pytest.fixture(scope="module")
def keyless(sandbox: Sandbox) -> Iterator[ComfyUI]:
    """ComfyUI without any key."""
    variables = {"MODELLIX_BASE_URL": sandbox.base_url("modellix"), "KLING_SANDBOX": "editor"}
    with ComfyUI(variables) as started:
        yield started


def test_once_a_key_is_set_only_what_auto_sent_to_the_sandbox_runs_again(keyless: ComfyUI, paid: Paid) -> None:
    prompt = graph("text", prompt="by auto")
    prompt["2"] = node("KlingT2I", prompt="by name", provider="sandbox")
    prompt["save_2"] = node("SaveImage", images=["2", 0], filename_prefix="kling")
    first = keyless.run(prompt, workflow=WORKFLOW)
    assert [record["provider"] for record in (*records(first), *records(first, "2"))] == ["sandbox", "sandbox"]
    second = keyless.run(prompt, workflow=WORKFLOW)
    assert (ran(second), ran(second, "2")) == (False, False)

    keys = keyless.base / "kling" / "keys.json"
    keys.write_text(json.dumps({"modellix": "a-key-set-later-0123456789"}), "utf-8")
    third = keyless.run(prompt, workflow=WORKFLOW)
    assert (ran(third), ran(third, "2")) == (True, False)
    assert records(third)[0]["provider"] == "modellix"
    assert paid() == 1

    keys.unlink()
    fourth = keyless.run(prompt, workflow=WORKFLOW)
    assert (ran(fourth), ran(fourth, "2")) == (False, False)
    assert paid() == 1
