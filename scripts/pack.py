"""Loads this repository as ComfyUI does: as a package by its path, under one fixed name and without ComfyUI."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "kling_pack"


def load_pack() -> None:
    """Makes `kling_pack` importable, whatever the folder is called; does nothing the second time."""
    if NAME in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
