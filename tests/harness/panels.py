"""The pack's parts of the editor, as a person finds them, and the rules they are held to."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from editor import Editor
from playwright.sync_api import Locator

PALETTES = ("dark", "light")


def open_tasks(editor: Editor) -> Locator:
    """The tab of the tasks, opened if it is not."""
    tab = editor.page.locator(".kling-tasks")
    if tab.count() == 0:
        command(editor, "Workspace.ToggleSidebarTab.kling-tasks")
    tab.wait_for()
    return tab


def close_tasks(editor: Editor) -> None:
    command(editor, "Workspace.ToggleSidebarTab.kling-tasks")
    editor.page.locator(".kling-tasks").wait_for(state="detached")


def open_keys(editor: Editor) -> Locator:
    """The rows of the keys in ComfyUI's settings."""
    command(editor, "Comfy.ShowSettingsDialog")
    editor.page.get_by_role("dialog").get_by_text("Kling", exact=True).click()
    rows = editor.page.locator(".kling-key")
    rows.last.locator(".kling-standing", has_text="e").wait_for()
    return rows


def close_settings(editor: Editor) -> None:
    dialog = editor.page.get_by_role("dialog")
    if dialog.count():
        dialog.get_by_role("button", name="Close").first.click()
        dialog.wait_for(state="detached")


def command(editor: Editor, name: str) -> None:
    editor.page.evaluate("(name) => { app.extensionManager.command.execute(name) }", name)


def paint(editor: Editor, palette: str) -> None:
    """Chooses one of ComfyUI's palettes."""
    editor.page.evaluate("(name) => app.extensionManager.setting.set('Comfy.ColorPalette', name)", palette)
    first = "getComputedStyle(document.documentElement).getPropertyValue('--bg-color')[1]"
    editor.page.wait_for_function(f"parseInt({first}, 16) {'>' if palette == 'light' else '<'} 8")


def violations(editor: Editor, selector: str) -> list[str]:
    """What axe-core finds wrong below `selector`: the rule and the first element."""
    if not editor.page.evaluate("Boolean(window.axe)"):
        editor.page.evaluate(_axe())
    told: list[dict[str, Any]] = editor.page.evaluate(
        "async (selector) => (await axe.run({ include: [[selector]] })).violations", selector
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}" for one in told]


def _axe() -> str:
    package = find_spec("axe_playwright_python")
    assert package is not None and package.origin is not None
    return (Path(package.origin).parent / "axe.min.js").read_text("utf-8")
