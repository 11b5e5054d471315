"""All HTTP that leaves the pack: one module, `requests` sessions, bounded in time and size.

Nothing here repeats a request. What may be repeated is decided by who knows whether it is paid for.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from ..providers.base import Call, Reply

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
STALL_SECONDS = 60.0
LARGEST_ANSWER = 16 * 2**20
LARGEST_PICTURE = 200 * 2**20
CHUNK = 2**18
SESSIONS_PER_HOST = 32
USER_AGENT = "ComfyUI-Kling-Images"


NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
)
"""Raised before anything could have left."""


class NotSentError(Exception):
    """No connection was made, so the request cannot have had any effect."""


class AnswerLostError(Exception):
    """The request may have arrived; its answer did not."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Raises ValueError for an address without a host or with a port that is no number."""
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError("the address names no host")
        return cls(parts.scheme, parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80))


class Http:
    """Sessions that are kept between requests, one for each thread: a Session is not made for sharing."""

    def __init__(self) -> None:
        self._local = threading.local()

    def send(self, call: Call, base_url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Sends one request to the provider and returns its whole answer, whatever its status.

        `headers` carry the key and go only to addresses below `base_url`; an absolute `call.url` gets
        none of them. Raises NotSentError or AnswerLostError.
        """
        absolute = "://" in call.url
        sent = {"User-Agent": USER_AGENT, **({} if absolute else headers), **call.headers}
        try:
            with self._session().request(
                call.method,
                call.url if absolute else base_url + call.url,
                json=call.json,
                data=body,
                headers=sent,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read(response, LARGEST_ANSWER)
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, content, lowered)
        except requests.RequestException as error:
            raise _sorted_error(error) from error

    def download(self, url: str, target: Path, trusted: Origin) -> None:
        """Writes the picture behind a result link to `target`, complete and on disk, or not at all.

        https only, except at `trusted`, the provider's own address. Raises DownloadError.
        """
        part = target.with_name(target.name + ".part")
        try:
            _check_link(url, trusted)
            with self._session().get(
                url,
                headers={"User-Agent": USER_AGENT},
                timeout=(CONNECT_SECONDS, STALL_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code != 200:
                    raise DownloadError(f"HTTP {response.status_code}", response.status_code)
                _write(response, part)
            part.replace(target)
        except (requests.RequestException, ValueError) as error:
            raise DownloadError(type(error).__name__) from error
        finally:
            part.unlink(missing_ok=True)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # Without this, a login in the user's .netrc takes the place of the key.
            session.auth = _as_it_is
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_maxsize=SESSIONS_PER_HOST, max_retries=0))
        return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class DownloadError(Exception):
    """A result could not be fetched. `status` is the HTTP status where there was an answer."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def _read(response: requests.Response, most: int) -> bytes:
    parts, size = [], 0
    for chunk in response.iter_content(CHUNK):
        size += len(chunk)
        if size > most:
            raise requests.exceptions.ContentDecodingError(f"the answer has more than {most} bytes")
        parts.append(chunk)
    _check_length(response, size)
    return b"".join(parts)


def _write(response: requests.Response, part: Path) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        size = 0
        for chunk in response.iter_content(CHUNK):
            size += len(chunk)
            if size > LARGEST_PICTURE:
                raise DownloadError(f"the picture has more than {LARGEST_PICTURE} bytes")
            file.write(chunk)
        _check_length(response, size)
        file.flush()
        os.fsync(file.fileno())


def _check_length(response: requests.Response, size: int) -> None:
    """`requests` takes a body that ends early for a whole one."""
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and not response.headers.get("content-encoding") and size < int(announced):
        raise requests.exceptions.ChunkedEncodingError(f"{size} of {announced} bytes arrived")


def _check_link(url: str, trusted: Origin) -> None:
    origin = Origin.of(url)
    if origin.scheme != "https" and origin != trusted:
        raise DownloadError("the link is not https")


def _sorted_error(error: requests.RequestException) -> NotSentError | AnswerLostError:
    """Not sent only where the connection was never made; an unknown case counts as lost."""
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(error, requests.exceptions.ProxyError) and getattr(cause, "original_error", None):
        cause = getattr(cause, "original_error")  # noqa: B009 - urllib3 sets it on ProxyError alone
    name = type(error).__name__
    never = isinstance(error, NEVER_SENT) or isinstance(cause, NewConnectionError | ConnectTimeoutError)
    untrusted = any(isinstance(reason, ssl.SSLCertVerificationError) for reason in getattr(cause, "args", ()))
    if never or untrusted:
        return NotSentError(name)
    return AnswerLostError(name)
