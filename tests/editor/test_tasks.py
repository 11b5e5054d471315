"""The tab of the tasks: every run's, live, to be cancelled, settled, taken up again."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from editor import Editor
from graphs import graph, records
from panels import PALETTES, close_tasks, open_tasks, paint, violations
from playwright.sync_api import expect
from truth import behave, stats, until

from kling_pack.catalog.models import PROVIDERS
from kling_pack.jobs.keys import save_key
from kling_pack.sandbox.server import Sandbox

MANY = 1000
SMOOTH_MILLISECONDS = 100
"""The longest that half of the frames may take while the list scrolls, on a machine without a graphics card that runs
other tests meanwhile."""


@pytest.fixture(scope="module")
def tab(every_editor: Editor) -> Iterator[Editor]:
    """The editor with the tab open, on a server with keys."""
    home = every_editor.comfyui.base / "kling"
    for name in PROVIDERS:
        save_key(home, name, f"key-of-{name}-0123456789")
    open_tasks(every_editor)
    yield every_editor
    (home / "keys.json").unlink()


@pytest.fixture(autouse=True)
def as_pages_say(providers: Sandbox) -> Iterator[None]:
    behave(providers)
    yield
    behave(providers)


def run(editor: Editor, operation: str, prompt: str, **inputs: Any) -> str:
    """Runs one node from outside the editor; its task's handle."""
    handle: str = records(editor.comfyui.run(graph(operation, prompt=prompt, **inputs)))[0]["handle"]
    return handle


def fresh(prompt: str) -> str:
    """A prompt that was never asked: the editors of one version share a ledger."""
    return f"{prompt} {uuid.uuid4()}"


def newest_id(providers: Sandbox, prompt: str) -> str:
    """The id under which a provider has a task."""
    (found,) = [one["id"] for one in stats(providers)["tasks"] if one["body"].get("prompt") == prompt]
    return str(found)


def in_graph(editor: Editor, kind: str, widget: str, value: str) -> bool:
    """Whether the open graph has a node of this kind with this value."""
    there: bool = editor.page.evaluate(
        """([kind, name, value]) => app.graph.nodes.some((node) => node.type === kind
            && node.widgets.some((widget) => widget.name === name && widget.value === value))""",
        [kind, widget, value],
    )
    return there


@pytest.fixture
def many(tab: Editor) -> Iterator[Editor]:
    """The tab over a ledger of MANY tasks, copies of one; they are gone afterwards."""
    file = tab.comfyui.base / "kling" / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as ledger, ledger:
        (last,) = ledger.execute("SELECT max(number) FROM tasks").fetchone()
        names = [column[1] for column in ledger.execute("PRAGMA table_info(tasks)") if column[1] != "number"]
        listed = ", ".join(f'"{name}"' for name in names)
        (there,) = ledger.execute("SELECT count(*) FROM tasks").fetchone()
        copy = f"INSERT INTO tasks ({listed}) SELECT {listed} FROM tasks WHERE state = 'done' LIMIT 1"
        for _ in range(MANY - there):
            ledger.execute(copy)
    close_tasks(tab)
    open_tasks(tab)
    yield tab
    with contextlib.closing(sqlite3.connect(file)) as ledger, ledger:
        ledger.execute("DELETE FROM tasks WHERE number > ?", (last,))


SCROLL = """async () => {
    const list = document.querySelector(".kling-scroll"), frames = [];
    let before = performance.now();
    for (let step = 0; step < 60; step++) {
        list.scrollBy(0, 600);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - before);
        before = now;
    }
    return frames;
}"""


def test_a_task_of_any_run_is_seen_without_reloading_and_found_after_it(tab: Editor) -> None:
    handle = run(tab, "edit", fresh("seen at once"), provider="eachlabs")
    row = tab.page.locator(".kling-task").first
    picture = row.get_by_role("img", name=f"Result of {handle}")
    expect(picture).to_be_visible()
    for words in ("Kling O1 Edit", "kling-image-o1 · eachlabs", "Done", " s", "$0.028"):
        expect(row).to_contain_text(words)
    tab.page.wait_for_function("(image) => image.naturalWidth === 128", arg=picture.element_handle())
    expect(tab.page.locator(".kling-spend")).to_contain_text("at eachlabs")

    tab.reload()
    open_tasks(tab)
    expect(tab.page.locator(".kling-task").first.get_by_role("img", name=f"Result of {handle}")).to_be_visible()
    assert tab.messages == []


