"""From a workflow as the editor saves it to the prompt that ComfyUI runs."""

from __future__ import annotations

from typing import Any

import pytest
from workflow import WorkflowError, to_prompt

INFO: dict[str, Any] = {
    "Load": {
        "input": {"required": {"image": [["a.png", "b.png"], {"image_upload": True}]}},
        "input_order": {"required": ["image"]},
    },
    "Make": {
        "input": {
            "required": {"image": ["IMAGE", {}], "prompt": ["STRING", {"multiline": True}]},
            "optional": {
                "model": ["COMBO", {"options": ["x", "y"]}],
                "seed": ["INT", {"control_after_generate": True}],
                "wait": ["BOOLEAN", {}],
            },
        },
        "input_order": {"required": ["image", "prompt"], "optional": ["model", "seed", "wait"]},
    },
    "Save": {"input": {"required": {"images": ["IMAGE"]}}, "input_order": {"required": ["images"]}},
}


def node(number: int, kind: str, values: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "mode": 0, "widgets_values": values or [], **more}


def graph(*nodes: dict[str, Any], links: list[list[Any]] | None = None) -> dict[str, Any]:
    return {"nodes": list(nodes), "links": links or []}


def test_widgets_sockets_and_links_become_inputs() -> None:
    workflow = graph(
        node(1, "Load", ["b.png", "image"]),
        node(2, "Make", ["a boat", "y", 7, "fixed", False], inputs=[{"name": "image", "link": 5}]),
        node(3, "Save", inputs=[{"name": "images", "link": 6}]),
        links=[[5, 1, 0, 2, 0, "IMAGE"], [6, 2, 1, 3, 0, "IMAGE"]],
    )
    assert to_prompt(workflow, INFO) == {
        "1": {"class_type": "Load", "inputs": {"image": "b.png"}},
        "2": {
            "class_type": "Make",
            "inputs": {"image": ["1", 0], "prompt": "a boat", "model": "y", "seed": 7, "wait": False},
        },
        "3": {"class_type": "Save", "inputs": {"images": ["2", 1]}},
    }


def test_a_link_into_a_widget_takes_its_place() -> None:
    workflow = graph(
        node(1, "Load", ["a.png", "image"]),
        node(
            2,
            "Make",
            ["unused", "x", 0, "randomize", True],
            inputs=[{"name": "image", "link": 1}, {"name": "prompt", "link": 2, "widget": {"name": "prompt"}}],
        ),
        links=[[1, 1, 0, 2, 0, "IMAGE"], [2, 1, 0, 2, 1, "STRING"]],
    )
    assert to_prompt(workflow, INFO)["2"]["inputs"]["prompt"] == ["1", 0]


def test_reroutes_are_followed_and_notes_left_out() -> None:
    workflow = graph(
        node(1, "Load", ["a.png", "image"]),
        node(2, "Reroute", inputs=[{"name": "", "link": 1}]),
        node(3, "Save", inputs=[{"name": "images", "link": 2}]),
        node(4, "MarkdownNote", ["# About"]),
        links=[[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "IMAGE"]],
    )
    prompt = to_prompt(workflow, INFO)
    assert set(prompt) == {"1", "3"}
    assert prompt["3"]["inputs"] == {"images": ["1", 0]}


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (node(2, "Save", mode=4), r"node 2 \(Save\) is muted or bypassed"),
        (node(2, "Nowhere"), r"node 2 \(Nowhere\) is no node that this ComfyUI knows"),
        (node(2, "Make", ["a boat", "x"]), r"node 2 \(Make\) has no value for seed"),
        (node(2, "Make", ["a boat", "x", 7, True]), r"node 2 \(Make\) has no after-run control behind seed"),
    ],
)
def test_what_cannot_be_converted_is_named(broken: dict[str, Any], told: str) -> None:
    with pytest.raises(WorkflowError, match=told):
        to_prompt(graph(broken), INFO)
