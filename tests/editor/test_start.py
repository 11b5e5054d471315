"""How the editor starts with the pack: it waits for two small files, and what was opened meanwhile gets the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from comfyui import PACK_FOLDER
from desk import Desk
from editor import READY_MILLISECONDS, Editor
from playwright.sync_api import Request, Route

from kling_pack.jobs.keys import save_key

WAITED_FOR, REST = ["kling.js", "seed.js"], "**/parts.mjs"


@pytest.fixture
def fetched(every_editor: Editor) -> Iterator[list[str]]:
    """The names of the pack's files that the page asks for."""
    names: list[str] = []

    def note(request: Request) -> None:
        if f"/{PACK_FOLDER}/" in request.url:
            names.append(request.url.rsplit("/", 1)[1])

    every_editor.page.on("request", note)
    yield names
    every_editor.page.remove_listener("request", note)


@pytest.fixture
def held(every_editor: Editor, fetched: list[str]) -> Iterator[list[Route]]:
    """An editor that has started, to which everything but those two files has not come yet; it comes afterwards."""
    held: list[Route] = []
    save_key(every_editor.comfyui.base / "kling", "eachlabs", "key-of-eachlabs-0123456789")
    every_editor.page.add_init_script("localStorage.clear(); sessionStorage.clear()")  # no graph of the test before
    every_editor.page.goto("about:blank")  # the page before asks for nothing any more
    every_editor.page.route(REST, lambda route: held.append(route))
    every_editor.page.goto(every_editor.comfyui.address)
    every_editor.page.wait_for_function(
        "window.LiteGraph?.registered_node_types['KlingT2I'] && window.app?.graph", timeout=READY_MILLISECONDS
    )
    yield held
    every_editor.page.unroute(REST)
    (every_editor.comfyui.base / "kling" / "keys.json").unlink()


def test_the_editor_waits_for_two_small_files(every_editor: Editor, held: list[Route], fetched: list[str]) -> None:
    listed = [file for file in every_editor.comfyui.get("/extensions") if f"/{PACK_FOLDER}/" in file]
    assert sorted(listed) == [f"/extensions/{PACK_FOLDER}/{name}" for name in WAITED_FOR]
    assert sorted(set(fetched) - {"parts.mjs"}) == WAITED_FOR


@pytest.mark.parametrize("name", ["kling.js", "kling.css", "parts.mjs", "texts/en.json", "docs/KlingExpand/en.md"])
def test_after_an_update_no_file_is_taken_from_the_browser_s_cache(every_editor: Editor, name: str) -> None:
    address = f"{every_editor.comfyui.address}/extensions/{PACK_FOLDER}/{name}"
    answer = requests.get(address, timeout=10)
    answer.raise_for_status()
    assert answer.headers["Cache-Control"] in ("no-cache", "no-store")
    known = {"If-None-Match": answer.headers["ETag"]}
    assert requests.get(address, headers=known, timeout=10).status_code == 304


def test_what_others_serve_is_left_as_it_is(every_editor: Editor) -> None:
    answer = requests.get(f"{every_editor.comfyui.address}/system_stats", timeout=10)
    assert "Cache-Control" not in answer.headers


def test_a_workflow_that_has_the_packs_nodes_is_opened_when_all_is_there(
    every_editor: Editor, held: list[Route]
) -> None:
    desk = Desk(every_editor)
    made = desk.add("KlingO1Edit", 0, provider="eachlabs")
    workflow = desk.page.evaluate("app.graph.serialize()")
    desk.page.wait_for_timeout(100)
    desk.page.evaluate("(workflow) => { window.opened = app.loadGraphData(workflow) }", workflow)
    (request,) = held
    request.continue_()
    desk.page.evaluate("window.opened")
    desk.wait_for_badge(made, "$0.028")
    assert every_editor.messages == []


def test_nodes_that_were_there_first_show_what_the_pack_adds(every_editor: Editor, held: list[Route]) -> None:
    desk = Desk(every_editor)
    picture = desk.add("LoadImage", 0, image="wide.png")
    expand = desk.add("KlingExpand", 400, provider="eachlabs", right_expansion_ratio=0.5)
    edit = desk.add("KlingO1Edit", 900, provider="eachlabs")
    desk.connect(picture, expand, "image")
    desk.connect(picture, edit, "image_1")
    assert desk.value(edit, "control_after_generate") == "fixed"
    desk.page.wait_for_timeout(100)
    assert desk.page.locator(".kling-expand").count() == 0

    (request,) = held
    request.continue_()

    desk.wait_for_sockets(edit, "image_1", "image_2")
    desk.page.wait_for_selector('.kling-expand-right[aria-valuenow="0.5"]')
    desk.page.wait_for_function("document.querySelector('.kling-expand-picture')?.naturalWidth > 0")
    desk.page.wait_for_function(
        "(id) => { const node = app.graph.getNodeById(id); return node.size[1] >= node.computeSize()[1] }", arg=expand
    )
    assert every_editor.messages == []
