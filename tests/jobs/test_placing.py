"""Where one input picture is put. What becomes of it is in test_uploads.py, the bucket in tests/services."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kling_pack.jobs.encode import Encoded, encode
from kling_pack.jobs.placing import Placed, UploadFailedError, place
from kling_pack.providers import ADAPTERS
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, shade

PICTURE: Encoded = encode(shade(1))


def put(bench: Bench, provider: str) -> Placed:
    async def placed() -> Placed:
        end = bench.settings.endpoints[provider]
        return await place(bench.engine._services, end, ADAPTERS[provider], PICTURE, "0" * 64)

    return bench.engine.call(placed()).result(SECONDS)


def test_the_link_of_a_provider_is_the_same_each_time(bench: Bench) -> None:
    placed = put(bench, "eachlabs")
    assert placed.link() == placed.link() and placed.link().startswith("http://127.0.0.1:")
    assert bench.house.stats("eachlabs")["puts"] == 1


def test_what_a_provider_lets_be_deleted_can_be_and_what_not_expires(bench: Bench) -> None:
    placed = put(bench, "eachlabs")
    assert placed.remove is not None
    removal: Coroutine[Any, Any, None] = asyncio.wait_for(placed.remove(), SECONDS)
    bench.engine.call(removal).result(SECONDS)
    assert bench.house.stats("eachlabs")["deletes"] == 1
    assert put(bench, "apimodels").remove is None


def test_a_deletion_that_fails_is_nobodys_trouble(bench: Bench) -> None:
    placed = put(bench, "eachlabs")
    bench.house.behave(Fault("drop_before", on="delete"))
    assert placed.remove is not None
    bench.engine.call(asyncio.wait_for(placed.remove(), SECONDS)).result(SECONDS)


@pytest.mark.parametrize(("fault", "reason"), [("http_503", "503"), ("drop_before", "Connection")])
def test_a_put_that_keeps_failing_is_told_with_its_reason(bench: Bench, fault: str, reason: str) -> None:
    bench.house.behave(Fault(fault, on="put"))
    with pytest.raises(UploadFailedError, match=reason):
        put(bench, "eachlabs")
    assert bench.house.stats("eachlabs")["puts"] == 4
