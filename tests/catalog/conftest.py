"""Requests as a node would ask for them, and pictures given by their size alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import settings

from kling_pack.catalog.frames import Picture
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import Request, build_requests

# A busy machine is no fault of an example's.
settings.register_profile("pack", deadline=None)
settings.load_profile("pack")


@pytest.fixture
def picture() -> Callable[..., Picture]:
    """`picture("1024x768")`; `name` tells pictures of one size apart."""
    return _picture


@pytest.fixture
def ask() -> Callable[..., tuple[Request, ...]]:
    """`ask("edit", {"n": 2}, image_1=["1024x768"])`; a prompt and the required picture are there by default.

    A socket takes a list with one size for each picture of its batch; None leaves it unconnected.
    """
    return _ask


def _picture(size: str, name: str = "") -> Picture:
    width, height = size.split("x")
    return Picture(int(width), int(height), hashlib.sha256(f"{size} {name}".encode()).hexdigest())


def _ask(name: str, given: dict[str, object] | None = None, **sockets: list[str] | None) -> tuple[Request, ...]:
    op = operation(name)
    required: dict[str, list[str] | None] = {
        socket: ["1024x768"] for role in op.pictures for socket in role.required_sockets
    }
    connected = {
        socket: [_picture(size, f"{socket} {number}") for number, size in enumerate(sizes)]
        for socket, sizes in (required | sockets).items()
        if sizes is not None
    }
    expand = {"right_expansion_ratio": 0.5} if name == "expand" and given is None else {}
    return build_requests(op, {"prompt": "a red house", **expand, **(given or {})}, connected)
