"""Connections that know whether a request has left, can be cut off, and go only where their guard lets them.

urllib3's own, in what it leaves open to subclasses; no other pack's connections are touched.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import threading
from typing import Any, Protocol, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .links import Guard

SEND_SECONDS = 300.0
"""For a whole body on its way out; without it, the seconds for connecting would be all it has."""


_here = threading.local()


class _WithoutQueries(logging.Filter):
    """Takes signatures out of the addresses that urllib3 logs for debugging, on threads that send for the pack."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(_here, "sends", False) and isinstance(record.args, tuple):
            record.args = tuple(
                f"{part.partition('?')[0]}?[hidden]" if isinstance(part, str) and "?" in part else part
                for part in record.args
            )
        return True


_without_queries = _WithoutQueries()


class Exchange:
    """One request and its answer, cut off after `seconds`. Use as a context manager, on one thread.

    `sent` is False only while surely no byte of the request has left. `late` says that it was cut off, and `reason`
    says so in words.
    """

    def __init__(self, seconds: float) -> None:
        self.sent = True
        self.late = False
        self._socket: socket.socket | None = None
        self.reason = f"it was not over after {seconds:.0f} seconds"
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Exchange:
        self._timer.start()
        _here.sends = True
        return self

    def __exit__(self, *_: object) -> None:
        _here.sends = False
        self._timer.cancel()

    def uses(self, connected: Any) -> None:
        """The socket that the request goes out by; TLS within TLS wraps it."""
        self._socket = connected if isinstance(connected, socket.socket) else getattr(connected, "socket", None)
        if self.late:
            self._cut()

    def _cut(self) -> None:
        self.late = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the SSL socket's own shutdown: it takes the encryption away under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Lines:
    """What the connections of one thread share: the request that is under way."""

    def __init__(self) -> None:
        self.exchange = Exchange(0)
        logging.getLogger("urllib3.connectionpool").addFilter(_without_queries)

    def pools(self, guard: Guard | None) -> dict[str, Any]:
        """Classes of connection pools by scheme, as urllib3's `pool_classes_by_scheme` takes them."""
        return {
            "http": functools.partial(_pool, HTTPConnectionPool, functools.partial(_Plain, self, guard)),
            "https": functools.partial(_pool, HTTPSConnectionPool, functools.partial(_Secure, self, guard)),
        }


def _pool(kind: type[HTTPConnectionPool], connection: Any, *args: Any, **options: Any) -> HTTPConnectionPool:
    made = kind(*args, **options)
    made.ConnectionCls = connection
    return made


class _Connection(Protocol):
    """What `_Observed` needs of the urllib3 class beside it."""

    host: str
    port: int
    sock: Any
    timeout: Any
    _dns_host: str


class _Observed:
    """The half of a connection that is the pack's own; the other half is urllib3's."""

    _lines: Lines
    _guard: Guard | None
    _through = False

    def connect(self) -> None:
        # What is sent while connecting is the proxy's and TLS's, not yet the request.
        self._through = False
        self._lines.exchange.sent = False
        super().connect()  # type: ignore[misc]
        cast(_Connection, self).sock.settimeout(SEND_SECONDS)
        self._through = True

    def send(self, data: Any) -> None:
        if cast(_Connection, self).sock is None:
            self.connect()
        if self._through:
            self._lines.exchange.sent = True
            self._lines.exchange.uses(cast(_Connection, self).sock)
        super().send(data)  # type: ignore[misc]

    def close(self) -> None:
        self._through = False
        super().close()  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        if self._guard is None:
            plain: socket.socket = super()._new_conn()  # type: ignore[misc]
            return plain
        mine = cast(_Connection, self)
        try:
            return self._guard.connect(mine._dns_host, mine.port, mine.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(mine, "the connection was not made in time") from error
        except OSError as error:
            raise NewConnectionError(cast(HTTPConnection, self), "the connection was not made") from error


class _Plain(_Observed, HTTPConnection):
    def __init__(self, lines: Lines, guard: Guard | None, *args: Any, **options: Any) -> None:
        self._lines, self._guard = lines, guard
        super().__init__(*args, **options)


class _Secure(_Observed, HTTPSConnection):
    def __init__(self, lines: Lines, guard: Guard | None, *args: Any, **options: Any) -> None:
        self._lines, self._guard = lines, guard
        super().__init__(*args, **options)
