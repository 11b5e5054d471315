"""Loads the pack as ComfyUI does, and keeps every test away from the user's own settings and files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
# The commands' modules and the tests' own. Never the root: its `nodes` would stand in front of ComfyUI's.
sys.path[:0] = [str(TESTS.parent / "scripts"), str(TESTS / "harness")]

from pack import load_pack  # noqa: E402 - the path comes first

load_pack()

OWN_VARIABLES = ("KLING_", "EACHLABS_", "MODELLIX_", "APIMODELS_", "AWS_")


LONG = ("services", "simulation", "editor", "comfyui", "sandbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that no process is left alone with it at the end."""
    folders = {item: item.path.relative_to(TESTS).parts[0] for item in items}
    items.sort(key=lambda item: LONG.index(folders[item]) if folders[item] in LONG else len(LONG))


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key, no setting, and a home of its own."""
    for name in [name for name in os.environ if name.startswith(OWN_VARIABLES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KLING_HOME", str(tmp_path / "kling"))
    yield
