"""The same tasks as API prompts, for the pack and for ComfyUI's own Kling node."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

Node = dict[str, Any]
Graph = dict[str, Node]
Maker = Callable[[int, bool], Node]

_numbers = itertools.count(int(time.time()))
"""Behind each prompt: no request is one that was made before, not even in an earlier benchmark."""


def node(kind: str, **inputs: Any) -> Node:
    return {"class_type": kind, "inputs": inputs}


def words() -> str:
    return f"a lighthouse, number {next(_numbers)}"


def pack(n: int, large: bool) -> Node:
    """The pack's node for `n` pictures in one task, at 1k or 2k."""
    model = {"provider": "modellix", "model": "kling-v3", "aspect_ratio": "1:1", "resolution": "2k" if large else "1k"}
    return node("KlingT2I", prompt=words(), n=n, **model)


def own(n: int, large: bool) -> Node:
    """ComfyUI's own for the same; benchmark/standin.py says how it comes by 2k."""
    asked = {"prompt": words(), "negative_prompt": "", "n": n, "aspect_ratio": "1:1"}
    asked |= {"image_type": "subject", "image_fidelity": 0.5, "human_fidelity": 0.45}
    return node("KlingImageGenerationNode", model_name="kling-v2" if large else "kling-v1", **asked)


def tasks(make: Maker, count: int = 1, n: int = 1, large: bool = False) -> Graph:
    """So many nodes beside each other, each with one task of `n` pictures."""
    graph: Graph = {}
    for number in range(count):
        graph[f"task {number}"] = make(n, large)
        graph[f"received {number}"] = node("BenchmarkReceive", source=[f"task {number}", 0])
    return graph


def nothing() -> Graph:
    """A graph without a task."""
    return {"hold": node("BenchmarkHold", seconds=0.0), "held": node("BenchmarkReceive", source=["hold", 0])}


def beside_a_hold(make: Maker, seconds: float) -> Graph:
    """One task, and a node beside it that holds ComfyUI's loop."""
    return tasks(make) | nothing() | {"hold": node("BenchmarkHold", seconds=seconds)}


def listed(count: int, waiter: Node, socket: str) -> Graph:
    """One node that runs once for each of a list of texts."""
    texts = node("BenchmarkTexts", start=words(), count=count)
    waiter = {**waiter, "inputs": {**waiter["inputs"], socket: ["texts", 0]}}
    return {"texts": texts, "waiter": waiter, "received": node("BenchmarkReceive", source=["waiter", 0])}


def converted(make: Maker, side: int, runs: int) -> Graph:
    """A picture whose upper left `side`×`side` pixels are made upload bytes of, by the pack and by ComfyUI."""
    convert = node("BenchmarkConvert", images=["task", 0], side=side, runs=runs)
    return {"task": make(1, True), "convert": convert}