def test_a_running_task_is_cancelled_by_keyboard(tab: Editor, providers: Sandbox) -> None:
    behave(providers, seconds={"*": 60})
    queued = tab.comfyui.queue(graph("edit", prompt=fresh("stop this"), provider="eachlabs"))
    row = tab.page.locator(".kling-task").first
    expect(row).to_have_attribute("data-state", "accepted")
    expect(row).to_contain_text(re.compile(r"\d s(, usually| of about) 1 s"))
    expect(row.get_by_role("progressbar")).to_be_visible()
    row.get_by_role("button", name="Cancel").focus()
    tab.page.keyboard.press("Enter")
    expect(row).to_have_attribute("data-state", "cancelled", timeout=20_000)
    expect(row).to_contain_text("nothing paid")
    expect(tab.page.get_by_role("status").filter(has_text="Kling O1 Edit: Cancelled")).to_have_count(1)
    tab.comfyui.wait(queued)
    assert tab.messages == []


def test_an_uncertain_task_says_what_to_do_and_is_settled_there(tab: Editor, providers: Sandbox) -> None:
    behave(providers, faults=[{"fault": "drop_after", "on": "create", "times": 1}])
    tab.comfyui.run(graph("text", prompt=fresh("lost"), provider="modellix"))
    tab.page.get_by_role("button", name="Need you").click()
    row = tab.page.locator(".kling-task").first
    expect(row).to_have_attribute("data-state", "uncertain")
    expect(row).to_contain_text("may or may not have been created")
    expect(row.get_by_role("button", name="It is there")).to_be_disabled()
    row.get_by_role("button", name="It was never created").press("Enter")
    expect(row).to_have_attribute("data-state", "failed")
    expect(row).to_contain_text("settled: never created")
    tab.page.get_by_role("button", name="All").click()
    assert tab.messages == []


def test_a_lost_task_is_taken_up_with_its_id(tab: Editor, providers: Sandbox) -> None:
    behave(providers, faults=[{"fault": "drop_after", "on": "create", "times": 1}])
    prompt = fresh("found")
    tab.comfyui.run(graph("text", prompt=prompt, provider="modellix"))
    row = tab.page.locator(".kling-task").first
    expect(row).to_have_attribute("data-state", "uncertain")
    found = newest_id(providers, prompt)
    row.get_by_role("textbox", name="Its id at modellix").fill(found)
    row.get_by_role("textbox").press("Enter")
    expect(row).to_have_attribute("data-state", "done", timeout=20_000)
    expect(row.get_by_role("img", name=f"Result of modellix:{found}")).to_be_visible()


def test_inputs_are_shown_again_and_a_task_comes_back_into_the_graph(tab: Editor) -> None:
    prompt = fresh("once more")
    handle = run(tab, "text", prompt, provider="modellix", n=2)
    row = tab.page.locator(".kling-task").first
    expect(row).to_have_attribute("data-state", "done")
    row.get_by_role("button", name=f"Inputs and actions of {handle}").press("Enter")
    expect(row.locator(".kling-inputs")).to_contain_text(prompt)
    expect(row.locator(".kling-inputs")).to_contain_text(handle)

    row.get_by_role("button", name="Add Kling Poll").click()
    row.get_by_role("button", name="Add as Load Image").click()
    files = [f"kling-{handle.replace(':', '-')}-{place}.png" for place in (1, 2)]
    until(lambda: all(in_graph(tab, "LoadImage", "image", file) for file in files))
    assert in_graph(tab, "KlingPoll", "task", handle)
    assert all((tab.comfyui.base / "input" / file).is_file() for file in files)

    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row.get_by_role("button", name="Copy handle").press("Enter")
    tab.page.wait_for_function("async (handle) => (await navigator.clipboard.readText()) === handle", arg=handle)
    assert tab.messages == []


def test_the_tab_keeps_the_rules_of_accessibility(tab: Editor, providers: Sandbox) -> None:
    behave(providers, faults=[{"fault": "drop_after", "on": "create", "times": 1}])
    tab.comfyui.run(graph("text", prompt=fresh("held to the rules"), provider="modellix"))
    expect(tab.page.locator(".kling-task").first).to_have_attribute("data-state", "uncertain")
    states = {row.get_attribute("data-state") for row in tab.page.locator(".kling-task").all()}
    assert {"done", "failed", "cancelled", "uncertain"} <= states
    for palette in PALETTES:
        paint(tab, palette)
        assert violations(tab, ".kling-tasks") == []
    paint(tab, PALETTES[0])


def test_a_thousand_tasks_scroll_smoothly(many: Editor) -> None:
    expect(many.page.locator(".kling-filters")).to_contain_text(re.compile(r"All 1\d\d\d"))
    frames: list[float] = many.page.evaluate(SCROLL)
    assert many.page.locator(".kling-task").count() > 300
    assert sorted(frames)[len(frames) // 2] < SMOOTH_MILLISECONDS, frames
    assert many.messages == []
