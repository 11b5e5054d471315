"""Going on without waiting, collecting later by handle, and what the node shows meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from graphs import Graph, graph, node, records, text
from listening import Listening
from truth import behave, error_of, stats, until

from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]


def polling(task: Any, **inputs: Any) -> Graph:
    """KlingPoll as node `poll`, its outputs in `collected`, `status` and `told`."""
    return {
        "poll": node("KlingPoll", task=task, **inputs),
        "collected": node("SaveImage", images=["poll", 0], filename_prefix="kling"),
        "status": node("PreviewAny", source=["poll", 1]),
        "told": node("PreviewAny", source=["poll", 2]),
    }


def made_elsewhere(sandbox: Sandbox, **order: Any) -> str:
    """The handle of a task at Modellix that this ledger knows nothing of."""
    address = f"{sandbox.base_url('modellix')}/kling/kling-v3-t2i/async"
    answer = requests.post(address, json=order, headers={"Authorization": "Bearer key-of-another"}, timeout=10)
    return f"modellix:{answer.json()['data']['task_id']}"


def ended(sandbox: Sandbox) -> bool:
    return all(task["state"] not in ("queued", "running") for task in stats(sandbox)["tasks"])


def settled(comfyui: ComfyUI) -> bool:
    return not comfyui.get("/kling/tasks?state=accepted")["tasks"]


@pytest.fixture
def slow(sandbox: Sandbox, comfyui: ComfyUI) -> Any:
    """A task takes 1.2 s; the test ends when all of them have."""
    behave(sandbox, seconds={"*": 1.2})
    yield
    until(lambda: settled(comfyui))


@pytest.fixture(scope="module")
def done(comfyui: ComfyUI, sandbox: Sandbox) -> list[str]:
    """Handles of two tasks that earlier runs paid for and collected, at two providers."""
    entries = [
        comfyui.run(graph("text", prompt=f"collected before at {name}", provider=name))
        for name in ("modellix", "apimodels")
    ]
    return [text(entry, "task") for entry in entries]


@pytest.mark.parametrize("provider", ["eachlabs", "modellix", "apimodels"])
def test_with_wait_off_the_node_returns_before_the_task_is_done(
    slow: None, comfyui: ComfyUI, sandbox: Sandbox, provider: str
) -> None:
    model = "kling-v1-5" if provider == "eachlabs" else "kling-v3"
    prompt = graph("image", wait=False, provider=provider, model=model, prompt="not waited for")
    entry = comfyui.run(prompt)
    assert not ended(sandbox)
    assert error_of(entry) == {}
    assert "save" not in entry["outputs"]
    (record,) = records(entry)
    assert (record["state"], record["provider"], record["error"]) == ("accepted", provider, None)
    assert text(entry, "task") == record["handle"] == f"{provider}:{stats(sandbox)['tasks'][0]['id']}"
    assert text(entry, "report").startswith(f"{model} at {provider} · 1 image · ")
    assert text(entry, "report").endswith(f"{record['handle']} · accepted")


def test_with_wait_off_the_mask_blocks_too(slow: None, comfyui: ComfyUI, sandbox: Sandbox) -> None:
    prompt = graph("expand", wait=False, prompt="no mask yet")
    prompt["as_image"] = node("MaskToImage", mask=["1", 1])
    prompt["save_mask"] = node("SaveImage", images=["as_image", 0], filename_prefix="mask")
    entry = comfyui.run(prompt)
    assert error_of(entry) == {}
    assert {"task", "report"} <= set(entry["outputs"])
    assert not {"save", "save_mask"} & set(entry["outputs"])


def test_kling_poll_behind_task_collects_in_the_same_prompt(
    slow: None, comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    entry = comfyui.run({**graph("text", wait=False, prompt="chained"), **polling(["1", 1])})
    assert error_of(entry) == {}
    assert "save" not in entry["outputs"]
    assert comfyui.output(entry["outputs"]["collected"]["images"][0]).is_file()
    assert text(entry, "status") == "done"
    (record,) = records(entry, "poll")
    assert (record["state"], record["handle"], record["cost"]) == ("done", text(entry, "task"), 0.0)
    assert paid() == 1


def test_a_handle_of_an_old_run_is_collected_without_asking_anybody(
    comfyui: ComfyUI, sandbox: Sandbox, done: list[str]
) -> None:
    entry = comfyui.run(polling(done[0], wait=False))
    assert text(entry, "status") == "done"
    assert len(entry["outputs"]["collected"]["images"]) == 1
    assert f"nothing paid now · {done[0]} · reused" in text(entry, "told")
    assert stats(sandbox)["providers"]["modellix"]["requests"] == 0


def test_many_handles_are_collected_in_their_order(comfyui: ComfyUI, done: list[str], paid: Paid) -> None:
    entry = comfyui.run(polling("\n".join([done[1], "", f"  {done[0]} ", done[1]])))
    assert text(entry, "status") == "done\ndone\ndone"
    assert [record["handle"] for record in records(entry, "poll")] == [done[1], done[0], done[1]]
    first, second, third = (comfyui.output(one).read_bytes() for one in entry["outputs"]["collected"]["images"])
    assert len(first) == len(third) != len(second)
    assert paid() == 0


def test_a_task_is_found_by_its_number_in_the_ledger(comfyui: ComfyUI, done: list[str]) -> None:
    tasks = comfyui.get("/kling/tasks?limit=1000")["tasks"]
    number = next(task["number"] for task in tasks if task["handle"] == done[0])
    entry = comfyui.run(polling(f"modellix:~{number}"))
    assert text(entry, "status") == "done"
    assert records(entry, "poll")[0]["handle"] == done[0]


def test_a_task_that_another_machine_paid_for_is_collected(slow: None, comfyui: ComfyUI, sandbox: Sandbox) -> None:
    entry = comfyui.run(polling(made_elsewhere(sandbox, prompt="made elsewhere", n=2)))
    assert error_of(entry) == {}
    assert text(entry, "status") == "done"
    assert len(entry["outputs"]["collected"]["images"]) == 2


def test_an_id_that_the_provider_does_not_know_is_an_error(comfyui: ComfyUI, paid: Paid) -> None:
    error = error_of(comfyui.run(polling("modellix:nobody-knows-this")))
    assert error["exception_type"] == "kling.FailedError"
    assert error["exception_message"].startswith(
        "Task modellix:nobody-knows-this is not in this ledger, and modellix does not know its id"
    )
    assert "Nothing was paid by asking: check the handle" in error["exception_message"]
    assert paid() == 0


@pytest.mark.parametrize("inputs", [{"wait": False}, {"timeout": 0}], ids=str)
def test_an_unfinished_task_blocks_the_pictures_and_is_no_error(
    slow: None, comfyui: ComfyUI, sandbox: Sandbox, inputs: dict[str, Any]
) -> None:
    handle = text(comfyui.run(graph("text", wait=False, prompt=f"unfinished {inputs}")), "task")
    entry = comfyui.run(polling(handle, **inputs))
    assert error_of(entry) == {}
    assert "collected" not in entry["outputs"]
    assert text(entry, "status") == "accepted"
    assert text(entry, "told").endswith("accepted")
    assert not ended(sandbox)


def test_an_unfinished_task_holds_the_finished_ones_back(slow: None, comfyui: ComfyUI, done: list[str]) -> None:
    handle = text(comfyui.run(graph("text", wait=False, prompt="half of them")), "task")
    entry = comfyui.run(polling(f"{done[0]}\n{handle}", wait=False))
    assert error_of(entry) == {}
    assert text(entry, "status") == "done\naccepted"
    assert "collected" not in entry["outputs"]


def test_a_failed_task_does_not_keep_the_finished_ones_back(
    comfyui: ComfyUI, sandbox: Sandbox, done: list[str]
) -> None:
    behave(sandbox, faults=[{"fault": "task_failed", "reason": "Too dark"}])
    handle = text(comfyui.run(graph("text", wait=False, prompt="will fail", provider="modellix")), "task")
    entry = comfyui.run(polling(f"{handle}\n{done[0]}"))
    assert error_of(entry) == {}
    assert text(entry, "status") == "failed\ndone"
    assert len(entry["outputs"]["collected"]["images"]) == 1
    assert "Too dark" in text(entry, "told").splitlines()[0]


@pytest.mark.parametrize("wait", [True, False])
def test_a_look_that_hangs_ends_with_the_timeout(slow: None, comfyui: ComfyUI, sandbox: Sandbox, wait: bool) -> None:
    handle = made_elsewhere(sandbox, prompt=f"nobody answers {wait}")
    behave(sandbox, faults=[{"fault": "hang", "on": "poll", "seconds": 2.5, "times": 1}])
    began = time.monotonic()
    entry = comfyui.run(polling(handle, wait=wait, timeout=1))
    assert time.monotonic() - began < 2
    assert error_of(entry) == {}
    assert text(entry, "status") == "accepted"


def test_the_node_shows_state_seconds_and_cost_while_it_waits(
    slow: None, comfyui: ComfyUI, sandbox: Sandbox, with_keys: dict[str, str]
) -> None:
    behave(sandbox, seconds={"*": 2.5})  # longer than any before: a look that expects the end finds it running
    with Listening(comfyui) as heard:
        comfyui.run(graph("text", prompt="watched", provider="apimodels"))
    lines = [line for node_id, line in heard.texts if node_id == "1"]
    assert any(line.endswith(" · 0.151 credits") and " · 1 s of about " in line for line in lines), lines
    assert {line.split(" · ")[0] for line in lines} >= {"processing", "done"}
    everything = json.dumps([heard.texts, heard.events])
    secrets = [value for name, value in with_keys.items() if name.endswith("_API_KEY")]
    assert not [secret for secret in (*secrets, "http://", "token=") if secret in everything]


def test_the_progress_bar_grows_to_its_end(slow: None, comfyui: ComfyUI) -> None:
    with Listening(comfyui) as heard:
        comfyui.run(graph("text", prompt="watched too", provider="apimodels"))
    values = [value for value, most in heard.bars("1") if most == 100]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0, 100)
    assert len(set(values)) > 2


def test_the_text_counts_the_tasks_of_a_batch(slow: None, comfyui: ComfyUI) -> None:
    prompt = graph("image", prompt="two watched", provider="apimodels", model="kling-v2")
    prompt["other"] = node("ImageInvert", image=["wide", 0])
    prompt["two"] = node("ImageBatch", image1=["wide", 0], image2=["other", 0])
    prompt["1"]["inputs"]["image"] = ["two", 0]
    with Listening(comfyui) as heard:
        comfyui.run(prompt)
    assert any(line.startswith("0 of 2 done · ") for _, line in heard.texts)
    assert heard.texts[-1][1].startswith("2 of 2 done · ")
