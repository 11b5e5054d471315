"""The values that pass between a node and the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..catalog.models import PROVIDERS
from ..catalog.prices import Price
from ..catalog.request import SANDBOX, Request
from ..errors import InputError, KlingError
from .settings import Settings
from .states import State
from .task import Task

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Context:
    """Where a run comes from; `labels` are the user's own, for the ledger."""

    prompt_id: str | None = None
    node_id: str | None = None
    labels: Any = None
    from_editor: bool = False


@dataclass(frozen=True)
class Run:
    """One node's run: its requests in order and the pixels (H×W×3, 8 bit) of their pictures by digest."""

    requests: tuple[Request, ...]
    pixels: Mapping[str, Pixels]
    settings: Settings
    context: Context = field(default_factory=Context)


@dataclass(frozen=True)
class Progress:
    """How a task stands right now. `since` is when it began (seconds since 1970), `expected` seconds it takes.

    `place` is its place in the line before the provider, 0 where it is in none.
    """

    state: State
    words: str
    since: float
    expected: float
    handle: str = ""
    price: Price | None = None
    place: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a task ended for who waited for it.

    `files` are the kept pictures in order; `missing` counts those the provider made that could not be
    fetched yet. `how` is "", "joined" or "reused". `notes` say what was special. `error` says why there
    is no picture.
    """

    request: Request | None
    task: Task | None
    files: tuple[Path, ...] = ()
    missing: int = 0
    how: str = ""
    notes: tuple[str, ...] = ()
    price: Price | None = None
    error: KlingError | None = None

    @property
    def final(self) -> bool:
        """Whether running again could bring nothing more."""
        done = self.task is not None and self.task.state is State.DONE
        return done and bool(self.files) and self.error is None and not self.missing


@dataclass(frozen=True)
class Handle:
    """A task by provider and the provider's id, or by `~N`, its number in the ledger."""

    provider: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}"


_HANDLE = re.compile(r"([a-z0-9_-]{1,32}):(~[0-9]{1,15}|[A-Za-z0-9][A-Za-z0-9._-]{0,199})")


def read_handles(text: str) -> tuple[Handle, ...]:
    """The handles in `text`, one a line. Raises InputError for a line that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError("task is empty; it must hold one handle a line, such as eachlabs:abc123. Nothing was asked.")
    return tuple(_read_handle(line) for line in lines)


def _read_handle(line: str) -> Handle:
    found = _HANDLE.fullmatch(line)
    if found and found[1] in (*PROVIDERS, SANDBOX):
        return Handle(found[1], found[2])
    shown = line if len(line) <= 60 else line[:57] + "..."
    raise InputError(
        f"task has the line {shown!r}; it must be provider:id, as eachlabs:abc123, with a provider of "
        f"{', '.join((*PROVIDERS, SANDBOX))}. Nothing was asked."
    )
