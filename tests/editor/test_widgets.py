"""What the pack shows on its nodes, in every frontend and renderer: price, notes, sockets, names, the expand editor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sample_pictures
from desk import Desk
from editor import Editor
from panels import PALETTES, close_settings, open_keys, paint, violations

from kling_pack.catalog.frames import Picture, expansion_to
from kling_pack.catalog.models import PROVIDERS
from kling_pack.jobs.keys import save_key

RATIOS = ("up", "down", "left", "right")
LAKE = Picture(1216, 832, "")
"""The size of the example's mountain_lake.png."""


@pytest.fixture(scope="module")
def keyed(every_editor: Editor) -> Iterator[Editor]:
    """The editor on a server with keys and the examples' pictures; the providers are on loopback."""
    base = every_editor.comfyui.base
    sample_pictures.paint(base / "input")
    for name in PROVIDERS:
        save_key(base / "kling", name, f"key-of-{name}-0123456789")
    yield every_editor
    (base / "kling" / "keys.json").unlink()


@pytest.fixture
def desk(keyed: Editor) -> Iterator[Desk]:
    """An empty graph; afterwards, nothing was complained about."""
    opened = Desk(keyed)
    yield opened
    assert keyed.messages == []
    assert opened.deprecations == []


@pytest.fixture
def expand(desk: Desk) -> int:
    """A KlingExpand that has the example's picture, in view."""
    picture = desk.add("LoadImage", 0, image="mountain_lake.png")
    node = desk.add("KlingExpand", 400)
    desk.connect(picture, node, "image")
    desk.page.wait_for_function("document.querySelector('.kling-expand-picture')?.naturalWidth > 0")
    desk.editor.fit()
    return node


@pytest.fixture
def edit(desk: Desk) -> int:
    """A KlingO1Edit that has two pictures, in view."""
    first = desk.add("LoadImage", 0, image="mountain_lake.png")
    second = desk.add("LoadImage", 0, 420, image="portrait.png")
    node = desk.add("KlingO1Edit", 400, provider="eachlabs")
    desk.connect(first, node, "image_1")
    desk.connect(second, node, "image_2")
    desk.wait_for_sockets(node, "image_1", "image_2", "image_3")
    desk.editor.fit()
    return node


def drag(desk: Desk, side: str, x: float, y: float) -> None:
    """Drags an edge by shares of the picture, as it lies on the screen."""
    handle = desk.page.locator(f".kling-expand-{side}")
    handle.hover()  # waits until the frame has come to rest
    edge = handle.bounding_box()
    picture = desk.page.locator(".kling-expand-picture").bounding_box()
    assert edge and picture
    left, top = edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2
    desk.page.mouse.move(left, top)
    desk.page.mouse.down()
    desk.page.mouse.move(left + x * picture["width"], top + y * picture["height"], steps=5)
    desk.page.mouse.up()


def frame_on_screen(desk: Desk) -> tuple[float, float, float, float]:
    """How far the drawn frame reaches beyond the drawn picture: up, down, left, right."""
    frame = desk.page.locator(".kling-expand-frame").bounding_box()
    picture = desk.page.locator(".kling-expand-picture").bounding_box()
    assert frame and picture
    width, height = picture["width"], picture["height"]
    return (
        (picture["y"] - frame["y"]) / height,
        (frame["y"] + frame["height"] - picture["y"]) / height - 1,
        (picture["x"] - frame["x"]) / width,
        (frame["x"] + frame["width"] - picture["x"]) / width - 1,
    )


def test_an_edge_that_is_dragged_changes_its_number_and_back(desk: Desk, expand: int) -> None:
    drag(desk, "right", 0.51, 0)
    desk.wait_for_value(expand, "right_expansion_ratio", 0.5)
    assert frame_on_screen(desk) == pytest.approx((0, 0, 0, 0.5), abs=0.02)
    assert "1.50 × the area" in desk.page.locator(".kling-expand-told").inner_text()
    desk.set(expand, "up_expansion_ratio", 0.25)
    desk.page.wait_for_selector('.kling-expand-up[aria-valuenow="0.25"]')
    assert frame_on_screen(desk) == pytest.approx((0.25, 0, 0, 0.5), abs=0.02)


