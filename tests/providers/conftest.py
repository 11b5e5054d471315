"""Pages of the providers as they were written down, and orders that stand for what the pages show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from kling_pack.catalog.frames import Picture
from kling_pack.catalog.models import model
from kling_pack.catalog.operations import operation
from kling_pack.catalog.order import Order, fit
from kling_pack.catalog.request import build_requests
from kling_pack.providers.base import Reply

FIXTURES = Path(__file__).with_name("fixtures")

# A busy machine is no fault of an example's.
settings.register_profile("pack", deadline=None)
settings.load_profile("pack")


@pytest.fixture
def page() -> Callable[[str], dict[str, Any]]:
    """`page("eachlabs/create_o1")`: `source`, and `request` and `reply` where the page shows them."""
    return _page


@pytest.fixture
def answer() -> Callable[..., Reply]:
    """`answer("eachlabs/create_o1")`: the page's reply; `answer(status=502, body=b"")`: any other."""
    return _answer


@pytest.fixture
def order() -> Callable[..., Order]:
    """`order("edit", "eachlabs", {"prompt": "a"}, image_1=["one"])`: pictures by digest, 1024×1024 each."""
    return _order


def _page(name: str) -> dict[str, Any]:
    written: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return written


def _answer(name: str = "", status: int = 200, body: object = b"") -> Reply:
    if name:
        shown = _page(name)["reply"]
        return Reply(shown["status"], json.dumps(shown["json"]).encode(), shown.get("headers", {}))
    return Reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def _order(name: str, provider: str, given: dict[str, object], **sockets: list[str]) -> Order:
    pictures = {socket: [Picture(1024, 1024, digest) for digest in digests] for socket, digests in sockets.items()}
    (request,) = build_requests(operation(name), {"prompt": "a red house", **given}, pictures)
    offers = model(name, request.model).offers
    return fit(request, next(offer for offer in offers if offer.provider == provider))
