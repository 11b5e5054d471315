"""API prompts for the tests: one node, what feeds it and what looks at its outputs."""

from __future__ import annotations

from typing import Any

Graph = dict[str, dict[str, Any]]
WORKFLOW: dict[str, Any] = {"nodes": [], "links": [], "extra": {}}
"""Stands for a prompt that comes from the editor."""

NODES = {
    "text": "KlingT2I",
    "image": "KlingI2I",
    "edit": "KlingO1Edit",
    "multi-image": "KlingMultiImage",
    "expand": "KlingExpand",
}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def graph(operation: str, **inputs: Any) -> Graph:
    """Node `1` with its pictures and savers: images in `save`, task and report as text in `task` and `report`."""
    pictures: dict[str, Any] = {
        "text": {},
        "image": {"image": ["wide", 0]},
        "edit": {"image_1": ["wide", 0]},
        "multi-image": {"subject_image_1": ["wide", 0]},
        "expand": {"image": ["wide", 0], "right_expansion_ratio": 0.5},
    }[operation]
    shown = 1 if operation == "expand" else 0
    prompt: Graph = {
        "wide": node("LoadImage", image="wide.png"),
        "1": node(NODES[operation], **{"prompt": "a lighthouse", **pictures, **inputs}),
        "save": node("SaveImage", images=["1", 0], filename_prefix="kling"),
        "task": node("PreviewAny", source=["1", 1 + shown]),
        "report": node("PreviewAny", source=["1", 2 + shown]),
    }
    if operation == "text":
        del prompt["wide"]
    return prompt


def text(entry: dict[str, Any], name: str) -> str:
    """What a PreviewAny node showed."""
    told: str = entry["outputs"][name]["text"][0]
    return told


def records(entry: dict[str, Any], name: str = "1") -> list[dict[str, Any]]:
    """The records a Kling node left in the history."""
    kept: list[dict[str, Any]] = entry["outputs"][name]["kling"]
    return kept
