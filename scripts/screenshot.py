"""Takes the pictures of the README and the help pages: examples run in the real editor, in the sandbox."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from pack import ROOT

if TYPE_CHECKING:
    from editor import Editor

SIZE = (1680, 860)
BANNER = 40
"""Pixels that the editor's own announcement takes at the top."""
MARGIN = 24

README = "chain_text_edit_combine"
HELP = {
    "KlingT2I": "text_to_image",
    "KlingI2I": "image_to_image",
    "KlingO1Edit": "o1_edit",
    "KlingMultiImage": "multi_image",
    "KlingExpand": "expand",
    "KlingPoll": "collect_later",
}
HELP_WIDTH = 1000
HELP_QUALITY = 78
"""Keeps each below 80 kB."""
CLEAR = 110
"""Pixels at the top that the editor's own buttons and notices take."""
MOVE_DOWN = """(clear) => {
    const { ds, canvas } = app.canvas, shrunk = 1 - clear / canvas.clientHeight;
    ds.offset[1] += clear / (ds.scale * shrunk);
    ds.offset[0] += canvas.clientWidth / ds.scale * (1 / shrunk - 1) / 2;
    ds.scale *= shrunk; app.canvas.setDirty(true, true) }"""
NODES_ON_SCREEN = """() => {
    const { scale, offset } = app.canvas.ds, page = app.canvas.canvas.getBoundingClientRect();
    const boxes = app.graph.nodes.map((node) => node.boundingRect ?? node.getBounding());
    const edge = (side, of) => Math[side](...boxes.map(of));
    return [(edge("min", (box) => box[0]) + offset[0]) * scale + page.left,
            (edge("min", (box) => box[1]) + offset[1]) * scale + page.top,
            (edge("max", (box) => box[0] + box[2]) + offset[0]) * scale + page.left,
            (edge("max", (box) => box[1] + box[3]) + offset[1]) * scale + page.top] }"""


def main() -> int:
    environment.ensure(tests=True)
    import sample_pictures
    from comfyui import ComfyUI
    from editor import Editor

    with ComfyUI() as comfyui:
        sample_pictures.paint(comfyui.base / "input")
        with Editor(comfyui, size=SIZE) as editor:
            _show(editor, README, notes=True)
            editor.screenshot(ROOT / "docs" / "graph.jpg", below=BANNER)
            for node, example in HELP.items():
                _show(editor, example, notes=False)
                _crop(editor, ROOT / "web" / "docs" / f"{node}.jpg")
    return 0


def _show(editor: Editor, example: str, notes: bool) -> None:
    """Loads and runs an example and brings it into view."""
    workflow: dict[str, Any] = json.loads((ROOT / "example_workflows" / f"{example}.json").read_text("utf-8"))
    if not notes:
        workflow["nodes"] = [node for node in workflow["nodes"] if node["type"] != "MarkdownNote"]
    editor.load(workflow)
    editor.run()
    editor.page.wait_for_timeout(1500)
    editor.fit()


def _crop(editor: Editor, target: Path) -> None:
    """The nodes alone, scaled to the width of a help page."""
    from PIL import Image

    whole = target.with_suffix(".png")
    editor.page.evaluate(MOVE_DOWN, CLEAR)
    editor.page.wait_for_timeout(500)
    editor.screenshot(whole)
    left, top, right, bottom = editor.page.evaluate(NODES_ON_SCREEN)
    box = (left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)
    with Image.open(whole) as shown:
        nodes = shown.convert("RGB").crop(tuple(round(edge) for edge in box))
    whole.unlink()
    height = round(nodes.height * HELP_WIDTH / nodes.width)
    nodes.resize((HELP_WIDTH, height), Image.Resampling.LANCZOS).save(target, quality=HELP_QUALITY, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
