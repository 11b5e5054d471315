"""Writes `locales/en/nodeDefs.json` from the nodes' own texts; `--check` only says whether it is true.

The texts are those of the stored `GET /object_info`, which a test in real ComfyUI holds against the nodes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from pack import ROOT

SNAPSHOT = ROOT / "tests" / "comfyui" / "object_info.json"
LOCALES = ROOT / "locales"
ENGLISH = LOCALES / "en" / "nodeDefs.json"
Texts = dict[str, Any]

COMPILED = re.compile(r"[@{}|]")
"""Editors up to 1.32 run every text through vue-i18n's compiler, where these mean something; 1.58 shows some texts
uncompiled. So no escape is right in both: an English text with one is left out, and the editor shows the node's own."""


def texts(info: Mapping[str, Any]) -> Texts:
    """Every text of the nodes, in the shape of a nodeDefs.json."""
    return {name: _node(told) for name, told in info.items()}


def _node(told: Mapping[str, Any]) -> Texts:
    inputs = {
        field: {"name": options.get("display_name") or field, "tooltip": options["tooltip"]}
        for group in ("required", "optional")
        for field, (_, options) in told["input"].get(group, {}).items()
    }
    outputs = {
        str(place): {"name": name, "tooltip": tooltip}
        for place, (name, tooltip) in enumerate(zip(told["output_name"], told["output_tooltips"], strict=True))
    }
    return {
        "display_name": told["display_name"],
        "description": told["description"],
        "inputs": inputs,
        "outputs": outputs,
    }


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """The texts of a locale file by their whole keys, as `KlingPoll.inputs.task.tooltip`."""
    found: dict[str, str] = {}
    for name, value in tree.items():
        found |= flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
    return found


def safe(tree: Mapping[str, Any]) -> Texts:
    """The texts that every editor shows as they are written."""
    kept = {name: safe(value) if isinstance(value, dict) else value for name, value in tree.items()}
    return {name: value for name, value in kept.items() if isinstance(value, dict) or not COMPILED.search(value)}


def read(language: str, file: str) -> Texts:
    """One locale file; an absent one is empty."""
    path = LOCALES / language / file
    written: Texts = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return written


def nodes() -> Texts:
    """Every text of the six nodes, as ComfyUI tells it."""
    return texts(json.loads(SNAPSHOT.read_text("utf-8")))


def texts_of(language: str) -> Texts:
    """Every text of the six nodes in a language, as the editor is to show it."""
    return nodes() if language == "en" else read(language, "nodeDefs.json")


def main() -> int:
    wanted = safe(nodes())
    if "--check" in sys.argv[1:]:
        same = wanted == read("en", "nodeDefs.json")
        if not same:
            sys.stderr.write(f"{ENGLISH.name} differs from the nodes' texts: run python scripts/locales.py\n")
        return int(not same)
    ENGLISH.parent.mkdir(parents=True, exist_ok=True)
    ENGLISH.write_text(json.dumps(wanted, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
