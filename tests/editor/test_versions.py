"""A workflow saved in one version of the editor, and its API export, open and run in another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sample_pictures
from comfyui import ComfyUI
from desk import Desk
from editor import Editor

OLD, NEW = "1.25.11", "1.58.1"
SOCKETS = {
    "KlingO1Edit": ("image_1", "image_2", "image_3", "image_4"),
    "KlingMultiImage": ("subject_image_1", "subject_image_2", "subject_image_3", "scene_image", "style_image"),
    "KlingExpand": ("image",),
}


def build(desk: Desk) -> None:
    """One node of each kind that has more than plain widgets, all in the sandbox."""
    lake = desk.add("LoadImage", 0, image="mountain_lake.png")
    teapot = desk.add("LoadImage", 0, 400, image="teapot.png")
    edit = desk.add("KlingO1Edit", 400, provider="sandbox", prompt="Put @Image3 on @Image1", n=2)
    for source, socket in ((lake, "image_1"), (teapot, "image_2"), (teapot, "image_3")):
        desk.connect(source, edit, socket)
    multi = desk.add("KlingMultiImage", 800, provider="sandbox", prompt="Tea outdoors", aspect_ratio="4:3")
    for source, socket in ((lake, "style_image"), (teapot, "subject_image_1"), (lake, "subject_image_2")):
        desk.connect(source, multi, socket)
    expand = desk.add("KlingExpand", 1200, provider="sandbox", right_expansion_ratio=0.5, anchor="left")
    desk.connect(teapot, expand, "image")
    for place, node in enumerate((edit, multi, expand)):
        desk.connect(node, desk.add("SaveImage", 1600, 400 * place, filename_prefix="version"), "images")
    wait_for_nodes(desk)


def wait_for_nodes(desk: Desk) -> None:
    """Until every node shows the sockets it needs, its links among them."""
    for node, kind in desk.nodes().items():
        if kind in SOCKETS:
            desk.wait_for_sockets(node, *SOCKETS[kind])


def meant(prompt: dict[str, Any]) -> dict[str, Any]:
    """What a prompt asks for, without what a version adds for itself."""
    return {node: {name: part[name] for name in ("class_type", "inputs")} for node, part in prompt.items()}


@pytest.mark.parametrize(("here", "there", "vue"), [(OLD, NEW, True), (NEW, OLD, False)])
def test_what_was_saved_in_one_version_opens_and_runs_in_another(
    servers: Callable[[str], ComfyUI], here: str, there: str, vue: bool
) -> None:
    for version in (here, there):
        sample_pictures.paint(servers(version).base / "input")
    with Editor(servers(here)) as editor:
        desk = Desk(editor)
        build(desk)
        workflow, prompt = desk.workflow(), desk.api_prompt()
    with Editor(servers(there), vue=vue) as editor:
        desk = Desk(editor)
        editor.load(workflow)
        wait_for_nodes(desk)
        assert meant(desk.api_prompt()) == meant(prompt)
        assert_it_runs(editor)
        desk.open_api(prompt)
        wait_for_nodes(desk)
        assert meant(desk.api_prompt()) == meant(prompt)
        assert_it_runs(editor)
        assert editor.messages == []


def assert_it_runs(editor: Editor) -> None:
    entry = editor.run()
    assert entry["status"]["status_str"] == "success", entry["status"]
    assert sum(len(output.get("images", [])) for output in entry["outputs"].values()) >= 4