def test_an_edge_stops_at_three_times_the_area(desk: Desk, expand: int) -> None:
    desk.set(expand, "left_expansion_ratio", 0.5)
    desk.set(expand, "right_expansion_ratio", 0.5)
    desk.page.wait_for_selector('.kling-expand-right[aria-valuenow="0.5"]')
    drag(desk, "down", 0, 3)
    desk.wait_for_value(expand, "down_expansion_ratio", 0.5)
    assert "the most there is" in desk.page.locator(".kling-expand-told").inner_text()


def test_an_edge_moves_by_keys(desk: Desk, expand: int) -> None:
    edge = desk.page.get_by_role("slider", name="Expand left")
    edge.focus()
    desk.page.keyboard.press("ArrowLeft")
    desk.page.keyboard.press("Shift+ArrowLeft")
    desk.wait_for_value(expand, "left_expansion_ratio", 0.11)
    assert edge.get_attribute("aria-valuetext") == "11 % of the width"
    desk.page.keyboard.press("End")
    desk.wait_for_value(expand, "left_expansion_ratio", 2)
    desk.page.keyboard.press("Home")
    desk.wait_for_value(expand, "left_expansion_ratio", 0)


def test_a_target_shape_is_drawn_as_it_will_be_sent_and_changes_no_number(desk: Desk, expand: int) -> None:
    desk.set(expand, "target_aspect", "21:9")
    desk.set(expand, "anchor", "left")
    desk.page.wait_for_selector('.kling-expand-right[aria-disabled="true"]')
    sent = expansion_to("21:9", "left", LAKE)
    assert frame_on_screen(desk) == pytest.approx((sent.up, sent.down, sent.left, sent.right), abs=0.02)
    drag(desk, "right", 0.3, 0)
    assert [desk.value(expand, f"{side}_expansion_ratio") for side in RATIOS] == [0, 0, 0, 0]
    desk.page.get_by_role("button", name="Drag freely").click()
    desk.wait_for_value(expand, "target_aspect", "off")
    assert desk.value(expand, "right_expansion_ratio") == pytest.approx(sent.right, abs=0.01)


def test_the_expand_editor_has_no_accessibility_violation(desk: Desk, expand: int) -> None:
    for palette in reversed(PALETTES):
        paint(desk.editor, palette)
        assert violations(desk.editor, ".kling-expand") == []


def test_sockets_appear_as_they_are_needed_and_go_when_spare(desk: Desk, edit: int) -> None:
    third = desk.add("LoadImage", 0, 840, image="teapot.png")
    desk.connect(third, edit, "image_3")
    desk.wait_for_sockets(edit, "image_1", "image_2", "image_3", "image_4")
    desk.disconnect(edit, "image_3")
    desk.wait_for_sockets(edit, "image_1", "image_2", "image_3")
    desk.connect(third, edit, "image_3")
    desk.disconnect(edit, "image_2")
    desk.wait_for_sockets(edit, "image_1", "image_2", "image_3")
    linked = [name for name, value in desk.api_prompt()[str(edit)]["inputs"].items() if isinstance(value, list)]
    assert linked == ["image_1", "image_3"]


def test_a_subject_comes_before_scene_and_style_which_are_always_there(desk: Desk) -> None:
    picture = desk.add("LoadImage", 0, image="teapot.png")
    node = desk.add("KlingMultiImage", 400)
    desk.wait_for_sockets(node, "subject_image_1", "scene_image", "style_image")
    desk.connect(picture, node, "style_image")
    desk.connect(picture, node, "subject_image_1")
    desk.wait_for_sockets(node, "subject_image_1", "subject_image_2", "scene_image", "style_image")
    inputs = desk.api_prompt()[str(node)]["inputs"]
    assert inputs["style_image"] == inputs["subject_image_1"] == [str(picture), 0]
    assert "scene_image" not in inputs


