"""Input pictures on their way in: the sandbox's internet is its own uploads and what a behaviour lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from yarl import URL

from .fields import Source
from .files import Pictures
from .pictures import LARGEST_BYTES, check_picture, from_base64
from .refusal import Refused
from .uploads import Uploads

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Intake:
    """Digests of the pictures, in order, and the ids of the uploads they came from."""

    pictures: tuple[str, ...]
    uploads: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    uploads: Uploads
    pictures: Pictures
    session: aiohttp.ClientSession
    reachable: tuple[str, ...]

    async def read(self, sources: Sequence[Source], base64: bool) -> Intake:
        """Fetches or decodes, checks and keeps every picture. Raises Refused, topic ``download`` for a bad
        link."""
        digests, used = [], []
        for source in sources:
            upload_id, data = await self._bytes(source, base64)
            await asyncio.to_thread(check_picture, source.field, data)
            digests.append(await asyncio.to_thread(self.pictures.keep, data))
            used += [upload_id] if upload_id else []
        return Intake(tuple(digests), tuple(used))

    async def _bytes(self, source: Source, base64: bool) -> tuple[str, bytes]:
        if not source.text.startswith(("http://", "https://")):
            if base64:
                return "", await asyncio.to_thread(from_base64, source.field, source.text)
            raise Refused(400, f"{source.field}: must be a publicly reachable URL, data URIs and Base64 are rejected")
        if any(source.text.startswith(prefix) for prefix in self.reachable):
            return "", await self._fetch(source)
        url = URL(source.text)
        upload = self.uploads.at(url.path) if url.host in LOOPBACK else None
        if upload is None:
            raise _unreachable(source, "not reachable from the sandbox")
        return upload.id, await asyncio.to_thread(self.uploads.read, upload)

    async def _fetch(self, source: Source) -> bytes:
        try:
            async with self.session.get(source.text, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise _unreachable(source, f"answered {answer.status}")
                data = bytearray()
                async for piece in answer.content.iter_chunked(65536):
                    data += piece
                    if len(data) > LARGEST_BYTES:
                        break
                return bytes(data)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise _unreachable(source, "could not be fetched") from error


def _unreachable(source: Source, why: str) -> Refused:
    return Refused(400, f"{source.field}: failed to download the input, {why}", "download")
