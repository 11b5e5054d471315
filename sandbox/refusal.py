"""The one error inside the sandbox: a request that is not acted on. Each dialect says it in its own shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Refused(Exception):
    """``status`` is the HTTP code; ``detail`` says what is wrong; ``topic`` tells apart what shares a code:
    ``model`` and ``task`` for 404, ``limit`` and ``rate`` for 429, ``download`` for an input that cannot be
    fetched. ``retry_after`` is in seconds."""

    status: int
    detail: str
    topic: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.detail}"
