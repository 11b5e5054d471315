"""Takes the documents' pictures: an example run in the real editor, the tab of the tasks, the keys. Needs chromium."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from pack import NAME, ROOT, load_pack

if TYPE_CHECKING:
    from comfyui import ComfyUI
    from editor import Editor

EXAMPLE = "chain_text_edit_combine"
SIZE = (1680, 860)
BANNER = 40
"""Pixels that the editor's own announcement takes at the top."""

PROVIDERS = ("eachlabs", "modellix", "apimodels")
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("KlingT2I", {"prompt": "A harbour town in the first snow", "provider": "modellix", "model": "kling-v3", "n": 2}),
    ("KlingI2I", {"prompt": "As a woodcut in two colours", "provider": "eachlabs", "model": "kling-v1-5"}),
    ("KlingO1Edit", {"prompt": "The same lake in autumn", "provider": "eachlabs"}),
    ("KlingT2I", {"prompt": "A lighthouse on a basalt cliff", "provider": "apimodels", "model": "kling-v2-1"}),
)
SOCKETS = {"KlingI2I": "image", "KlingO1Edit": "image_1"}
LOST = {"faults": [{"fault": "drop_after", "on": "create"}], "seconds": {"*": 0.8}, "limits": {}}
SLOW = {"seconds": {"*": 60}, "limits": {}}


def main() -> int:
    environment.ensure(tests=True)
    load_pack()
    take_graph()
    take_parts()
    return 0


def take_graph() -> None:
    import sample_pictures
    from comfyui import ComfyUI
    from editor import Editor

    with ComfyUI() as comfyui:
        sample_pictures.paint(comfyui.base / "input")
        with Editor(comfyui, size=SIZE) as editor:
            editor.load(example())
            editor.run()
            editor.page.wait_for_timeout(1500)
            editor.fit()
            editor.screenshot(ROOT / "docs" / "graph.jpg", below=BANNER)


def take_parts() -> None:
    """The tab with tasks in every state, and the keys, with the sandbox in the providers' place."""
    from importlib import import_module

    from comfyui import ComfyUI
    from editor import Editor

    server, behaviour = import_module(f"{NAME}.sandbox.server"), import_module(f"{NAME}.sandbox.behaviour")
    quick = behaviour.Behaviour(seconds={"*": 0.8}, limits={})
    with tempfile.TemporaryDirectory() as folder, server.Sandbox(Path(folder), behaviour=quick) as sandbox:
        variables = {f"{name.upper()}_BASE_URL": sandbox.base_url(name) for name in PROVIDERS}
        variables |= {"EACHLABS_API_KEY": "made-up-key-for-the-picture", "KLING_DAILY_BUDGET_USD": "5"}
        with ComfyUI(variables) as comfyui:
            fill(comfyui, sandbox.origin)
            with Editor(comfyui, size=SIZE) as editor:
                editor.load(example())
                take_tab(editor)
                take_keys(editor)


def fill(comfyui: ComfyUI, providers: str) -> None:
    """Runs what the tab is to show: some done, one reused, one lost, one that runs."""
    import requests
    import sample_pictures

    sample_pictures.paint(comfyui.base / "input")
    prices = {"modellix": {"kling-v3": {"text": 0.028}}, "eachlabs": {"kling-v1-5": {"image": 0.01}}}
    (comfyui.base / "kling").mkdir()
    (comfyui.base / "kling" / "prices.json").write_text(json.dumps(prices | {"apimodels": {"credit_usd": 0.1}}))
    for name in PROVIDERS[1:]:
        body = {"key": "made-up-key-for-the-picture"}
        requests.put(f"{comfyui.address}/kling/keys/{name}", json=body, timeout=10).raise_for_status()
    # With `wait` said in so many words ComfyUI runs the node again, and the pack has the picture already.
    for kind, inputs in (*ASKED[:3], (ASKED[2][0], ASKED[2][1] | {"wait": True})):
        comfyui.run(prompt(kind, inputs))
    for behaviour in (LOST, SLOW):
        requests.put(f"{providers}/sandbox/behaviour", json=behaviour, timeout=10).raise_for_status()
        asked = prompt(*ASKED[3]) if behaviour is LOST else prompt("KlingO1Edit", ASKED[2][1] | {"resolution": "2k"})
        comfyui.queue(asked) if behaviour is SLOW else comfyui.run(asked)


def prompt(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """One node and what saves its pictures."""
    sockets = {SOCKETS[kind]: ["picture", 0]} if kind in SOCKETS else {}
    return {
        "picture": {"class_type": "LoadImage", "inputs": {"image": "mountain_lake.png"}},
        "1": {"class_type": kind, "inputs": {**inputs, **sockets}},
        "save": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }


def take_tab(editor: Editor) -> None:
    page = editor.page
    page.evaluate("app.extensionManager.command.execute('Workspace.ToggleSidebarTab.kling-tasks')")
    page.locator(".kling-task[data-state=accepted]").wait_for()
    page.locator(".kling-task[data-state=done] .kling-more").first.click()
    page.locator(".kling-inputs dd").first.wait_for()
    page.wait_for_timeout(2500)  # pictures fade in, and the bar has something to show
    editor.fit()
    editor.screenshot(ROOT / "docs" / "tasks.jpg", below=BANNER)


def take_keys(editor: Editor) -> None:
    page = editor.page
    page.evaluate("app.extensionManager.command.execute('Comfy.ShowSettingsDialog')")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Kling", exact=True).click()
    page.locator(".kling-key").nth(1).get_by_role("button", name="Test").click()
    page.locator(".kling-message", has_text="works").wait_for()
    page.wait_for_timeout(500)
    dialog.screenshot(path=str(ROOT / "docs" / "keys.jpg"), type="jpeg", quality=85)


def example() -> Any:
    return json.loads((ROOT / "example_workflows" / f"{EXAMPLE}.json").read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
