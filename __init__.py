"""Kling images for ComfyUI, through EachLabs, Modellix and apimodels: never paid twice, never lost."""

from __future__ import annotations

from typing import Any

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> Any:
    """ComfyUI's door to the pack. Imported late: ComfyUI alone can load what lies behind it."""
    from .nodes.extension import KlingExtension

    return KlingExtension()
