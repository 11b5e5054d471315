"""The body of an answer, piece by piece, counted before and after unpacking.

Done here, since `requests` takes a body that ends early for a whole one, and unpacks a small one to any size before
it can be counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .connections import Exchange

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CHUNK = 2**18


class BodyError(Exception):
    """The body of an answer is cut off, too large or packed in a way that cannot be read."""


def pieces(response: BaseHTTPResponse, most: int, exchange: Exchange) -> Iterator[bytes]:
    """The body of a response of which nothing was read yet, at most `most` bytes of it, CHUNK at once.

    Raises BodyError, and urllib3's HTTPError where the connection breaks.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if packing not in ("identity", "gzip", "x-gzip"):
        raise BodyError("the answer is packed in a way that was not asked for")
    inflate = None if packing == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 16)
    arrived = size = 0
    while chunk := response.read(CHUNK, decode_content=False):
        arrived += len(chunk)
        for piece in _unpacked(chunk, inflate):
            size += len(piece)
            if size > most:
                raise BodyError(f"the answer has more than {most} bytes")
            yield piece
    announced = response.headers.get("content-length", "")
    if exchange.late:
        raise BodyError(exchange.reason)
    if announced.isdecimal() and arrived < int(announced) or inflate and arrived and not inflate.eof:
        raise BodyError(f"the answer was cut off after {arrived} bytes")


def _unpacked(chunk: bytes, inflate: Any) -> Iterator[bytes]:
    if inflate is None:
        yield chunk
        return
    try:
        while chunk and not inflate.eof:
            yield inflate.decompress(chunk, CHUNK)
            chunk = inflate.unconsumed_tail
    except zlib.error as error:
        raise BodyError("the answer is packed wrongly") from error
