"""The help of a node in the real editor, and the nodes in Chinese: in the editor of 0.3.75 and in a newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from comfyui import ComfyUI
from editor import Editor

import locales

NODE = "KlingI2I"
OPEN_HELP = """(type) => {
    const node = LiteGraph.createNode(type);
    app.graph.clear(); app.graph.add(node); node.pos = [400, 250];
    app.canvas.selectNode(node); app.canvas.setDirty(true, true) }"""
LABELS = """(types) => Object.fromEntries(types.map((type) => {
    const node = LiteGraph.createNode(type), label = (slot) => slot.label ?? slot.localized_name ?? slot.name;
    return [type, { title: node.title, description: node.constructor.nodeData.description,
                    inputs: node.inputs.map(label), outputs: node.outputs.map(label),
                    widgets: node.widgets.filter((widget) => node.inputs.some((input) => input.name === widget.name))
                        .map((widget) => widget.label ?? widget.name) }] }))"""
PROMPT_TIP = "() => LiteGraph.registered_node_types.KlingO1Edit.nodeData.input.required.prompt[1].tooltip"
PICTURE_SHOWN = "(end) => [...document.images].some((image) => image.src.endsWith(end) && image.naturalWidth > 0)"


@pytest.fixture(scope="module", params=["1.32.9", "1.58.1"])
def served(request: pytest.FixtureRequest) -> Iterator[ComfyUI]:
    """ComfyUI without keys, with this version of the editor."""
    with ComfyUI(frontend=request.param) as started:
        yield started


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def opened(served: ComfyUI, language: str) -> Iterator[Editor]:
    editor = Editor(served)
    editor.locale = language
    with editor:
        yield editor


def test_the_help_of_a_node_opens_with_its_picture(opened: Editor, language: str) -> None:
    opened.page.evaluate(OPEN_HELP, NODE)
    opened.page.get_by_test_id("info-button").click()
    title = locales.read(language, "nodeDefs.json")[NODE]["display_name"]
    page = opened.page.locator(".node-help-content")
    page.get_by_role("heading", name=title, exact=True).wait_for()
    opened.page.wait_for_function(PICTURE_SHOWN, arg=f"/docs/{NODE}.jpg")
    assert page.locator("table").get_by_text("kling-v2-new").is_visible()
    assert "<!--" not in page.inner_text()
    assert opened.messages == []


def test_nodes_speak_the_editors_language(opened: Editor, language: str) -> None:
    texts = locales.texts_of(language)
    shown = opened.page.evaluate(LABELS, list(texts))
    for node, own in texts.items():
        names = {field["name"] for field in own["inputs"].values()}
        assert shown[node]["title"] == own["display_name"]
        assert shown[node]["description"] == own["description"]
        assert set(shown[node]["inputs"]) == names
        assert set(shown[node]["widgets"]) <= names
        assert shown[node]["outputs"] == [output["name"] for output in own["outputs"].values()]


def test_a_tooltip_is_shown_as_it_is_written(opened: Editor, language: str) -> None:
    """Also one whose signs an editor could take for its own."""
    tooltip = opened.page.evaluate(
        "() => LiteGraph.registered_node_types.KlingO1Edit.nodeData.input.required.prompt[1].tooltip"
    )
    assert re.search("Image1" if language == "zh" else "@Image1", tooltip)
    assert "{'" not in tooltip
