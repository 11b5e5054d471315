"""What is taken from ComfyUI, one import at a time, and what stands in where it is not there.

There is no ComfyUI in this process, so that everything is missing here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling_pack.errors import UnfinishedError
from kling_pack.nodes import host

ROOT = Path(__file__).resolve().parents[2]
HOST = {"comfy", "comfy_api", "comfy_config", "comfy_execution", "comfy_extras", "comfy_api_nodes", "app", "execution"}
HOST |= {"folder_paths", "latent_preview", "node_helpers", "nodes", "protocol", "server"}
PUBLIC = "comfy_api.latest"
FALLBACKS = {
    "folder_paths": "folder_paths",
    "comfy.model_management": "model_management",
    "comfy.utils.ProgressBar": "ProgressBar",
    "comfy_execution.graph.ExecutionBlocker": "ExecutionBlocker",
    "comfy_execution.utils.get_executing_context": "get_executing_context",
    "server.PromptServer": "PromptServer",
}
"""Every private part that is imported, and the name that is None without it."""


def test_only_one_file_imports_what_is_private() -> None:
    private = {file for file, name, _ in imports_of_comfyui() if not name.startswith(PUBLIC)}
    assert private == {"nodes/host.py"}


def test_every_private_import_has_its_fallback() -> None:
    found = {name: guard for _, name, guard in imports_of_comfyui() if not name.startswith(PUBLIC)}
    assert found == FALLBACKS


def test_the_document_names_every_private_import() -> None:
    rows = (ROOT / "docs" / "comfyui.md").read_text("utf-8").split("## What is taken")[1].splitlines()
    named = [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert named == list(FALLBACKS)


def test_without_comfyui_the_home_is_where_comfyui_would_have_it() -> None:
    """custom_nodes/<pack>/nodes/host.py: users are kept beside custom_nodes/."""
    assert host.default_home() == ROOT.parent.parent / "user" / "__kling"


def test_without_comfyui_nothing_runs_and_nobody_pressed_stop() -> None:
    assert host.executing() == (None, None)
    assert host.interrupted() is False
    assert isinstance(host.interruption(), InterruptedError)
    assert host.server() is None


def test_without_comfyui_bar_and_text_go_nowhere() -> None:
    host.progress_bar("1", 100)(50)
    host.show_text("waiting", "1")


def test_without_a_blocker_the_task_is_told_to_go_on() -> None:
    with pytest.raises(UnfinishedError, match="The task goes on and nothing is paid again"):
        host.blocker()


def imports_of_comfyui() -> Iterator[tuple[str, str, str | None]]:
    """File, dotted name, and the name that is set to None where the import fails."""
    for folder in ("catalog", "providers", "jobs", "nodes", "sandbox"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _in(path)
    yield from _in(ROOT / "__init__.py")


def _in(path: Path) -> Iterator[tuple[str, str, str | None]]:
    tree = ast.parse(path.read_text("utf-8"))
    guards = {id(node): guard for node, guard in _guarded(tree)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] in HOST:
                yield path.relative_to(ROOT).as_posix(), name, guards.get(id(node))


def _guarded(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Imports in `try: … except ImportError: name = None`, with that name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        for handler in node.handlers:
            caught = isinstance(handler.type, ast.Name) and handler.type.id == "ImportError"
            match handler.body:
                case [ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=None))] if caught:
                    yield from ((statement, name) for statement in node.body)
