"""All HTTP that leaves the pack: one module, `requests` sessions, bounded in time and size.

Proxies and certificates are those that `requests` takes from the environment: HTTP_PROXY, HTTPS_PROXY, NO_PROXY,
REQUESTS_CA_BUNDLE. Nothing here repeats a request. What may be repeated is decided by who knows whether it is paid for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from ..providers.base import Call, Reply
from .bodies import BodyError, pieces
from .connections import Exchange, Lines
from .links import Guard, LinkError, Origin, check_link

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
STALL_SECONDS = 60.0
LONGEST_EXCHANGE = 600.0
"""However slowly and steadily bytes come, a request or a download ends after these seconds."""
LARGEST_ANSWER = 16 * 2**20
LARGEST_PICTURE = 200 * 2**20
MOST_REDIRECTS = 5
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


class DownloadError(Exception):
    """A result could not be fetched. `status` is the HTTP status where there was an answer."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Http:
    """Sessions that are kept between requests, two for each thread: a Session is not made for sharing.

    One asks the provider; the other follows links out of answers, no further than `guard` lets it.
    """

    def __init__(self, guard: Guard | None = None) -> None:
        self._local = threading.local()
        self._guard = guard or Guard()

    def send(self, call: Call, base_url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Sends one request to the provider and returns its whole answer, whatever its status.

        `headers` carry the key and go only to addresses below `base_url`. An absolute `call.url` is a link out of
        an answer: it gets none of them, and must be public unless it is where `base_url` is. Raises NotSentError
        or AnswerLostError.
        """
        absolute = "://" in call.url
        url = call.url if absolute else base_url + call.url
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **({} if absolute else headers), **call.headers}
        with Exchange(LONGEST_EXCHANGE) as exchange:
            try:
                if absolute:
                    url = _as_requests_reads(url)
                session = self._session_for(url, _origin(base_url)) if absolute else self._session(None)
                session.lines.exchange = exchange
                with session.request(
                    call.method,
                    url,
                    json=call.json,
                    data=body,
                    headers=sent,
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    content = b"".join(pieces(response.raw, LARGEST_ANSWER, exchange))
                    lowered = {name.lower(): value for name, value in response.headers.items()}
                    return Reply(response.status_code, content, lowered)
            except LinkError as error:
                raise NotSentError(str(error)) from error
            except (requests.RequestException, HTTPError, BodyError, UnicodeError) as error:
                raise _sorted_error(error, exchange) from error

    def download(self, url: str, target: Path, trusted: Origin) -> None:
        """Writes the picture behind a result link to `target`, complete and on disk, or not at all.

        https and public addresses only, after each of at most five redirects too, except at `trusted`, the
        provider's own address. Raises DownloadError, OSError when the disk is at fault.
        """
        part = target.with_name(target.name + ".part")
        with Exchange(LONGEST_EXCHANGE) as exchange:
            try:
                self._fetch(url, part, trusted, exchange)
                part.replace(target)
            except (LinkError, BodyError) as error:
                raise DownloadError(str(error)) from error
            except (requests.RequestException, HTTPError, ValueError) as error:
                raise DownloadError(exchange.reason if exchange.late else type(error).__name__) from error
            finally:
                part.unlink(missing_ok=True)

    def _fetch(self, url: str, part: Path, trusted: Origin, exchange: Exchange) -> None:
        for _ in range(1 + MOST_REDIRECTS):
            url = _as_requests_reads(url)
            session = self._session_for(url, trusted)
            session.lines.exchange = exchange
            with session.get(
                url,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, STALL_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                onward = session.get_redirect_target(response)
                if onward is None:
                    if response.status_code != 200:
                        raise DownloadError(f"HTTP {response.status_code}", response.status_code)
                    return _write(response, part, exchange)
                url = urljoin(url, onward)
        raise DownloadError(f"the link leads on more than {MOST_REDIRECTS} times")

    def _session_for(self, link: str, trusted: Origin | None) -> _Session:
        """The session for a link out of an answer. Raises LinkError."""
        at_home = check_link(link, trusted) == trusted
        return self._session(None if at_home else self._guard)

    def _session(self, guard: Guard | None) -> _Session:
        name = "guarded" if guard else "plain"
        session: _Session | None = getattr(self._local, name, None)
        if session is None:
            session = _Session(guard)
            setattr(self._local, name, session)
        return session


class _Session(requests.Session):
    """A session whose connections are `lines`. It keeps no cookies: a key alone says who asks."""

    def __init__(self, guard: Guard | None) -> None:
        super().__init__()
        self.lines = Lines()
        # Without this, a login in the user's .netrc takes the place of the key.
        self.auth = _as_it_is
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        for scheme in ("https://",) if guard else ("https://", "http://"):
            self.mount(scheme, _Adapter(self.lines, guard))


class _Adapter(HTTPAdapter):
    """Connections are `lines` that `guard` lets out; to a proxy they go freely, and it is told public names only."""

    def __init__(self, lines: Lines, guard: Guard | None) -> None:
        self._lines, self._guard = lines, guard
        super().__init__(pool_maxsize=SESSIONS_PER_HOST, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._lines.pools(self._guard)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # those have connections of their own
            manager.pool_classes_by_scheme = self._lines.pools(None)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if self._guard and select_proxy(str(request.url), options.get("proxies")):
            parts = urlsplit(str(request.url))
            self._guard.check_behind_proxy(parts.hostname or "", parts.port or 443)
        return super().send(request, *args, **options)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _as_requests_reads(link: str) -> str:
    """`link` in the form that goes out: what is judged must not mean another host to another reader."""
    return str(requests.Request("GET", link).prepare().url)


def _origin(base_url: str) -> Origin | None:
    try:
        return Origin.of(base_url)
    except ValueError:
        return None


def _write(response: requests.Response, part: Path, exchange: Exchange) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        for piece in pieces(response.raw, LARGEST_PICTURE, exchange):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sorted_error(error: Exception, exchange: Exchange) -> NotSentError | AnswerLostError:
    """Not sent only where that is sure; an unknown case counts as lost."""
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    name = str(error) if isinstance(error, BodyError) else type(error).__name__
    if not exchange.sent or isinstance(error, NEVER_SENT) or isinstance(cause, NewConnectionError):
        return NotSentError(name)
    return AnswerLostError(exchange.reason if exchange.late else name)
