"""What ComfyUI serves of the pack's words: both languages, and the help of every node with its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from comfyui import ComfyUI

import locales
from kling_pack.catalog.operations import OPERATIONS

NODES = (*(operation.node_id for operation in OPERATIONS), "KlingPoll")


@pytest.fixture(scope="module")
def comfyui() -> Iterator[ComfyUI]:
    """From a folder of an ordinary name: ComfyUI serves no editor files from one with a space or an umlaut."""
    with ComfyUI() as started:
        yield started


@pytest.fixture(scope="module")
def info(comfyui: ComfyUI) -> dict[str, Any]:
    told = comfyui.object_info()
    return {name: told[name] for name in NODES}


@pytest.fixture(scope="module")
def served(comfyui: ComfyUI) -> dict[str, Any]:
    """What the editor asks for at its start."""
    translations: dict[str, Any] = comfyui.get("/i18n")
    return translations


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_texts_of_every_node_are_served(served: dict[str, Any], language: str) -> None:
    ours = {name: text for name, text in served[language]["nodeDefs"].items() if name in NODES}
    assert ours == locales.read(language, "nodeDefs.json")
    assert set(ours) == set(NODES)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_texts_of_the_settings_are_served(served: dict[str, Any], language: str) -> None:
    assert served[language]["settings"] == locales.read(language, "settings.json")
    assert served[language]["settingsCategories"] == locales.read(language, "main.json")["settingsCategories"]


def test_english_texts_are_those_of_the_nodes(info: dict[str, Any], served: dict[str, Any]) -> None:
    assert served["en"]["nodeDefs"] == locales.safe(locales.texts(info))


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("page", ["{}.md", "{}/en.md", "{}/zh.md"])
def test_a_help_page_is_served_with_its_picture(comfyui: ComfyUI, info: dict[str, Any], node: str, page: str) -> None:
    """Where the editor looks: beside the other files of the folder that the node's module names."""
    folder = f"{comfyui.address}/extensions/{info[node]['python_module'].removeprefix('custom_nodes.')}/docs"
    answer = requests.get(f"{folder}/{page.format(node)}", timeout=10)
    assert answer.ok
    assert "html" not in answer.headers["content-type"]
    answer.encoding = "utf-8"
    title = locales.texts_of("zh" if "zh" in page else "en")[node]["display_name"]
    assert answer.text.startswith(f"# {title}\n")
    (picture,) = re.findall(r"!\[.+\]\((.+)\)", answer.text)
    shown = requests.get(f"{folder}/{picture}", timeout=10)
    assert shown.ok
    assert shown.headers["content-type"] == "image/jpeg"
