"""A real ComfyUI without keys, as at a first run, and the real editor on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
import sample_pictures
import tiny_upscaler
from comfyui import ComfyUI
from editor import Editor
from truth import BEHAVIOUR, paint_inputs

from kling_pack.catalog.models import PROVIDERS
from kling_pack.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def comfyui() -> Iterator[ComfyUI]:
    """ComfyUI with the pack, the examples' input pictures and the tiny upscale model."""
    with ComfyUI() as started:
        sample_pictures.paint(started.base / "input")
        tiny_upscaler.make(started.base / "models" / "upscale_models" / "tiny_x2.pth")
        yield started


EDITORS = (("1.25.11", False), ("1.32.9", False), ("1.58.1", False), ("1.58.1", True))
"""Frontends and whether their nodes are drawn by Vue."""


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The providers, on loopback."""
    with Sandbox(tmp_path_factory.mktemp("providers"), behaviour=BEHAVIOUR) as server:
        yield server


@pytest.fixture(scope="session")
def servers(providers: Sandbox) -> Iterator[Callable[[str], ComfyUI]]:
    """`servers(frontend)` is one ComfyUI with that editor, without any key, whose providers are on loopback."""
    started: dict[str, ComfyUI] = {}
    variables = {f"{name.upper()}_BASE_URL": providers.base_url(name) for name in PROVIDERS}

    def with_frontend(version: str) -> ComfyUI:
        if version not in started:
            started[version] = ComfyUI(variables, frontend=version).start()
            paint_inputs(started[version].base / "input")
        return started[version]

    yield with_frontend
    for comfyui in started.values():
        comfyui.stop()
        shutil.rmtree(comfyui.base, ignore_errors=True)


@pytest.fixture(scope="module", params=EDITORS, ids=lambda place: f"{place[0]}{'-vue' if place[1] else ''}")
def every_editor(request: pytest.FixtureRequest, servers: Callable[[str], ComfyUI]) -> Iterator[Editor]:
    """The editor in every version and renderer, on a server that is kept from one file to the next."""
    version, vue = request.param
    with Editor(servers(version), vue=vue) as opened:
        yield opened


@pytest.fixture(scope="module")
def editor(comfyui: ComfyUI) -> Iterator[Editor]:
    """Closed with its file: Playwright keeps a loop running in this thread as long as it is open."""
    with Editor(comfyui) as opened:
        yield opened
