"""A place in an S3 bucket, in the few calls the pack makes there. Alone knows the client, which is an extra.

Every call blocks: it belongs on a thread. Only `sign` is a moment's arithmetic.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ..errors import SetupError

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0
"""For one object, there or back."""

RETRIES = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_KEYS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there"
_REGION = "set AWS_REGION to the bucket's region"
_TODO = {
    "NoSuchBucket": "create it or correct its name",
    "AuthorizationHeaderMalformed": _REGION,
    "RequestTimeTooSkewed": "set this machine's clock",
    "ExpiredToken": "get a new AWS_SESSION_TOKEN",
}
"""What helps, by the code of S3's answer."""


class BucketError(Exception):
    """What went wrong, and `todo`, what a person can do about it; neither holds a key, a link or the answer's text."""

    def __init__(self, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.todo = todo


@dataclass(frozen=True)
class BucketAddress:
    """Where a bucket is and the keys for it. `endpoint_url` is None at Amazon; `setting` is what names the bucket."""

    setting: str
    bucket: str
    prefix: str
    access_key_id: SecretStr
    secret_access_key: SecretStr
    session_token: SecretStr | None = None
    region: str = "us-east-1"
    endpoint_url: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}{'/' if self.prefix else ''}{self.prefix} ({self.setting})"


@dataclass(frozen=True)
class Stored:
    """An object of the bucket; `written_at` in seconds since 1970."""

    name: str
    written_at: float


def require_client(setting: str) -> None:
    """Raises SetupError where the extra is not installed that `setting` asks for."""
    if importlib.util.find_spec("obstore") is None:
        raise SetupError(
            f"{setting} names a bucket, and the package obstore that speaks S3 is not installed. Nothing was sent and "
            "nothing was paid: run `pip install obstore` with ComfyUI's Python and restart ComfyUI."
        )


@lru_cache(maxsize=8)
def open_bucket(address: BucketAddress) -> Bucket:
    """One for each address, so that its connections are kept."""
    return Bucket(address)


class Bucket:
    """Names are below the address's prefix. All but `sign` raise BucketError."""

    def __init__(self, address: BucketAddress) -> None:
        self.address = address
        self._store = _store(address)

    def put(self, name: str, data: bytes, media_type: str) -> None:
        """Writes an object whole or not at all."""
        import obstore

        with self._telling():
            obstore.put(self._store, name, data, attributes={"Content-Type": media_type}, use_multipart=False)

    def get(self, name: str, most: int) -> bytes | None:
        """The object's bytes; None where there is none, or one of more than `most` bytes."""
        import obstore

        with self._telling():
            try:
                found = obstore.get(self._store, name)
            except FileNotFoundError as error:
                if "<Code>NoSuchBucket" in str(error):
                    raise
                return None
            return bytes(found.bytes()) if found.meta["size"] <= most else None

    def delete(self, *names: str) -> None:
        """Deletes what is there of `names`."""
        import obstore

        with self._telling():
            if names:
                obstore.delete(self._store, names)

    def list(self) -> Iterator[Stored]:
        """Every object below the prefix."""
        import obstore

        with self._telling():
            for page in obstore.list(self._store):
                yield from (Stored(found["path"], found["last_modified"].timestamp()) for found in page)

    def sign(self, name: str, seconds: int) -> str:
        """A link with which anybody can read the object for `seconds` from now on."""
        import obstore

        return obstore.sign(self._store, "GET", name, timedelta(seconds=seconds))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Sorts the client's errors. Their text is not passed on: it quotes the whole answer."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise _told(str(error)) from None


def _store(address: BucketAddress) -> S3Store:
    from obstore.store import S3Store

    config: S3Config = {
        "access_key_id": address.access_key_id.get_secret_value(),
        "secret_access_key": address.secret_access_key.get_secret_value(),
        "region": address.region,
    }
    if address.session_token:
        config["session_token"] = address.session_token.get_secret_value()
    if address.endpoint_url:
        config["endpoint"] = address.endpoint_url
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options={
            "allow_http": (address.endpoint_url or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": timedelta(seconds=ANSWER_SECONDS),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=ANSWER_SECONDS),
            "backoff": {
                "init_backoff": timedelta(seconds=FIRST_PAUSE),
                "max_backoff": timedelta(seconds=LONGEST_PAUSE),
                "base": 2,
            },
        },
    )


def _told(text: str) -> BucketError:
    if "BareRedirect" in text:
        return BucketError("the bucket is in another region", _REGION)
    code, status = _CODE.search(text), _STATUS.search(text)
    if code or status:
        name = code[1] if code else f"HTTP {status[1]}" if status else ""
        refused = status is not None and status[1] in ("401", "403")
        return BucketError(f"it answered {name}", _TODO.get(name, _KEYS if refused else "look what that means there"))
    never = "kind: Connect" in text
    return BucketError(
        "no connection could be made" if never else "the connection broke or took too long",
        "check the network and AWS_ENDPOINT_URL",
    )
