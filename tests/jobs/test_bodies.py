"""Bodies of answers, counted as they come; on real sockets in test_http.py."""

from __future__ import annotations

import gzip
import tracemalloc
from io import BytesIO

import pytest
from urllib3 import HTTPResponse

from kling_pack.jobs.bodies import CHUNK, BodyError, pieces
from kling_pack.jobs.connections import Exchange

MOST = 10 * CHUNK


def response(body: bytes, **headers: str) -> HTTPResponse:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(BytesIO(body), headers=told, preload_content=False)


def read(answer: HTTPResponse, most: int = MOST) -> bytes:
    return b"".join(pieces(answer, most, Exchange(1)))


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, MOST])
def test_a_body_comes_whole(size: int) -> None:
    assert read(response(b"x" * size, content_length=str(size))) == b"x" * size


@pytest.mark.parametrize("size", [0, 1, CHUNK + 1])
def test_so_does_a_packed_one(size: int) -> None:
    assert read(response(gzip.compress(b"x" * size), content_encoding="gzip")) == b"x" * size


def test_one_byte_too_many_is_too_many() -> None:
    with pytest.raises(BodyError, match="more than 5 bytes"):
        read(response(b"123456"), 5)


@pytest.mark.slow
def test_a_hundred_megabytes_in_a_few_take_little_memory() -> None:
    packed = gzip.compress(b" " * 100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BodyError):
            for _ in pieces(response(packed, content_encoding="gzip"), 50_000_000, Exchange(1)):
                pass
        assert tracemalloc.get_traced_memory()[1] < 8 * CHUNK
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", ["br", "zstd", "deflate", "gzip, gzip"])
def test_what_was_not_asked_for_is_not_unpacked(packing: str) -> None:
    with pytest.raises(BodyError):
        read(response(b"x", content_encoding=packing))


def test_what_is_cut_off_is_no_body() -> None:
    with pytest.raises(BodyError, match="cut off"):
        read(response(gzip.compress(b"x" * 1000)[:-4], content_encoding="gzip"))
