"""Takes the README's picture: an example run in the real editor, in the sandbox. Needs chromium."""

from __future__ import annotations

import json
import sys

import environment
from pack import ROOT

EXAMPLE = "chain_text_edit_combine"
SIZE = (1680, 860)
BANNER = 40
"""Pixels that the editor's own announcement takes at the top."""


def main() -> int:
    environment.ensure(tests=True)
    import sample_pictures
    from comfyui import ComfyUI
    from editor import Editor

    with ComfyUI() as comfyui:
        sample_pictures.paint(comfyui.base / "input")
        with Editor(comfyui, size=SIZE) as editor:
            editor.load(json.loads((ROOT / "example_workflows" / f"{EXAMPLE}.json").read_text("utf-8")))
            editor.run()
            editor.page.wait_for_timeout(1500)
            editor.fit()
            editor.screenshot(ROOT / "docs" / "graph.jpg", below=BANNER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
