"""What the tests ask of the sandbox server and of ComfyUI's history."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from kling_pack.catalog.models import PROVIDERS
from kling_pack.sandbox.behaviour import Behaviour
from kling_pack.sandbox.order import Order
from kling_pack.sandbox.server import Sandbox

# The pages' limits are tested in jobs/; here they would only make hundreds of quick calls wait.
BEHAVIOUR = Behaviour(seconds={"*": 0.3}, limits={})


def control(sandbox: Sandbox, what: str) -> str:
    return f"http://127.0.0.1:{sandbox.port}/sandbox/{what}"


def behave(sandbox: Sandbox, **changed: Any) -> None:
    """Lets the sandbox behave in another way until the test ends."""
    wanted = {**BEHAVIOUR.to_json(), **changed}
    requests.put(control(sandbox, "behaviour"), json=wanted, timeout=10).raise_for_status()


def stats(sandbox: Sandbox) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(control(sandbox, "stats"), timeout=10).json()
    return told


def paint_inputs(folder: Path) -> None:
    """Pictures that LoadImage finds, each with its own colours."""
    sizes = {"wide.png": (640, 400), "tall.png": (400, 640), "square.png": (512, 512), "tiny.png": (200, 200)}
    for place, (name, (width, height)) in enumerate(sizes.items()):
        across = np.linspace(0, 255, width, dtype=np.uint8)[None, :].repeat(height, 0)
        down = np.linspace(0, 255, height, dtype=np.uint8)[:, None].repeat(width, 1)
        Image.fromarray(np.dstack([across, down, np.full_like(down, 60 * place)])).save(folder / name)


def small_pictures(order: Order, inputs: Sequence[Image.Image]) -> list[bytes]:
    """Stands in for the sandbox's painting, which takes longer than the rest of a task and has tests of its own."""
    file = BytesIO()
    Image.new("RGB", (64, 64)).save(file, order.format.upper())
    return [file.getvalue()] * order.n


def error_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The error that the browser is told of, or nothing."""
    return next((told for kind, told in entry["status"]["messages"] if kind == "execution_error"), {})


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for something another process does. Raises TimeoutError."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)


def counted(sandbox: Sandbox) -> dict[str, int]:
    """Paid tasks by provider."""
    told = stats(sandbox)
    return {name: told["providers"][name]["creates_accepted"] for name in PROVIDERS}
