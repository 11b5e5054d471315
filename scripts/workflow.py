"""From a workflow as the editor saves it to the prompt that ComfyUI runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ONLY_SHOWN = ("Note", "MarkdownNote")
PASSED_THROUGH = "Reroute"
RUNS_ALWAYS = 0
AFTER_RUN = ("fixed", "increment", "decrement", "randomize")
WIDGETS = ("STRING", "INT", "FLOAT", "BOOLEAN", "COMBO")


class WorkflowError(ValueError):
    """The workflow holds something that this conversion does not know; the message names the node."""


def to_prompt(workflow: Mapping[str, Any], object_info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The API prompt of a workflow. `object_info` is what `GET /object_info` told.

    Raises WorkflowError for nodes that are missing, muted, bypassed or hidden in a subgraph.
    """
    nodes = {node["id"]: node for node in workflow["nodes"]}
    links = {link[0]: (link[1], link[2]) for link in workflow["links"]}
    return {
        str(node["id"]): {"class_type": node["type"], "inputs": _inputs(node, nodes, links, object_info)}
        for node in nodes.values()
        if node["type"] not in (*ONLY_SHOWN, PASSED_THROUGH)
    }


def _inputs(
    node: Mapping[str, Any],
    nodes: Mapping[int, Mapping[str, Any]],
    links: Mapping[int, tuple[int, int]],
    object_info: Mapping[str, Any],
) -> dict[str, Any]:
    where = f"node {node['id']} ({node['type']})"
    if node.get("mode", RUNS_ALWAYS) != RUNS_ALWAYS:
        raise WorkflowError(f"{where} is muted or bypassed")
    if node["type"] not in object_info:
        raise WorkflowError(f"{where} is no node that this ComfyUI knows")
    given = dict(_widget_values(node, object_info[node["type"]], where))
    for socket in node.get("inputs", []):
        if socket.get("link") is not None:
            source, slot = _source(links[socket["link"]], nodes, links)
            given[socket["name"]] = [str(source), slot]
    return given


def _source(
    end: tuple[int, int], nodes: Mapping[int, Mapping[str, Any]], links: Mapping[int, tuple[int, int]]
) -> tuple[int, int]:
    """The node and output behind a link, past any reroutes."""
    node = nodes[end[0]]
    if node["type"] != PASSED_THROUGH:
        return end
    return _source(links[node["inputs"][0]["link"]], nodes, links)


def _widget_values(node: Mapping[str, Any], info: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """The node's saved values by name; values that belong to the editor alone are passed over."""
    values = iter(node.get("widgets_values") or [])
    for name, kind, options in _declared(info):
        if not (isinstance(kind, list) or kind in WIDGETS) or options.get("forceInput"):
            continue
        try:
            yield name, next(values)
            if options.get("control_after_generate") and next(values) not in AFTER_RUN:
                raise WorkflowError(f"{where} has no after-run control behind {name}")
            if options.get("image_upload"):
                next(values, None)
        except StopIteration:
            raise WorkflowError(f"{where} has no value for {name}") from None


def _declared(info: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    for group in ("required", "optional"):
        declared = info["input"].get(group, {})
        for name in info["input_order"].get(group, []):
            kind, *options = declared[name]
            yield name, kind, options[0] if options else {}