def test_at_offers_the_connected_pictures_and_puts_in_the_name(desk: Desk, edit: int) -> None:
    field = desk.prompt_field(edit)
    field.click()
    desk.page.keyboard.type("Put @Image1 on @")
    options = desk.page.get_by_role("option")
    assert [words.split("\n")[0] for words in options.all_inner_texts()] == ["@Image1", "@Image2"]
    desk.page.wait_for_function(
        "[...document.querySelectorAll('.kling-menu img')].filter((picture) => picture.naturalWidth > 0).length === 2"
    )
    assert violations(desk.editor, ".kling-menu") == []
    desk.page.keyboard.press("ArrowDown")
    assert options.nth(1).get_attribute("aria-selected") == "true"
    assert field.get_attribute("aria-activedescendant") == options.nth(1).get_attribute("id")
    desk.page.keyboard.press("Enter")
    desk.wait_for_value(edit, "prompt", "Put @Image1 on @Image2 ")
    assert desk.page.locator(".kling-menu").count() == 0


def test_a_name_that_means_no_picture_is_marked_in_words(desk: Desk, edit: int) -> None:
    field = desk.prompt_field(edit)
    field.click()
    desk.page.keyboard.type("Only @Image7 please")
    note = desk.page.get_by_text("@Image7 means no picture: the last one is @Image2.")
    note.wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    assert violations(desk.editor, ".kling-notes") == []
    field.fill("Only @Image2 please")
    note.wait_for(state="detached")
    assert field.get_attribute("aria-invalid") is None


def test_the_price_follows_provider_and_count(desk: Desk, edit: int) -> None:
    desk.wait_for_badge(edit, "$0.028")
    desk.set(edit, "n", 4)
    desk.wait_for_badge(edit, "$0.028 × 4")
    desk.set(edit, "provider", "modellix")
    desk.wait_for_badge(edit, "price unknown")
    desk.set(edit, "provider", "sandbox")
    desk.wait_for_badge(edit, "free in the sandbox")
    text = desk.add("KlingT2I", 900, provider="apimodels")
    desk.wait_for_badge(text, "0.151 credits")


def test_values_that_do_not_go_together_are_marked_and_stay(desk: Desk) -> None:
    node = desk.add("KlingI2I", 400, model="kling-v1-5", provider="modellix", resolution="2k")
    desk.editor.fit()
    note = desk.page.get_by_text("resolution 2k is sent as 1k, the nearest that kling-v1-5 has at modellix.")
    note.wait_for()
    assert note.is_visible()
    assert (desk.label(node, "resolution") or "").startswith("⚠")
    assert desk.value(node, "resolution") == "2k"
    desk.set(node, "model", "kling-v3")
    note.wait_for(state="detached")
    assert "⚠" not in (desk.label(node, "resolution") or "")


def test_a_provider_that_does_not_have_the_model_is_said_before_run(desk: Desk) -> None:
    node = desk.add("KlingT2I", 400, model="kling-v2", provider="eachlabs")
    desk.page.get_by_text("eachlabs does not offer kling-v2 here. Offered by: modellix, apimodels.").wait_for()
    assert (desk.label(node, "provider") or "").startswith("⚠")


def test_auto_follows_a_key_that_is_removed_in_the_settings(desk: Desk, edit: int) -> None:
    """The last of this file: the editor's server has one key less from here on."""
    desk.set(edit, "provider", "auto")
    desk.wait_for_badge(edit, "$0.028")
    open_keys(desk.editor).nth(PROVIDERS.index("eachlabs")).get_by_role("button", name="Remove").click()
    desk.wait_for_badge(edit, "price unknown")
    close_settings(desk.editor)
