"""Stop, failing neighbours, a blocked ComfyUI and a dead one: what is paid for is kept, what is not sent never is."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from comfyui import ComfyUI
from graphs import Graph, graph, node, records, text
from PIL import Image
from truth import behave, counted, error_of, paint_inputs, stats, until

from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]

STALL = '''
import pathlib
import time

import comfy.utils
import nodes


class Stall:
    """Blocks ComfyUI's loop as a sampler does, until a file is there, and fails if that is asked for."""

    CATEGORY, FUNCTION, RETURN_TYPES = "test", "stall", ("STRING",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"until": ("STRING", {}), "fails": ("BOOLEAN", {})}}

    @classmethod
    def IS_CHANGED(cls, **inputs):
        return float("nan")

    def stall(self, until, fails):
        ends = time.monotonic() + 60
        while not pathlib.Path(until).exists() and time.monotonic() < ends:
            time.sleep(0.02)
        if fails:
            raise RuntimeError("the neighbour failed")
        return ("from a slow node",)


class PressesStop:
    """A list of prompts. Stop is pressed in the moment in which a node of ComfyUI moves its bar for the first time."""

    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_IS_LIST = "test", "listed", ("STRING",), (True,)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"prompts": ("STRING", {})}}

    def listed(self, prompts):
        moved = comfy.utils.PROGRESS_BAR_HOOK

        def move(*args, **kwargs):
            comfy.utils.set_progress_bar_global_hook(moved)
            if not self.pressed:
                self.pressed = True
                nodes.interrupt_processing()
            return moved(*args, **kwargs)

        self.pressed = False
        comfy.utils.set_progress_bar_global_hook(move)
        return (prompts.split(", "),)


