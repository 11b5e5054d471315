"""What the pack imports is in CONTRIBUTING's table with its reason, and comes with every ComfyUI that is supported."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import environment

ROOT = environment.ROOT
FOLDERS = ("catalog", "providers", "jobs", "nodes", "sandbox")
PACKAGES = {"PIL": "pillow", "sqlalchemy": "SQLAlchemy", "pydantic_settings": "pydantic-settings"}
"""Packages whose module has another name."""
COMFYUI = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "server"}
WITH_REQUESTS = {"urllib3"}
OWN = {"requests"}
EXTRAS = {"obstore", "psycopg"}


def test_every_import_has_its_reason() -> None:
    assert imported() - set(table()) == set()


def test_every_reason_has_its_import() -> None:
    """psycopg is imported by SQLAlchemy, for an address that names it; the bucket's client where one is set."""
    assert set(table()) - imported() <= EXTRAS


def test_the_oldest_comfyui_brings_all_but_requests_and_the_extras() -> None:
    listed = (environment.comfyui() / "requirements.txt").read_text("utf-8").lower()
    brought = set(re.findall(r"^([a-z0-9_-]+)", listed, re.MULTILINE))
    assert {name for name in table() if name.lower() not in brought} == OWN | EXTRAS


def test_what_it_does_not_bring_is_what_the_project_asks_for() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.findall(r'"([a-z]+)>=', re.findall(r"^dependencies = (.*)$", project, re.MULTILINE)[0]) == sorted(OWN)
    extras = project.split("[project.optional-dependencies]")[1].split("\n\n")[0]
    assert set(re.findall(r'\["([a-z]+)', extras)) == EXTRAS


def test_nothing_is_installed_at_run_time() -> None:
    for path in sources():
        text = path.read_text("utf-8")
        assert "subprocess" not in text and "ensurepip" not in text, path


def table() -> dict[str, str]:
    """The table's packages, with their reasons."""
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Dependencies")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", section, re.MULTILINE))
    assert all(len(reason) > 5 for reason in rows.values())
    return rows


def imported() -> set[str]:
    """Packages of others that any file of the pack imports."""
    names = {name.split(".")[0] for path in sources() for name in _modules(path)}
    names -= set(sys.stdlib_module_names) | COMFYUI | WITH_REQUESTS
    return {PACKAGES.get(name, name) for name in names}


def sources() -> list[Path]:
    return [
        ROOT / "__init__.py",
        ROOT / "errors.py",
        *(file for name in FOLDERS for file in (ROOT / name).rglob("*.py")),
    ]


def _modules(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.append(node.module)
    return found
