"""Stand-ins for torchvision and torchaudio, which have no CPU wheels, so that ComfyUI's core can be imported.

Python imports a module of this name at start-up. `scripts/comfyui.py` puts this folder on the path of the ComfyUI
process, and only where the real packages are missing. Any submodule and any name can be imported; using one fails.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

STOOD_IN = ("torchvision", "torchaudio")


class StandIn(ModuleType):
    """A module in which every public name is an empty class, to be named in annotations and inherited from."""

    __path__: list[str] = []
    __version__ = "0.0.0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = type(name, (), {"__init__": _refuse, "__module__": self.__name__})
        setattr(self, name, found)
        return found


def _refuse(self: object, *_: object, **__: object) -> None:
    raise NotImplementedError(f"{type(self).__module__}.{type(self).__name__}: only a stand-in is installed here")


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name.partition(".")[0] in STOOD_IN:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: names appear when they are asked for."""


sys.meta_path.append(StandInFinder())
