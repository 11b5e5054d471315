"""The first run, before any key is set, and the setting that decides when the sandbox stands in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from comfyui import ComfyUI
from graphs import NODES, WORKFLOW, Graph, graph, node, records, text
from pack import ROOT
from PIL import Image
from truth import counted, error_of, paint_inputs

from kling_pack.sandbox.art.mark import RIBBON, mark_box
from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]
SETTINGS = ("editor", "never", "always")


@pytest.fixture(scope="module")
def started(with_keys: dict[str, str]) -> Iterator[Mapping[str, ComfyUI]]:
    """One ComfyUI for each value of KLING_SANDBOX; only the one with `always` has keys."""
    variables = {setting: {"KLING_SANDBOX": setting} for setting in SETTINGS}
    variables["always"] = {**with_keys, **variables["always"]}
    made = {setting: ComfyUI(variables[setting]) for setting in SETTINGS}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        for one in made.values():
            paint_inputs(one.base / "input")
            stack.push(one)
        list(pool.map(ComfyUI.start, made.values()))
        yield made


@pytest.fixture
def editor(started: Mapping[str, ComfyUI]) -> ComfyUI:
    return started["editor"]


def is_marked(comfyui: ComfyUI, told: Mapping[str, str]) -> bool:
    """Whether the sandbox's ribbon lies across the picture's corner."""
    with Image.open(comfyui.output(told)) as picture:
        corner = np.asarray(picture.convert("RGB").crop(mark_box(picture.size)))
    return bool((np.abs(corner.astype(int) - RIBBON[:3]).max(axis=2) < 8).mean() > 0.1)


def every_node() -> Graph:
    """All five nodes in one prompt, their savers named after the operation."""
    prompt: Graph = {}
    for operation in NODES:
        own = graph(operation, prompt=f"the first {operation}")
        prompt |= {"wide": own["wide"]} if "wide" in own else {}
        prompt[operation] = own["1"]
        prompt[f"save {operation}"] = node("SaveImage", images=[operation, 0], filename_prefix="first")
    return prompt


def test_without_a_key_every_node_of_a_prompt_from_the_editor_goes_to_the_sandbox(editor: ComfyUI) -> None:
    entry = editor.run(every_node(), workflow=WORKFLOW)
    assert error_of(entry) == {}
    for operation in NODES:
        (record,) = records(entry, operation)
        assert (record["state"], record["provider"], record["cost"]) == ("done", "sandbox", 0.0)
        (picture,) = entry["outputs"][f"save {operation}"]["images"]
        assert is_marked(editor, picture)


def test_the_report_says_that_it_was_the_sandbox_and_free(editor: ComfyUI) -> None:
    report = text(editor.run(graph("text", prompt="reported"), workflow=WORKFLOW), "report")
    assert report.startswith("kling-v3 at sandbox · 1 image · ")
    assert " · free · sandbox:" in report


def test_without_a_key_a_headless_prompt_is_told_what_to_set(editor: ComfyUI) -> None:
    error = error_of(editor.run(graph("text", prompt="headless")))
    assert error["exception_type"] == "kling.SetupError"
    assert error["exception_message"].strip() == (
        "No provider with a key offers kling-v3 for text; modellix and apimodels offer it. No key is set at all. "
        "Nothing was sent and nothing was paid. Set MODELLIX_API_KEY or save a key in the settings, or choose "
        "provider sandbox."
    )


def test_a_provider_without_a_key_is_told_which_one_to_set(editor: ComfyUI) -> None:
    error = error_of(editor.run(graph("edit", prompt="no key", provider="eachlabs"), workflow=WORKFLOW))
    assert error["exception_type"] == "kling.SetupError"
    assert error["exception_message"].strip() == (
        "provider is eachlabs, which has no key. Nothing was sent and nothing was paid. Set EACHLABS_API_KEY or save "
        "a key in the settings, or choose sandbox to try without one."
    )


def test_the_provider_sandbox_always_works(started: Mapping[str, ComfyUI], paid: Paid) -> None:
    prompt = graph("text", prompt="asked for by name", provider="sandbox")
    queued = {setting: started[setting].queue(prompt) for setting in SETTINGS}
    for setting, prompt_id in queued.items():
        entry = started[setting].wait(prompt_id)
        assert records(entry)[0]["provider"] == "sandbox"
        assert is_marked(started[setting], entry["outputs"]["save"]["images"][0])
    assert paid() == 0


@pytest.mark.parametrize("workflow", [WORKFLOW, None], ids=["from the editor", "headless"])
def test_with_never_auto_is_never_the_sandbox(started: Mapping[str, ComfyUI], workflow: Any) -> None:
    error = error_of(started["never"].run(graph("text", prompt="never"), workflow=workflow))
    assert error["exception_type"] == "kling.SetupError"
    assert "No key is set at all." in error["exception_message"]


@pytest.mark.parametrize("workflow", [WORKFLOW, None], ids=["from the editor", "headless"])
def test_with_always_auto_is_the_sandbox_whatever_keys_there_are(
    started: Mapping[str, ComfyUI], paid: Paid, workflow: Any
) -> None:
    entry = started["always"].run(graph("text", prompt=f"always {bool(workflow)}"), workflow=workflow)
    assert records(entry)[0]["provider"] == "sandbox"
    assert paid() == 0


def test_with_always_a_provider_that_is_named_is_meant(started: Mapping[str, ComfyUI], sandbox: Sandbox) -> None:
    entry = started["always"].run(graph("text", prompt="named", provider="modellix"), workflow=WORKFLOW)
    assert records(entry)[0]["provider"] == "modellix"
    assert counted(sandbox) == {"eachlabs": 0, "modellix": 1, "apimodels": 0}


def test_the_history_tells_no_key_no_link_and_no_path(
    started: Mapping[str, ComfyUI], with_keys: Mapping[str, str]
) -> None:
    keys = [value for name, value in with_keys.items() if name.endswith("_API_KEY")]
    for comfyui in started.values():
        history = comfyui.get("/history")
        assert history
        for entry in history.values():
            error_of(entry).pop("traceback", None)  # ComfyUI's own, of where the code lies
        told = json.dumps(history)
        private = (*keys, str(comfyui.base), str(ROOT), "http:", "https:", "Bearer")
        assert [secret for secret in private if secret in told] == []
