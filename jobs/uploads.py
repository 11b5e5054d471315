"""Input pictures on their way to a provider: inline, or uploaded once for all tasks that use them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..catalog.frames import Picture
from ..catalog.order import Order
from ..errors import InputError
from ..providers.base import Place, Provider, Refused, Unclear
from .encode import Encoded, encode
from .http import AnswerLostError, NotSentError
from .schedule import backoff
from .services import Services
from .settings import Endpoint
from .work import Pixels

ATTEMPTS = 4
LAST_DELETIONS_SECONDS = 2.0


class UploadFailedError(Exception):
    """A picture could not be handed over. Nothing was created and nothing was paid."""


@dataclass
class Handed:
    """Pictures ready for an order: Base64 or link by digest, and notes on what was sent."""

    by_digest: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Shared:
    """One uploaded picture and who still needs it. Where `delete` is off, it is left to expire."""

    work: asyncio.Task[tuple[Place, str | None]]
    users: set[object] = field(default_factory=set)
    delete: bool = True


class Uploads:
    """Encodes and uploads; the same picture goes to the same endpoint once while tasks use it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._deleting: set[asyncio.Task[None]] = set()

    async def hand_over(
        self, order: Order, endpoint: Endpoint, adapter: Provider, pixels: Mapping[str, Pixels], user: object
    ) -> Handed:
        """Makes every picture of `order` ready for `user`, side by side. Raises UploadFailedError."""
        pictures = {picture.digest: picture for sent in order.pictures.values() for picture in sent}
        if adapter.inline_pictures:
            done = await asyncio.gather(*(self._inline(pixels[digest]) for digest in pictures))
        else:
            done = await asyncio.gather(
                *(self._uploaded(endpoint, adapter, pixels[digest], digest, user) for digest in pictures)
            )
        handed = Handed()
        for digest, (text, note) in zip(pictures, done, strict=True):
            handed.by_digest[digest] = text
            if note:
                handed.notes.append(f"{_role(order, pictures[digest])} {note}")
        return handed

    def let_go(self, order: Order, endpoint: Endpoint, adapter: Provider, user: object, delete: bool) -> None:
        """Says that the task of `user` is over; nobody waits for the deletion of what is no longer needed.

        Without `delete`, the provider may still read the pictures: they are left to expire.
        """
        for digest in {picture.digest for sent in order.pictures.values() for picture in sent}:
            shared = self._shared.get((endpoint.base_url, digest))
            if shared is None or user not in shared.users:
                continue
            shared.users.discard(user)
            shared.delete = shared.delete and delete
            if not shared.users:
                del self._shared[(endpoint.base_url, digest)]
                if shared.delete:
                    deleting = asyncio.create_task(self._delete(endpoint, adapter, shared))
                    self._deleting.add(deleting)
                    deleting.add_done_callback(self._deleting.discard)

    async def close(self) -> None:
        """Gives deletions that are under way a moment; what is not deleted expires."""
        if self._deleting:
            _, late = await asyncio.wait(self._deleting, timeout=LAST_DELETIONS_SECONDS)
            for deleting in late:
                deleting.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _inline(self, pixels: Pixels) -> tuple[str, str | None]:
        encoded = await self._services.on(self._services.picture_threads, encode, pixels)
        return base64.b64encode(encoded.data).decode("ascii"), encoded.note

    async def _uploaded(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str, user: object
    ) -> tuple[str, str | None]:
        key = (endpoint.base_url, digest)
        shared = self._shared.get(key)
        if shared is None:
            work = asyncio.create_task(self._upload(endpoint, adapter, pixels, digest))
            shared = self._shared[key] = _Shared(work)
        shared.users.add(user)
        try:
            place, note = await asyncio.shield(shared.work)
        except UploadFailedError:
            if self._shared.get(key) is shared:
                del self._shared[key]
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
                        services.upload_threads, services.http.send, answer.put, endpoint.base_url, {}, encoded.data
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
        # Whatever goes wrong here, the upload expires by itself: it was asked for with a short life.
        with contextlib.suppress(UploadFailedError, InputError, NotSentError, AnswerLostError):
            place, _ = await shared.work
            call = adapter.discard(place.id) if place.id else None
            if call is not None:
                await self._services.ask(endpoint, adapter, call)


def _role(order: Order, picture: Picture) -> str:
    return next(name for name, sent in order.pictures.items() if picture in sent)
