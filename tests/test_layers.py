"""Imports point one way, and what is tied to ComfyUI, the network or the environment stays in its place.

`__init__ > nodes > jobs > providers > catalog > errors`. The sandbox stands beside them: it imports none of
them, and only jobs or nodes start it, from inside a function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("errors", "catalog", "providers", "jobs", "nodes", "__init__")
SANDBOX = "sandbox"
OURS = {*LAYERS[:-1], SANDBOX}
HOST = {"comfy", "comfy_api", "comfy_execution", "execution", "folder_paths", "nodes", "server", "torch"}
IMPURE = {"aiohttp", "asyncio", "datetime", "http", "random", "requests", "socket", "threading", "time"}
SETTINGS, HTTP, BUCKET = "jobs/settings.py", "jobs/http.py", "jobs/bucket.py"


def test_the_pack_keeps_its_layers() -> None:
    assert list(faults(ROOT)) == []


def test_every_layer_is_looked_at() -> None:
    seen = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in sources(ROOT)}
    assert seen == {*LAYERS, SANDBOX}


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        (
            "catalog/models.py",
            "from ..providers.base import Call",
            "catalog/models.py reaches up to providers",
        ),
        ("providers/fal.py", "from .. import jobs", "providers/fal.py reaches up to jobs"),
        ("jobs/work.py", "from ..nodes.generate import run", "jobs/work.py reaches up to nodes"),
        ("errors.py", "from .catalog import fields", "errors.py reaches up to catalog"),
        ("sandbox/server.py", "from ..catalog.models import MODELS", "sandbox/server.py imports catalog"),
        ("sandbox/dialects/a.py", "from ...errors import KlingError", "sandbox/dialects/a.py imports errors"),
        ("jobs/work.py", "from ..sandbox import server", "jobs/work.py imports sandbox on loading"),
        ("nodes/a.py", "if True:\n    from ..sandbox import server", "nodes/a.py imports sandbox on loading"),
        ("providers/fal.py", "def run():\n    from .. import sandbox", "providers/fal.py imports sandbox"),
        ("jobs/work.py", "from catalog.models import MODELS", "jobs/work.py imports catalog absolutely"),
        ("nodes/a.py", "import sandbox.server", "nodes/a.py imports sandbox absolutely"),
        ("jobs/work.py", "import nodes", "jobs/work.py needs ComfyUI: nodes"),
        ("jobs/work.py", "def run():\n    import torch.nn", "jobs/work.py needs ComfyUI: torch"),
        ("jobs/work.py", "from comfy_api.latest import io", "jobs/work.py needs ComfyUI: comfy_api"),
        ("jobs/work.py", "import requests.sessions", "jobs/work.py imports requests; only jobs/http.py may"),
        ("jobs/work.py", "def run():\n    import obstore", "jobs/work.py imports obstore; only jobs/bucket.py may"),
        ("jobs/work.py", "import os\nos.environ['A']", "jobs/work.py reads the environment"),
        ("jobs/work.py", "import os\nos.getenv('A')", "jobs/work.py reads the environment"),
        ("jobs/work.py", "from os import environ", "jobs/work.py reads the environment"),
        ("jobs/work.py", "import pydantic_settings", "jobs/work.py reads the environment"),
        ("providers/fal.py", "import time", "providers/fal.py is not pure: time"),
        ("catalog/models.py", "from asyncio import sleep", "catalog/models.py is not pure: asyncio"),
        (
            "providers/fal.py",
            "from urllib.request import urlopen",
            "providers/fal.py is not pure: urllib.request",
        ),
    ],
)
def test_a_planted_fault_is_found(file: str, line: str, fault: str, tmp_path: Path) -> None:
    plant(tmp_path, file, line)
    assert fault in list(faults(tmp_path))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (
            "nodes/generate.py",
            "import nodes\nimport torch\nfrom ..jobs.work import run\nfrom . import tensors",
        ),
        ("jobs/start.py", "def start():\n    from ..sandbox import server"),
        ("nodes/session.py", "def start():\n    from ..sandbox.server import Sandbox"),
        ("jobs/settings.py", "import os\nimport pydantic_settings\nos.environ"),
        ("jobs/http.py", "import requests\nimport os\nos.fsync"),
        (
            "providers/fal.py",
            "from urllib.parse import quote\nfrom .base import Call\nfrom ..errors import KlingError",
        ),
        ("sandbox/server.py", "import time\nimport asyncio\nfrom .art import paint"),
        ("__init__.py", "from comfy_api.latest import ComfyExtension\nfrom .nodes import Kling"),
        ("scripts/demo.py", "import requests\nimport torch"),
        (".venv/lib/a.py", "import requests"),
    ],
)
def test_what_is_allowed_passes(file: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, file, line)
    assert list(faults(tmp_path)) == []


def plant(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text, "utf-8")


def sources(root: Path) -> Iterator[Path]:
    """The pack's own files: the root's two and everything in its folders."""
    yield from (path for path in (root / "__init__.py", root / "errors.py") if path.exists())
    for folder in sorted(OURS - {"errors"}):
        yield from sorted((root / folder).rglob("*.py"))


def faults(root: Path) -> Iterator[str]:
    """One sentence for each import or access that is out of place."""
    for path in sources(root):
        inside = path.relative_to(root)
        name, layer = inside.as_posix(), inside.parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text("utf-8"))
        on_loading = {id(node) for node in _outside_functions(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                for target in _layers_of(node, len(inside.parts)):
                    yield from _relative_fault(name, layer, target, id(node) in on_loading)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for module in _modules_of(node):
                    yield from _absolute_faults(name, layer, module)
            if _reads_environment(node) and name != SETTINGS:
                yield f"{name} reads the environment"


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for below in ast.iter_child_nodes(node):
        if not isinstance(below, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield below
            yield from _outside_functions(below)


def _layers_of(node: ast.ImportFrom, depth: int) -> list[str]:
    """The layers a relative import reaches, from a file `depth` levels below the pack's folder."""
    if node.level < depth:
        return []
    if node.module:
        return [node.module.split(".")[0]]
    return [alias.name for alias in node.names]


def _relative_fault(name: str, layer: str, target: str, on_loading: bool) -> Iterator[str]:
    if SANDBOX in (layer, target):
        if layer == SANDBOX != target or layer not in (SANDBOX, "jobs", "nodes"):
            yield f"{name} imports {target}"
        elif layer != SANDBOX and on_loading:
            yield f"{name} imports {target} on loading"
    elif target in LAYERS and LAYERS.index(target) > LAYERS.index(layer):
        yield f"{name} reaches up to {target}"


def _modules_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


def _absolute_faults(name: str, layer: str, module: str) -> Iterator[str]:
    top = module.split(".")[0]
    if top in HOST:
        if layer not in ("nodes", "__init__"):
            yield f"{name} needs ComfyUI: {top}"
    elif top in OURS:
        yield f"{name} imports {top} absolutely"
    if top == "requests" and name != HTTP:
        yield f"{name} imports requests; only {HTTP} may"
    if top == "obstore" and name != BUCKET:
        yield f"{name} imports obstore; only {BUCKET} may"
    if layer in ("providers", "catalog", "errors") and (top in IMPURE or module == "urllib.request"):
        yield f"{name} is not pure: {module}"


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "pydantic_settings" or (
            node.module == "os" and any(alias.name in names for alias in node.names)
        )
    if isinstance(node, ast.Import):
        return any(alias.name == "pydantic_settings" for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )
