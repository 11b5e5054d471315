"""When ComfyUI must not take a node's outcome from its cache: the outcome was not final, or a key was set since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Node = tuple[str, str]


@dataclass
class _Kept:
    run: int = 0
    sandboxed: bool = False


class Freshness:
    """Gives each node a number that ComfyUI keeps beside its outcome; another number makes it run again.

    ComfyUI asks for the numbers of a prompt's nodes before it runs them and runs one prompt at a time,
    so the node id is enough to find the way back from an outcome to what was asked.
    """

    def __init__(self) -> None:
        self._kept: dict[Node, _Kept] = {}
        self._asked: dict[str, Node] = {}

    def number(self, node_id: str, constants: Mapping[str, object], auto_means_sandbox: bool) -> int:
        """The number under which an outcome of this node, with these constant inputs, may be kept."""
        node = (node_id, repr(sorted((name, repr(value)) for name, value in constants.items())))
        self._asked[node_id] = node
        kept = self._kept.get(node)
        if kept is None:
            return 0
        if kept.sandboxed and not auto_means_sandbox:
            kept.sandboxed = False
            kept.run += 1
        return kept.run

    def ended(self, node_id: str | None, final: bool, sandboxed: bool) -> None:
        """Notes how a run ended; one that was not final makes the next number another."""
        node = self._asked.get(node_id or "")
        # Only what is out of the ordinary is remembered: most outcomes are final, and there is no end of seeds.
        if node is None or (final and not sandboxed and node not in self._kept):
            return
        kept = self._kept.setdefault(node, _Kept())
        kept.sandboxed = sandboxed
        kept.run += not final
