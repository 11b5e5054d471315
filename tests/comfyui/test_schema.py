"""What ComfyUI tells the editor about the nodes, held against the contract and a stored snapshot."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from comfyui import ComfyUI

from kling_pack.catalog.operations import OPERATIONS

SNAPSHOT = Path(__file__).parent / "object_info.json"
STORED = ("display_name", "description", "input", "input_order", "output", "output_name", "output_tooltips")
NODES = (*(operation.node_id for operation in OPERATIONS), "KlingPoll")

INPUTS = {
    "KlingT2I": "prompt model aspect_ratio provider resolution n negative_prompt seed wait",
    "KlingI2I": "image prompt model image_reference image_fidelity human_fidelity aspect_ratio provider resolution n "
    "negative_prompt seed wait",
    "KlingO1Edit": "prompt image_1 image_2 image_3 image_4 image_5 image_6 image_7 image_8 image_9 image_10 model "
    "aspect_ratio output_format provider resolution n seed wait",
    "KlingMultiImage": "prompt subject_image_1 subject_image_2 subject_image_3 subject_image_4 scene_image style_image "
    "model aspect_ratio provider n seed wait",
    "KlingExpand": "image prompt up_expansion_ratio down_expansion_ratio left_expansion_ratio right_expansion_ratio "
    "target_aspect anchor model provider n seed wait",
    "KlingPoll": "task wait timeout",
}
OUTPUTS = {
    **dict.fromkeys(NODES, ["images", "task", "report"]),
    "KlingExpand": ["images", "mask", "task", "report"],
    "KlingPoll": ["images", "status", "report"],
}
REQUIRED = {
    "KlingT2I": {"prompt"},
    "KlingI2I": {"prompt", "image"},
    "KlingO1Edit": {"prompt", "image_1"},
    "KlingMultiImage": {"prompt", "subject_image_1"},
    "KlingExpand": {"prompt", "image"},
    "KlingPoll": {"task"},
}


@pytest.fixture(scope="module")
def info(comfyui: ComfyUI) -> dict[str, Any]:
    told = comfyui.object_info()
    return {name: told[name] for name in NODES}


@pytest.mark.parametrize("name", NODES)
def test_inputs_and_outputs_are_the_contracts(info: dict[str, Any], name: str) -> None:
    order = info[name]["input_order"]
    assert set(order["required"]) == REQUIRED[name]
    assert set(order["required"]) | set(order.get("optional", [])) == set(INPUTS[name].split())
    assert info[name]["output_name"] == OUTPUTS[name]
    assert info[name]["category"] == "Kling"
    assert not info[name].get("api_node")


@pytest.mark.parametrize("name", NODES)
def test_every_input_says_what_it_is_for(info: dict[str, Any], name: str) -> None:
    for group in ("required", "optional"):
        for field, (_, options) in info[name]["input"].get(group, {}).items():
            assert options.get("tooltip"), field


def test_object_info_is_as_stored(info: dict[str, Any]) -> None:
    """Set STORE_SNAPSHOT=1 to store it anew, and look at the difference."""
    told = {name: {part: info[name][part] for part in STORED} for name in NODES}
    if os.environ.get("STORE_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert told == json.loads(SNAPSHOT.read_text("utf-8"))


def test_the_catalogue_is_served(comfyui: ComfyUI) -> None:
    told = comfyui.get("/kling/catalog")
    assert [operation["node"] for operation in told["operations"]] == [operation.node_id for operation in OPERATIONS]
    assert all(provider["key"] for provider in told["providers"].values())
