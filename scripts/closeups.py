"""Takes the pictures of the nodes' own parts in docs/: the expand editor, the names' menu, notes. Needs chromium."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import environment
from pack import ROOT

if TYPE_CHECKING:
    from editor import Editor

FRONTEND = "1.58.1"
SIZE = (1240, 900)
AROUND = 24
KEYS = {f"{name}_API_KEY": "only-for-a-picture" for name in ("EACHLABS", "MODELLIX", "APIMODELS")}


def main() -> int:
    environment.ensure(tests=True)
    sys.path.append(str(ROOT / "tests" / "harness"))
    import sample_pictures
    from comfyui import ComfyUI
    from editor import Editor

    with ComfyUI(KEYS, frontend=FRONTEND) as comfyui:
        sample_pictures.paint(comfyui.base / "input")
        for palette, vue in (("dark", True), ("light", False)):
            with Editor(comfyui, vue=vue, size=SIZE) as editor:
                _choose_palette(editor, palette)
                for name, show in CLOSEUPS.items():
                    _shoot(editor, show(editor), ROOT / "docs" / f"{name}_{palette}.jpg")
                _choose_palette(editor, "dark")
    return 0


def _expand(editor: Editor) -> int:
    """An edge has been dragged until the frame has a named shape."""
    from desk import Desk

    desk = Desk(editor)
    node = desk.add("KlingExpand", 400, prompt="The valley goes on, with pines", provider="apimodels")
    desk.connect(desk.add("LoadImage", 0, image="mountain_lake.png"), node, "image")
    desk.set(node, "right_expansion_ratio", 0.47)
    desk.set(node, "up_expansion_ratio", 0.21)
    desk.page.wait_for_function("document.querySelector('.kling-expand-picture')?.naturalWidth > 0")
    editor.fit()
    desk.page.locator(".kling-expand-right").focus()
    return node


def _names(editor: Editor) -> int:
    """`@` has been typed, and offers what is connected."""
    from desk import Desk

    desk = Desk(editor)
    node = desk.add("KlingO1Edit", 400, provider="eachlabs", n=4)
    for place, picture in enumerate(("mountain_lake.png", "portrait.png"), 1):
        desk.connect(desk.add("LoadImage", 0, 420 * place - 420, image=picture), node, f"image_{place}")
    desk.wait_for_badge(node, "$0.028 × 4")
    editor.fit()
    desk.prompt_field(node).click()
    desk.page.keyboard.type("Put @Image2 in front of @")
    desk.page.wait_for_function("document.querySelectorAll('.kling-menu img').length === 2")
    return node


def _choices(editor: Editor) -> int:
    """Values that do not go together are marked, and the price is told."""
    from desk import Desk

    desk = Desk(editor)
    values = {"image_reference": "face", "human_fidelity": 0.9, "resolution": "2k", "provider": "modellix"}
    node = desk.add("KlingI2I", 400, prompt="As a watercolour", model="kling-v1-5", **values)
    desk.connect(desk.add("LoadImage", 0, image="portrait.png"), node, "image")
    desk.page.locator(".kling-note").first.wait_for()
    editor.fit()
    return node


CLOSEUPS = {"expand": _expand, "names": _names, "choices": _choices}


def _choose_palette(editor: Editor, name: str) -> None:
    editor.page.evaluate("(name) => app.extensionManager.setting.set('Comfy.ColorPalette', name)", name)


def _shoot(editor: Editor, node: int, target: Path) -> None:
    """The node with a little of what is around it."""
    editor.page.wait_for_timeout(1000)
    left, top, right, bottom = editor.page.evaluate(
        """(id) => { const node = app.graph.getNodeById(id), { scale, offset } = app.canvas.ds;
            const [x, y, width, height] = node.boundingRect ?? node.getBounding();
            const at = app.canvas.canvas.getBoundingClientRect();
            return [at.x + (x + offset[0]) * scale, at.y + (y + offset[1]) * scale,
                at.x + (x + width + offset[0]) * scale, at.y + (y + height + offset[1]) * scale] }""",
        node,
    )
    clip = {"x": max(0, left - AROUND), "y": max(0, top - 2 * AROUND)}
    clip |= {"width": right - left + 4 * AROUND, "height": min(SIZE[1], bottom + 2 * AROUND) - clip["y"]}
    editor.page.screenshot(path=str(target), clip=clip, type="jpeg", quality=88)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
