"""A real ComfyUI without keys, as at a first run, and the real editor on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sample_pictures
import tiny_upscaler
from comfyui import ComfyUI
from editor import Editor


@pytest.fixture(scope="module")
def comfyui() -> Iterator[ComfyUI]:
    """ComfyUI with the pack, the examples' input pictures and the tiny upscale model."""
    with ComfyUI() as started:
        sample_pictures.paint(started.base / "input")
        tiny_upscaler.make(started.base / "models" / "upscale_models" / "tiny_x2.pth")
        yield started


@pytest.fixture(scope="module")
def editor(comfyui: ComfyUI) -> Iterator[Editor]:
    """Closed with its file: Playwright keeps a loop running in this thread as long as it is open."""
    with Editor(comfyui) as opened:
        yield opened
