"""Each example workflow opens in the real editor without missing nodes, and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comfyui import ComfyUI
from editor import Editor
from PIL import Image

from kling_pack.catalog.operations import OPERATIONS

EXAMPLES = sorted((Path(__file__).parents[2] / "example_workflows").glob("*.json"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_opens_and_runs(editor: Editor, comfyui: ComfyUI, file: Path) -> None:
    editor.load(json.loads(file.read_text("utf-8")))
    assert editor.missing_nodes() == []
    entry = editor.run()
    assert entry["status"]["status_str"] == "success", entry["status"]
    shown = [picture for output in entry["outputs"].values() for picture in output.get("images", [])]
    assert shown
    for picture in shown:
        with Image.open(comfyui.output(picture)) as opened:
            assert min(opened.size) >= 300
    records = [record for output in entry["outputs"].values() for record in output.get("kling", [])]
    assert records
    assert {record["provider"] for record in records} == {"sandbox"}
    assert {record["state"] for record in records} <= {"done", "accepted"}
    assert editor.messages == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_has_a_thumbnail(file: Path) -> None:
    with Image.open(file.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert min(thumbnail.size) >= 256


def test_every_node_is_in_an_example() -> None:
    shown = {node["type"] for file in EXAMPLES for node in json.loads(file.read_text("utf-8"))["nodes"]}
    assert {operation.node_id for operation in OPERATIONS} | {"KlingPoll"} <= shown


@pytest.mark.parametrize("node_id", [operation.node_id for operation in OPERATIONS])
def test_a_new_node_keeps_its_seed_after_a_run(editor: Editor, node_id: str) -> None:
    widgets: dict[str, Any] = editor.widgets(node_id)
    assert widgets["seed"] == 0
    assert widgets["control_after_generate"] == "fixed"
