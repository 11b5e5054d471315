"""The help pages: one a node and language, with a picture, and with tables and limits that are the catalogue's."""

from __future__ import annotations

import re

import help_tables
import pytest
from help_tables import CHINESE, ENGLISH, Words
from PIL import Image

from kling_pack.catalog.frames import LONGEST_RATIO, SHORTEST_SIDE
from kling_pack.catalog.operations import LARGEST_EXPANSION, OPERATIONS

NODES = (*(operation.node_id for operation in OPERATIONS), "KlingPoll")
PAGES = [(node, words) for node in NODES for words in (ENGLISH, CHINESE)]
LARGEST_PICTURE = 80_000
SIZES = {
    "en": (f"at least {SHORTEST_SIDE} pixels", f"at most {LONGEST_RATIO:g} times the short one"),
    "zh": (f"每边至少 {SHORTEST_SIDE} 像素", f"长边不超过短边的 {LONGEST_RATIO:g} 倍"),
}
AREA = {
    "en": f"the whole new area is at most {LARGEST_EXPANSION:g} times the old",
    "zh": f"扩展后的总面积最多为原图的 {LARGEST_EXPANSION:g} 倍",
}


def text(node: str, words: Words) -> str:
    return help_tables.page(node, words).read_text("utf-8")


def test_tables_say_what_the_catalogue_holds() -> None:
    wanted = help_tables.expected()
    assert {file: file.read_text("utf-8") for file in wanted} == wanted


@pytest.mark.parametrize("node", NODES)
def test_the_page_that_an_english_editor_asks_for_first_is_there(node: str) -> None:
    assert (help_tables.HELP / node / "en.md").read_text("utf-8") == text(node, ENGLISH)


def test_a_table_tells_what_an_offer_leaves_out() -> None:
    table = help_tables.offers_table("KlingI2I", ENGLISH)
    assert "| `kling-v2-new` | apimodels | 0.151 credits | no aspect_ratio, resolution |" in table
    assert "human_fidelity only with image_reference subject; resolution only 1k" in table
    assert "only 1 image" in help_tables.offers_table("KlingO1Edit", ENGLISH)
    assert "target_aspect" not in help_tables.offers_table("KlingExpand", ENGLISH)


def test_a_chinese_table_uses_the_names_on_the_node() -> None:
    assert "| `kling-v2-new` | apimodels | 0.151 点数 | 无宽高比、分辨率 |" in help_tables.offers_table(
        "KlingI2I", CHINESE
    )


@pytest.mark.parametrize(("node", "words"), PAGES, ids=lambda part: getattr(part, "language", part))
def test_a_page_is_short_and_has_a_picture(node: str, words: Words) -> None:
    page = text(node, words)
    assert 40 <= len(page.splitlines()) <= 90
    assert re.findall(r"!\[.+\]\((.+)\)", page) == [f"{node}.jpg"]
    picture = help_tables.HELP / f"{node}.jpg"
    assert picture.stat().st_size < LARGEST_PICTURE
    with Image.open(picture) as opened:
        assert opened.format == "JPEG"


@pytest.mark.parametrize("node", NODES)
def test_both_languages_have_the_same_parts(node: str) -> None:
    def parts(words: Words) -> list[int]:
        return [len(level) for level in re.findall(r"^(#+) ", text(node, words), re.MULTILINE)]

    assert parts(ENGLISH) == parts(CHINESE)


@pytest.mark.parametrize("words", (ENGLISH, CHINESE), ids=("en", "zh"))
def test_limits_that_a_page_names_are_the_catalogues(words: Words) -> None:
    for operation in OPERATIONS:
        page = " ".join(text(operation.node_id, words).split())
        if operation.pictures:
            assert all(limit in page for limit in SIZES[words.language])
        if operation.name == "expand":
            assert AREA[words.language] in page


@pytest.mark.parametrize(("node", "words"), PAGES, ids=lambda part: getattr(part, "language", part))
def test_inputs_that_a_page_names_are_the_nodes(node: str, words: Words) -> None:
    """English pages write an input in bold code where they explain it; Chinese ones in bold, by its Chinese name."""
    import locales

    told = locales.nodes()[node] if words is ENGLISH else locales.read("zh", "nodeDefs.json")[node]
    pattern = r"^\W*\*\*`(\w+)`\*\*" if words is ENGLISH else r"^- \*\*([\w ]+)\*\*[：:给是改]"
    explained = set(re.findall(pattern, text(node, words), re.MULTILINE))
    known = set(told["inputs"]) if words is ENGLISH else {field["name"] for field in told["inputs"].values()}
    assert explained <= known
