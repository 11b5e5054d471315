"""Where one input picture is put so that a provider can read it: its own upload, or the user's bucket."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ..errors import SetupError
from ..providers.base import Place, Provider, Refused, Unclear
from .bucket import BucketAddress, BucketError, open_bucket
from .encode import Encoded
from .http import AnswerLostError, NotSentError
from .schedule import backoff
from .services import Services
from .settings import Endpoint

ATTEMPTS = 4
LINK_SECONDS = 3600
"""How long a link into the bucket works, from the moment the paid request is put together. A request is sent again for
ten minutes where the provider has no room; the rest is the provider's own queue, at whose end it reads the picture."""

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
INPUT_NAME = r"[0-9a-f]{64}-[0-9a-f]{8}\.(png|jpg)"


class UploadFailedError(Exception):
    """A picture could not be handed over. Nothing was created and nothing was paid."""


@dataclass(frozen=True)
class Placed:
    """A picture that lies where providers can read it.

    `link` gives a link that works from now on. `remove` deletes the picture; where it fails or is None, it expires.
    """

    link: Callable[[], str]
    remove: Callable[[], Awaitable[None]] | None


async def place(services: Services, endpoint: Endpoint, adapter: Provider, encoded: Encoded, digest: str) -> Placed:
    """Puts a picture into the endpoint's bucket, else into the provider's own upload.

    Raises SetupError for a bucket that does not take it, UploadFailedError for a provider that does not.
    """
    if endpoint.bucket is not None:
        return await _into_bucket(services, endpoint.bucket, encoded)
    put = await _into_upload(services, endpoint, adapter, encoded, digest)
    deletable = put.id is not None and adapter.discard(put.id) is not None
    return Placed(lambda: put.link, partial(_discard, services, endpoint, adapter, put) if deletable else None)


async def _into_bucket(services: Services, address: BucketAddress, encoded: Encoded) -> Placed:
    """Under the digest of its bytes, and a mark of its own: who deletes it takes it from nobody else."""
    bucket = await services.on(services.upload_threads, open_bucket, address)
    digest = await services.on(services.picture_threads, _sha256, encoded.data)
    name = f"{digest}-{secrets.token_hex(4)}.{_ENDINGS[encoded.media_type]}"
    try:
        await services.on(services.upload_threads, bucket.put, name, encoded.data, encoded.media_type)
    except BucketError as error:
        raise SetupError(
            f"The input picture could not be put into {address}: {error}. No task was created and nothing was paid: "
            f"{error.todo}, then run again."
        ) from None

    async def remove() -> None:
        # What cannot be deleted now is swept up later by its name and age.
        with contextlib.suppress(BucketError):
            await services.on(services.upload_threads, bucket.delete, name)

    return Placed(partial(bucket.sign, name, LINK_SECONDS), remove)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _into_upload(
    services: Services, endpoint: Endpoint, adapter: Provider, encoded: Encoded, digest: str
) -> Place:
    """An upload is not paid for, so every step of it may be repeated."""
    reason = ""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = await _offered(services, endpoint, adapter, encoded, digest)
            if isinstance(answer, Place):
                put = await services.on(
                    services.upload_threads, services.http.send, answer.put, endpoint.base_url, {}, encoded.data
                )
                if put.ok:
                    return answer
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


async def _offered(
    services: Services, endpoint: Endpoint, adapter: Provider, encoded: Encoded, digest: str
) -> Place | Refused | Unclear:
    call = adapter.upload(digest, encoded.media_type, len(encoded.data))
    if call is None:
        return Unclear("this provider has no upload")
    return adapter.place(await services.ask(endpoint, adapter, call), encoded.media_type)


async def _discard(services: Services, endpoint: Endpoint, adapter: Provider, put: Place) -> None:
    call = adapter.discard(put.id) if put.id else None
    # Whatever goes wrong here, the upload expires by itself: it was asked for with a short life.
    with contextlib.suppress(NotSentError, AnswerLostError):
        if call is not None:
            await services.ask(endpoint, adapter, call)
