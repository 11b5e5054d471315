"""One real ComfyUI 0.3.75 with the pack, whose providers' addresses are those of one real sandbox server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from comfyui import ComfyUI
from truth import BEHAVIOUR, behave, control, counted, paint_inputs

from kling_pack.catalog.models import PROVIDERS
from kling_pack.sandbox.server import Sandbox

FOLDER = "Kling Bilder-ü"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The providers, on loopback. A task takes 0.3 s."""
    with Sandbox(tmp_path_factory.mktemp("sandbox"), behaviour=BEHAVIOUR) as server:
        yield server


@pytest.fixture(scope="session")
def with_keys(sandbox: Sandbox) -> dict[str, str]:
    """Environment variables that give every provider a key and the sandbox's address."""
    variables = {"KLING_SANDBOX": "editor"}
    for name in PROVIDERS:
        variables[f"{name.upper()}_API_KEY"] = f"key-of-{name}-0123456789"
        variables[f"{name.upper()}_BASE_URL"] = sandbox.base_url(name)
        variables[f"{name.upper()}_REQUESTS_PER_MINUTE"] = "6000"
    return variables


@pytest.fixture(scope="session")
def comfyui(with_keys: dict[str, str]) -> Iterator[ComfyUI]:
    """ComfyUI with keys, from a folder with a space, a hyphen and an umlaut."""
    with ComfyUI(with_keys, folder=FOLDER) as started:
        paint_inputs(started.base / "input")
        yield started


@pytest.fixture
def paid(sandbox: Sandbox) -> Callable[[], int]:
    """How many tasks were paid for since the test began."""
    return lambda: sum(counted(sandbox).values())


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox: Sandbox) -> None:
    """No faults and no counts left from the test before."""
    behave(sandbox)
    requests.post(control(sandbox, "reset"), json={}, timeout=10).raise_for_status()
