"""Who may change a key: a browser on this machine, on a name of this machine, with nobody in between."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from kling_pack.nodes.answers import from_this_machine


class Transport:
    """A connection from an address that no test may bind."""

    def __init__(self, peer: Any) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._peer if name == "peername" else default


def asked(peer: Any = ("127.0.0.1", 5), host: str = "127.0.0.1:8188", **headers: str) -> bool:
    given = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = make_mocked_request("PUT", "/kling/keys/eachlabs", headers=given, transport=Transport(peer))  # type: ignore[arg-type]
    return from_this_machine(request)


@pytest.mark.parametrize("peer", [("127.0.0.1", 5), ("127.8.8.8", 5), ("::1", 5, 0, 0), ("::ffff:127.0.0.1", 5, 0, 0)])
def test_a_peer_on_this_machine(peer: Any) -> None:
    assert asked(peer)


@pytest.mark.parametrize("peer", [("192.168.1.4", 5), ("fe80::1", 5, 0, 0), ("::ffff:10.0.0.1", 5, 0, 0), "", None])
def test_a_peer_that_is_elsewhere_or_unknown(peer: Any) -> None:
    assert not asked(peer)


@pytest.mark.parametrize("host", ["localhost", "localhost:8188", "127.0.0.1:8188", "[::1]:8188"])
def test_a_name_of_this_machine(host: str) -> None:
    assert asked(host=host)


@pytest.mark.parametrize("host", ["comfy.example", "localhost.example:8188", "192.168.1.4:8188", "0.0.0.0", ""])
def test_another_name_may_be_a_foreign_page_that_points_here(host: str) -> None:
    assert not asked(host=host)


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "CF-Ray"]
)
def test_behind_a_proxy_every_peer_looks_near(header: str) -> None:
    assert not asked(**{header: "127.0.0.1"})
