"""How each provider speaks: pure values in and out.

The table below is all a new provider needs beside its file.
"""

from __future__ import annotations

from .apimodels import ApiModels
from .base import Provider
from .eachlabs import EachLabs
from .modellix import Modellix

ADAPTERS: dict[str, Provider] = {adapter.name: adapter for adapter in (EachLabs(), Modellix(), ApiModels())}
