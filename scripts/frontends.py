"""Versions of ComfyUI's editor, each taken from its wheel: they run on any core by `--front-end-root`."""

from __future__ import annotations

from pathlib import Path

from environment import ROOT
from wheels import unpack

#: The one that ComfyUI 0.3.75 asks for.
DEFAULT = "1.32.9"
#: The oldest that the pack supports, the default, and the newest it was tried with.
TRIED = ("1.25.11", DEFAULT, "1.58.1")


def frontend(version: str = DEFAULT) -> Path:
    """The folder to serve for this version, unpacked on the first call."""
    folder = ROOT / ".comfyui-frontends" / version
    folder.parent.mkdir(exist_ok=True)
    requirement = f"comfyui-frontend-package=={version}"
    return unpack(requirement, "comfyui_frontend_package/static", folder, leave_out="*.map")
