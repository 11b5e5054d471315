"""Keys in ComfyUI's settings, and what a first run without one says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor import Editor
from pack import ROOT
from panels import PALETTES, close_settings, open_keys, paint, violations
from playwright.sync_api import expect
from truth import behave

from kling_pack.catalog.models import PROVIDERS
from kling_pack.providers import ADAPTERS
from kling_pack.sandbox.server import Sandbox

KEY = "sk-recognisable-key-1234567890"


@pytest.fixture
def without_keys(every_editor: Editor) -> Iterator[Editor]:
    saved = every_editor.comfyui.base / "kling" / "keys.json"
    saved.unlink(missing_ok=True)
    yield every_editor
    close_settings(every_editor)
    saved.unlink(missing_ok=True)


def test_a_first_run_says_that_pictures_come_from_the_sandbox(without_keys: Editor) -> None:
    editor = without_keys
    editor.page.evaluate("app.extensionManager.setting.set('Kling.SandboxTold', false)")
    editor.load(json.loads((ROOT / "example_workflows" / "text_to_image.json").read_text("utf-8")))
    editor.run()
    expect(editor.page.get_by_text("come from the sandbox").first).to_be_visible()
    assert editor.comfyui.get("/settings")["Kling.SandboxTold"] is True
    assert editor.messages == []


def test_a_key_is_set_tested_replaced_and_removed_by_keyboard(without_keys: Editor, providers: Sandbox) -> None:
    editor = without_keys
    behave(providers, keys={"modellix": [KEY]})
    rows = open_keys(editor)
    titles = [ADAPTERS[name].title for name in PROVIDERS]
    assert [form.get_attribute("aria-label") for form in rows.locator(".kling-form").all()] == titles
    row = rows.nth(PROVIDERS.index("modellix"))
    expect(row).to_contain_text("Not set")

    row.get_by_role("button", name="Set", exact=True).focus()
    editor.page.keyboard.press("Enter")
    field = row.get_by_role("textbox", name="New key for Modellix")
    expect(field).to_be_focused()
    editor.page.keyboard.type(KEY)
    editor.page.keyboard.press("Enter")
    expect(row).to_contain_text(f"Set, ends in {KEY[-4:]}")
    assert (editor.comfyui.base / "kling" / "keys.json").is_file()

    row.get_by_role("button", name="Test").press("Enter")
    expect(row).to_contain_text("The key works.")
    behave(providers, keys={"modellix": ["another"]})
    row.get_by_role("button", name="Test").press("Enter")
    expect(row).to_contain_text("Modellix refuses the key.")

    row.get_by_role("button", name="Replace").press("Enter")
    expect(field).to_have_value("")
    field.press("Escape")
    expect(row).to_be_visible()
    expect(row.get_by_role("button", name="Replace")).to_be_focused()

    row.get_by_role("button", name="Remove").press("Enter")
    expect(row).to_contain_text("Not set")
    assert editor.messages == []


def test_the_browser_keeps_no_key(without_keys: Editor) -> None:
    editor = without_keys
    row = open_keys(editor).first
    row.get_by_role("button", name="Set", exact=True).click()
    row.get_by_role("textbox").fill(KEY)
    row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Set, ends in")
    kept: str = editor.page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, app.graph.serialize()])"
        " + document.documentElement.outerHTML"
    )
    assert KEY not in kept
    assert not any(KEY in text for text in settings_on_disk(editor.comfyui.base))
    assert editor.page.locator(".kling-key input").first.input_value() == ""


def settings_on_disk(base: Path) -> list[str]:
    return [file.read_text("utf-8") for file in (base / "user").rglob("*.json")]


def test_the_rows_keep_the_rules_of_accessibility(without_keys: Editor) -> None:
    editor = without_keys
    rows = open_keys(editor)
    rows.first.get_by_role("button", name="Set", exact=True).click()
    for palette in PALETTES:
        paint(editor, palette)
        assert violations(editor, ".kling-key") == []
    paint(editor, PALETTES[0])