NODE_CLASS_MAPPINGS = {"Stall": Stall, "PressesStop": PressesStop}
'''


@pytest.fixture(scope="module")
def cancelling(with_keys: dict[str, str]) -> Iterator[ComfyUI]:
    """ComfyUI that cancels what is stopped, with one place in flight at EachLabs and a node that blocks."""
    made = ComfyUI({**with_keys, "KLING_ON_INTERRUPT": "cancel", "EACHLABS_CONCURRENCY": "1"})
    (made.base / "custom_nodes" / "stall.py").write_text(STALL, "utf-8")
    paint_inputs(made.base / "input")
    with made as started:
        yield started


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """The file that a stalled node waits for."""
    return tmp_path / "go"


def stalled(name: str, go: Path, fails: bool) -> Graph:
    """A node that blocks, and one that shows what it says: ComfyUI starts what waits before what computes, but an
    output node may come before either."""
    return {
        name: node("Stall", until=str(go), fails=fails),
        f"{name} shown": node("PreviewAny", source=[name, 0]),
    }


def stop(comfyui: ComfyUI, prompt_id: str) -> dict[str, Any]:
    """Presses Stop. The run ends within a second, as interrupted and not as an error."""
    began = time.monotonic()
    comfyui.interrupt()
    entry = comfyui.wait(prompt_id)
    assert time.monotonic() - began < 1
    kinds = [kind for kind, _ in entry["status"]["messages"]]
    assert "execution_interrupted" in kinds
    assert "execution_error" not in kinds
    return entry


def at(sandbox: Sandbox) -> list[str]:
    """The states of all tasks at the providers, the oldest first."""
    return [task["state"] for task in stats(sandbox)["tasks"]]


def in_ledger(comfyui: ComfyUI, count: int) -> list[str]:
    """The states of the newest tasks in the ledger, the oldest of them first."""
    return [task["state"] for task in reversed(comfyui.get(f"/kling/tasks?limit={count}")["tasks"])]


def accepted(comfyui: ComfyUI) -> bool:
    return bool(comfyui.get("/kling/tasks?state=accepted")["tasks"])


def from_eachlabs(**inputs: Any) -> Graph:
    return graph("image", provider="eachlabs", model="kling-v1-5", **inputs)


def test_a_stopped_task_goes_on_and_the_next_run_collects_it(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, seconds={"*": 1.2})
    prompt = graph("text", prompt="stopped while it runs")
    prompt_id = comfyui.queue(prompt)
    until(lambda: accepted(comfyui))
    stop(comfyui, prompt_id)
    assert at(sandbox)[0] in ("queued", "running")
    until(lambda: in_ledger(comfyui, 1) == ["done"])
    entry = comfyui.run(prompt)
    assert len(entry["outputs"]["save"]["images"]) == 1
    assert (records(entry)[0]["reused"], records(entry)[0]["cost"]) == (True, 0.0)
    assert paid() == 1


def test_the_next_run_joins_a_stopped_task_that_still_runs(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, seconds={"*": 1.5})
    prompt = graph("text", prompt="stopped and run again at once")
    prompt_id = comfyui.queue(prompt)
    until(lambda: accepted(comfyui))
    stop(comfyui, prompt_id)
    entry = comfyui.run(prompt)
    assert len(entry["outputs"]["save"]["images"]) == 1
    assert records(entry)[0]["joined"]
    assert paid() == 1


def test_stop_answers_while_a_look_hangs(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, faults=[{"fault": "hang", "on": "poll", "seconds": 2.5, "times": 1}])
    prompt = graph("text", prompt="the look hangs", provider="modellix")
    prompt_id = comfyui.queue(prompt)
    until(lambda: stats(sandbox)["providers"]["modellix"]["faults"].get("hang") == 1)
    stop(comfyui, prompt_id)
    entry = comfyui.run(prompt)
    assert len(entry["outputs"]["save"]["images"]) == 1
    assert paid() == 1


def test_stop_answers_while_the_paid_request_hangs_and_it_is_never_sent_again(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, faults=[{"fault": "hang", "on": "create", "seconds": 1.5, "times": 1}])
    prompt = graph("text", prompt="the paid request hangs", provider="modellix")
    prompt_id = comfyui.queue(prompt)
    until(lambda: paid() == 1)
    stop(comfyui, prompt_id)
    until(lambda: in_ledger(comfyui, 1) == ["uncertain"])
    error = error_of(comfyui.run(prompt))
    assert error["exception_type"] == "kling.UncertainError"
    assert "may or may not have been created" in error["exception_message"]
    assert paid() == 1


def test_stop_answers_while_an_upload_hangs_and_nothing_is_ever_sent(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, faults=[{"fault": "hang", "on": "upload", "seconds": 1, "times": 1}])
    prompt = from_eachlabs(prompt="the upload hangs")
    # One that does not lie there still from the test before.
    Image.new("RGB", (400, 400), "teal").save(comfyui.base / "input" / "new.png")
    prompt["wide"]["inputs"]["image"] = "new.png"
    prompt_id = comfyui.queue(prompt)
    until(lambda: stats(sandbox)["providers"]["eachlabs"]["uploads"] == 1)
    stop(comfyui, prompt_id)
    until(lambda: in_ledger(comfyui, 1) == ["cancelled"])
    time.sleep(1.2)
    assert paid() == 0


def test_what_waits_for_a_place_is_never_sent_after_stop(cancelling: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    behave(sandbox, seconds={"*": 60})
    first = text(cancelling.run(from_eachlabs(prompt="takes the only place", wait=False)), "task")
    prompt_id = cancelling.queue(from_eachlabs(prompt="waits for a place"))
    until(lambda: in_ledger(cancelling, 2) == ["accepted", "new"])
    stop(cancelling, prompt_id)
    until(lambda: in_ledger(cancelling, 2) == ["accepted", "cancelled"])
    assert cancelling.post(f"/kling/tasks/{first}/cancel", {}).ok
    until(lambda: in_ledger(cancelling, 2) == ["cancelled", "cancelled"])
    time.sleep(0.3)
    assert paid() == 1


def test_what_is_not_written_down_yet_is_never_sent_after_stop(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid, go: Path
) -> None:
    """The ledger is locked by another process: one node waits to be written, the other to be let in."""
    cancelling.get("/kling/tasks")
    prompt = {
        **graph("text", prompt="one that waits for the ledger"),
        "slow": node("Stall", until=str(go), fails=False),
        "2": node("KlingT2I", prompt=["slow", 0]),
        "save_2": node("SaveImage", images=["2", 0], filename_prefix="kling"),
    }
    ledger = sqlite3.connect(cancelling.base / "kling" / "ledger.sqlite", isolation_level=None)
    ledger.execute("BEGIN IMMEDIATE")
    prompt_id = cancelling.queue(prompt)
    time.sleep(0.4)
    go.touch()
    time.sleep(0.6)
    stop(cancelling, prompt_id)
    ledger.execute("ROLLBACK")
    ledger.close()
    until(lambda: in_ledger(cancelling, 1) == ["cancelled"])
    time.sleep(0.5)
    assert paid() == 0


def test_with_cancel_the_provider_is_asked_to_stop_and_the_rest_of_a_batch_is_never_sent(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, seconds={"*": 5})
    prompt = from_eachlabs(prompt="a batch to cancel")
    prompt["other"] = node("ImageInvert", image=["wide", 0])
    prompt["two"] = node("ImageBatch", image1=["wide", 0], image2=["other", 0])
    prompt["1"]["inputs"]["image"] = ["two", 0]
    prompt_id = cancelling.queue(prompt)
    until(lambda: accepted(cancelling))
    stop(cancelling, prompt_id)
    until(lambda: stats(sandbox)["providers"]["eachlabs"]["cancels"] == 1)
    assert at(sandbox) == ["cancelled"]
    until(lambda: in_ledger(cancelling, 2) == ["cancelled", "cancelled"])
    assert paid() == 1


def test_stop_reaches_every_task_of_a_list_in_whatever_moment_it_comes(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    """ComfyUI takes Stop back as soon as one node has noticed it, and a node that moves its bar does notice."""
    behave(sandbox, seconds={"*": 60})
    prompt = from_eachlabs(prompt=["list", 0])
    prompt["list"] = node("PressesStop", prompts="one of a list, two of a list, three of a list")
    began = time.monotonic()
    entry = cancelling.wait(cancelling.queue(prompt))
    assert time.monotonic() - began < 10
    assert "execution_interrupted" in [kind for kind, _ in entry["status"]["messages"]]
    until(lambda: in_ledger(cancelling, 3) == ["cancelled"] * 3)
    assert set(at(sandbox)[: paid()]) <= {"cancelled"}


def test_with_cancel_a_task_at_a_provider_that_has_none_is_kept(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, seconds={"*": 1})
    prompt = graph("text", prompt="cannot be cancelled", provider="modellix")
    prompt_id = cancelling.queue(prompt)
    until(lambda: accepted(cancelling))
    stop(cancelling, prompt_id)
    entry = cancelling.run(prompt)
    assert len(entry["outputs"]["save"]["images"]) == 1
    assert "modellix has no cancel call: the task goes on and is kept" in text(entry, "report")
    assert paid() == 1


def test_a_node_that_fails_beside_it_neither_stops_nor_cancels_a_paid_task(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid, go: Path
) -> None:
    """Not even where Stop would: nobody pressed it."""
    behave(sandbox, seconds={"*": 3})
    prompt = {**from_eachlabs(prompt="has a bad neighbour"), **stalled("bad", go, fails=True)}
    # With the picture in ComfyUI's cache the Kling node is ready at once and starts before its neighbour.
    cancelling.run({"wide": prompt["wide"], "seen": node("PreviewImage", images=["wide", 0])})
    prompt_id = cancelling.queue(prompt)
    until(lambda: accepted(cancelling))
    go.touch()
    error = error_of(cancelling.wait(prompt_id))
    assert (error["node_id"], error["exception_message"].strip()) == ("bad", "the neighbour failed")
    until(lambda: in_ledger(cancelling, 1) == ["done"])
    prompt["bad"]["inputs"]["fails"] = False
    entry = cancelling.run(prompt)
    assert records(entry)[0]["reused"]
    assert stats(sandbox)["providers"]["eachlabs"]["cancels"] == 0
    assert paid() == 1


def test_a_kling_node_that_fails_beside_it_does_not_stop_a_paid_task(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, seconds={"*": 0.2, "modellix": 1.2}, faults=[{"fault": "task_failed", "provider": "apimodels"}])
    prompt = graph("text", prompt="beside one that fails", provider="modellix")
    prompt["2"] = node("KlingT2I", prompt="fails at its provider", provider="apimodels")
    prompt["save_2"] = node("SaveImage", images=["2", 0], filename_prefix="kling")
    assert error_of(comfyui.run(prompt))["node_id"] == "2"
    until(lambda: not accepted(comfyui))
    entry = comfyui.run({name: made for name, made in prompt.items() if not name.endswith("2")})
    assert records(entry)[0]["reused"]
    assert counted(sandbox) == {"eachlabs": 0, "modellix": 1, "apimodels": 1}


@pytest.mark.parametrize(
    "neighbour",
    [node("KlingT2I", prompt=""), node("LoadImage", image="corrupt.png")],
    ids=["a bad value", "a corrupt picture"],
)
def test_a_node_that_fails_at_once_costs_nothing_twice(comfyui: ComfyUI, paid: Paid, neighbour: dict[str, Any]) -> None:
    (comfyui.base / "input" / "corrupt.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    good = graph("text", prompt=f"beside {neighbour['class_type']} that fails at once")
    bad = {"bad": neighbour, "shown": node("PreviewImage", images=["bad", 0])}
    assert error_of(comfyui.run({**good, **bad}))["node_id"] == "bad"
    until(lambda: not accepted(comfyui))
    entry = comfyui.run(good)
    assert len(entry["outputs"]["save"]["images"]) == 1
    assert paid() == 1


def test_a_task_goes_on_to_its_last_byte_while_another_node_blocks_comfyui(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid, go: Path
) -> None:
    prompt_id = cancelling.queue({**graph("text", prompt="beside a busy node"), **stalled("busy", go, fails=False)})
    until(lambda: paid() == 1 and in_ledger(cancelling, 1) == ["done"])
    assert cancelling.get("/queue")["queue_running"], "the other node was not busy any more"
    go.touch()
    assert error_of(cancelling.wait(prompt_id)) == {}


def test_after_a_crash_the_next_start_collects_without_being_asked(
    cancelling: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, seconds={"*": 5})
    prompt = graph("text", prompt="paid before the crash", provider="apimodels")
    cancelling.queue(prompt)
    until(lambda: accepted(cancelling))
    cancelling.kill()
    kept = cancelling.base / "kling" / "results"
    before = set(kept.rglob("apimodels-*"))
    cancelling.start()
    until(lambda: len(set(kept.rglob("apimodels-*.png")) - before) == 1)
    until(lambda: in_ledger(cancelling, 1) == ["done"])
    entry = cancelling.run(prompt)
    assert records(entry)[0]["reused"]
    assert paid() == 1
