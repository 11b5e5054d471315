"""Input pictures on their way to a provider: inline, or put somewhere once for all tasks that use them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..catalog.frames import Picture
from ..catalog.order import Order
from ..errors import KlingError
from ..providers.base import Provider
from .bucket import BucketAddress
from .encode import encode
from .placing import LINK_SECONDS, Placed, UploadFailedError, place
from .services import Services
from .settings import Endpoint
from .work import Pixels

REUSE_SECONDS = 3600.0
"""How long after its upload a picture is handed over to further tasks: an upload outlives that by many a task."""

LINGER_SECONDS = 60.0
"""How long a picture waits, after its last task, for a run with another prompt or seed before it is deleted."""

LAST_DELETIONS_SECONDS = 2.0

Key = tuple[BucketAddress | str, str]
"""Where it is put, and the picture's digest."""


@dataclass
class Handed:
    """Pictures ready for an order, and notes on what was sent."""

    ready: dict[str, Callable[[], str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def by_digest(self) -> dict[str, str]:
        """Base64 or link by digest. Links into a bucket are signed now, so that their life begins with the request."""
        return {digest: text() for digest, text in self.ready.items()}


@dataclass(eq=False)
class _Shared:
    """One picture and who still needs it. Times are the loop's.

    It is handed over again before `until`. A task that was let go unfinished may read it before `read_until`.
    """

    key: Key
    work: asyncio.Task[tuple[Placed, str | None]]
    until: float
    read_until: float = 0.0
    users: set[object] = field(default_factory=set)
    removal: asyncio.TimerHandle | None = None


class Uploads:
    """Encodes and uploads; the same picture goes to the same place once while tasks use it, and a little longer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shared: dict[Key, list[_Shared]] = {}
        self._deleting: set[asyncio.Task[None]] = set()

    async def hand_over(
        self, order: Order, endpoint: Endpoint, adapter: Provider, pixels: Mapping[str, Pixels], user: object
    ) -> Handed:
        """Makes every picture of `order` ready for `user`, side by side. Raises what `place` raises."""
        pictures = {picture.digest: picture for sent in order.pictures.values() for picture in sent}
        if adapter.inline_pictures:
            done = await asyncio.gather(*(self._inline(pixels[digest]) for digest in pictures))
        else:
            done = await asyncio.gather(
                *(self._placed(endpoint, adapter, pixels[digest], digest, user) for digest in pictures)
            )
        handed = Handed()
        for digest, (text, note) in zip(pictures, done, strict=True):
            handed.ready[digest] = text
            if note:
                handed.notes.append(f"{_role(order, pictures[digest])} {note}")
        return handed

    def let_go(
        self, order: Order, endpoint: Endpoint, adapter: Provider, user: object, delete: bool, again: bool
    ) -> None:
        """Says that `user` is done; nobody waits for the deletion of what is no longer needed.

        Without `delete`, the provider may still read the pictures: they stay as long as a link could work. With
        `again` they were of use and linger for further tasks; else the next one gets them from a new place.
        """
        if adapter.inline_pictures:
            return
        now = asyncio.get_running_loop().time()
        for digest in {picture.digest for sent in order.pictures.values() for picture in sent}:
            for shared in self._shared.get(_key(endpoint, digest), ()):
                if user not in shared.users:
                    continue
                shared.users.discard(user)
                if not again:
                    shared.until = 0.0
                if not delete:
                    shared.read_until = now + LINK_SECONDS
                if not shared.users:
                    self._linger(shared, now)

    async def close(self) -> None:
        """Deletes what only lingers, and gives that a moment; what is not deleted expires."""
        now = asyncio.get_running_loop().time()
        for shared in [one for several in self._shared.values() for one in several]:
            if not shared.users and shared.read_until <= now:
                self._remove(shared)
        if self._deleting:
            _, late = await asyncio.wait(self._deleting, timeout=LAST_DELETIONS_SECONDS)
            for deleting in late:
                deleting.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _inline(self, pixels: Pixels) -> tuple[Callable[[], str], str | None]:
        data, note = await self._services.on(self._services.picture_threads, _as_base64, pixels)
        return lambda: data, note

    async def _placed(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str, user: object
    ) -> tuple[Callable[[], str], str | None]:
        shared = self._share(endpoint, adapter, pixels, digest)
        shared.users.add(user)
        if shared.removal is not None:
            shared.removal.cancel()
        placed, note = await asyncio.shield(shared.work)
        return placed.link, note

    def _share(self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str) -> _Shared:
        """The picture where it lies already, else on its way there."""
        loop, key = asyncio.get_running_loop(), _key(endpoint, digest)
        for shared in self._shared.get(key, ()):
            if loop.time() < shared.until:
                return shared
        work = loop.create_task(self._put(endpoint, adapter, pixels, digest))
        shared = _Shared(key, work, loop.time() + REUSE_SECONDS)
        self._shared.setdefault(key, []).append(shared)
        work.add_done_callback(lambda _: self._forget(shared) if _failed(work) else None)
        return shared

    async def _put(
        self, endpoint: Endpoint, adapter: Provider, pixels: Pixels, digest: str
    ) -> tuple[Placed, str | None]:
        encoded = await self._services.on(self._services.picture_threads, encode, pixels)
        return await place(self._services, endpoint, adapter, encoded, digest), encoded.note

    def _linger(self, shared: _Shared, now: float) -> None:
        seconds = max(LINGER_SECONDS if now < shared.until else 0.0, shared.read_until - now)
        shared.removal = asyncio.get_running_loop().call_later(seconds, self._remove, shared)

    def _remove(self, shared: _Shared) -> None:
        if shared.removal is not None:
            shared.removal.cancel()
        self._forget(shared)
        deleting = asyncio.get_running_loop().create_task(_deleted(shared))
        self._deleting.add(deleting)
        deleting.add_done_callback(self._deleting.discard)

    def _forget(self, shared: _Shared) -> None:
        several = self._shared.get(shared.key, [])
        if shared in several:
            several.remove(shared)
        if not several:
            self._shared.pop(shared.key, None)


def _failed(work: asyncio.Task[tuple[Placed, str | None]]) -> bool:
    return work.cancelled() or work.exception() is not None


async def _deleted(shared: _Shared) -> None:
    with contextlib.suppress(UploadFailedError, KlingError):
        placed, _ = await shared.work
        if placed.remove is not None:
            await placed.remove()


def _key(endpoint: Endpoint, digest: str) -> Key:
    return endpoint.bucket or endpoint.base_url, digest


def _as_base64(pixels: Pixels) -> tuple[str, str | None]:
    encoded = encode(pixels)
    return base64.b64encode(encoded.data).decode("ascii"), encoded.note


def _role(order: Order, picture: Picture) -> str:
    return next(name for name, sent in order.pictures.items() if picture in sent)
