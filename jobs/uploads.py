"""Input pictures on their way to a provider: inline, or uploaded once for all tasks that use them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..catalog.frames import Picture
from ..catalog.order import Order
from ..providers.base import Place, Provider, Refused, Unclear
from .encode import Encoded, encode
from .http import AnswerLostError, NotSentError
from .schedule import backoff
from .services import Services
from .settings import Endpoint
from .work import Pixels

ATTEMPTS = 4


class UploadFailedError(Exception):
    """A picture could not be handed over. Nothing was created and nothing was paid."""


@dataclass
class Handed:
    """Pictures ready for an order: Base64 or link by digest, and notes on what was sent."""

    by_digest: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Shared:
    """One uploaded picture and how many tasks still need it."""

    work: asyncio.Task[tuple[Place, str | None]]
    users: int = 0


class Uploads:
    """Encodes and uploads; the same picture goes to the same endpoint once while tasks use it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shared: dict[tuple[str, str], _Shared] = {}

    async def hand_over(
        self, order: Order, endpoint: Endpoint, adapter: Provider, pixels: Mapping[str, Pixels]
    ) -> Handed:
        """Makes every picture of `order` ready, side by side. Raises UploadFailedError."""
        pictures = {picture.digest: picture for sent in order.pictures.values() for picture in sent}
        make = self._inline if adapter.inline_pictures else self._uploaded
        done = await asyncio.gather(*(make(endpoint, adapter, pixels[digest], digest) for digest in pictures))
        handed = Handed()
        for digest, (text, note) in zip(pictures, done, strict=True):
            handed.by_digest[digest] = text
            if note:
                handed.notes.append(f"{_role(order, pictures[digest])} {note}")
        return handed

    async def let_go(self, order: Order, endpoint: Endpoint, adapter: Provider) -> None:
        """Says that a task is over; a picture that nobody needs any more is deleted where that can be done."""
        for digest in {picture.digest for sent in order.pictures.values() for picture in sent}:
            shared = self._shared.get((endpoint.base_url, digest))
            if shared is None:
                continue
            shared.users -= 1
            if shared.users <= 0:
                del self._shared[(endpoint.base_url, digest)]
                await self._delete(endpoint, adapter, shared)

    async def _inline(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str
    ) -> tuple[str, str | None]:
        encoded = await self._services.on(self._services.picture_threads, encode, pixels)
        return base64.b64encode(encoded.data).decode("ascii"), encoded.note

    async def _uploaded(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str
    ) -> tuple[str, str | None]:
        key = (endpoint.base_url, digest)
        shared = self._shared.get(key)
        if shared is None:
            work = asyncio.create_task(self._upload(endpoint, adapter, pixels, digest))
            shared = self._shared[key] = _Shared(work)
        shared.users += 1
        try:
            place, note = await asyncio.shield(shared.work)
        except UploadFailedError:
            self._shared.pop(key, None)
            raise
        return place.link, note

    async def _upload(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str
    ) -> tuple[Place, str | None]:
        """An upload is not paid for, so every step of it may be repeated."""
        services = self._services
        encoded = await services.on(services.picture_threads, encode, pixels)
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._place(endpoint, adapter, encoded, digest)
                if isinstance(answer, Place):
                    put = await services.on(
                        services.upload_threads, services.http.send, answer.put, "", {}, encoded.data
                    )
                    if put.ok:
                        return answer, encoded.note
                    reason = f"HTTP {put.status} when the picture was sent"
                else:
                    reason = answer.reason
                    if isinstance(answer, Refused) and not answer.kind.passes:
                        break
            except (NotSentError, AnswerLostError) as error:
                reason = str(error)
            if attempt < ATTEMPTS:
                await asyncio.sleep(backoff(attempt))
        raise UploadFailedError(reason)

    async def _place(
        self, endpoint: Endpoint, adapter: Provider, encoded: Encoded, digest: str
    ) -> Place | Refused | Unclear:
        call = adapter.upload(digest, encoded.media_type, len(encoded.data))
        if call is None:
            return Unclear("this provider has no upload")
        return adapter.place(await self._services.ask(endpoint, adapter, call), encoded.media_type)

    async def _delete(self, endpoint: Endpoint, adapter: Provider, shared: _Shared) -> None:
        if not shared.work.done() or shared.work.cancelled() or shared.work.exception():
            return
        place, _ = shared.work.result()
        call = adapter.discard(place.id) if place.id else None
        if call is None:
            return
        try:
            await self._services.ask(endpoint, adapter, call)
        except (NotSentError, AnswerLostError):
            return  # It expires by itself; the upload was asked for with a short life.


def _role(order: Order, picture: Picture) -> str:
    return next(name for name, sent in order.pictures.items() if picture in sent)
