"""Both languages say the same things: the same keys, the same numbers, and nothing that an editor would misread."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import locales
from kling_pack.providers import ADAPTERS

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
NUMBER = re.compile(r"(?<![A-Za-z\d])\d+(?:[.:]\d+)?k?")
NAMES = {"Kling", *(adapter.title for adapter in ADAPTERS.values())}
FILES = sorted({file.name for file in (ROOT / "locales").glob("*/*.json")})


def test_english_is_what_the_nodes_themselves_say() -> None:
    assert locales.read("en", "nodeDefs.json") == locales.safe(locales.nodes())


def test_every_text_of_a_node_has_a_chinese_one_and_none_is_left_over() -> None:
    assert set(locales.flat(locales.read("zh", "nodeDefs.json"))) == set(locales.flat(locales.nodes()))


def test_every_other_english_text_has_a_chinese_one() -> None:
    for file in FILES:
        if file != "nodeDefs.json":
            assert set(locales.flat(locales.read("en", file))) == set(locales.flat(locales.read("zh", file))), file


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_key_of_every_provider_has_its_name_in_the_settings(language: str) -> None:
    named = {key: told["name"] for key, told in locales.read(language, "settings.json").items()}
    assert named == {f"Kling_Key_{name}": adapter.title for name, adapter in ADAPTERS.items()}


def test_a_chinese_text_names_the_same_numbers() -> None:
    """A limit or an advice that changes in English is noticed in Chinese."""
    english, chinese = locales.flat(locales.nodes()), locales.flat(locales.read("zh", "nodeDefs.json"))
    numbers = {key: sorted(set(NUMBER.findall(text))) for key, text in english.items()}
    assert {key: sorted(set(NUMBER.findall(chinese[key]))) for key in english} == numbers


def test_a_chinese_text_names_the_same_choices() -> None:
    """A choice is shown as it is sent, in every language."""
    info = json.loads(locales.SNAPSHOT.read_text("utf-8"))
    choices = {
        str(option)
        for told in info.values()
        for field in told["input"].get("optional", {}).values()
        for option in field[1].get("options", [])
    }
    named = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(choices)))})(?=:)")
    english, chinese = locales.flat(locales.nodes()), locales.flat(locales.read("zh", "nodeDefs.json"))
    explained = {key: named.findall(text) for key, text in english.items() if named.search(text)}
    assert explained["KlingI2I.inputs.image_reference.tooltip"] == ["subject", "face", "none"]
    assert {key: [word for word in words if word not in chinese[key]] for key, words in explained.items()} == {
        key: [] for key in explained
    }


@pytest.mark.parametrize("file", FILES)
def test_chinese_is_chinese_and_safe_in_every_editor(file: str) -> None:
    texts = locales.flat(locales.read("zh", file))
    assert [key for key, text in texts.items() if locales.COMPILED.search(text)] == []
    assert [key for key, text in texts.items() if not CHINESE.search(text) and text not in NAMES] == []


def test_texts_that_an_editor_would_compile_are_left_to_the_node() -> None:
    assert locales.safe({"a": {"b": "call it @Image1", "c": "plain"}, "d": "a|b"}) == {"a": {"c": "plain"}}
