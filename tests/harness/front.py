"""A server's front on loopback that is away for a part of the time: connections are refused, as on a bad line."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from types import TracebackType

AWAY_SECONDS = 0.02
PATIENCE = 60.0
CHUNK = 2**16


class Front:
    """Hands each connection on to `port`, one request on each. A context manager.

    While it is away nobody listens, so that the system refuses connections before a byte is sent: what was refused
    surely had no effect. `share` (0-1) is how much of the time that is.
    """

    def __init__(self, port: int, share: float, seed: int = 0) -> None:
        self._behind, self._share, self._random = port, share, random.Random(seed)
        # Bound and never listening: keeps the port while the front is away.
        self._keeper = _bound(0)
        self.port: int = self._keeper.getsockname()[1]
        self.away_seconds = self.seconds = 0.0
        self._closing = threading.Event()
        self._handing: list[threading.Thread] = []
        self._serving = threading.Thread(target=self._serve)

    def __enter__(self) -> Front:
        self._serving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._serving.join()
        for one in self._handing:
            one.join()
        self._keeper.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            began = time.monotonic()
            with _bound(self.port) as listening:
                listening.listen(128)
                there = AWAY_SECONDS * (1 - self._share) / self._share
                self._take_until(began + there * self._random.uniform(0.5, 1.5), listening)
            left = time.monotonic()
            self._closing.wait(AWAY_SECONDS)
            self.away_seconds += time.monotonic() - left
            self.seconds += time.monotonic() - began

    def _take_until(self, ends: float, listening: socket.socket) -> None:
        """The last look takes whoever has come meanwhile: a connection that is dropped may have sent something."""
        while True:
            left = max(0.0, ends - time.monotonic())
            listening.settimeout(left)
            try:
                connection, _ = listening.accept()
            except (TimeoutError, BlockingIOError):
                if left == 0.0:
                    return
                continue
            self._handing = [one for one in self._handing if one.is_alive()]
            self._handing.append(threading.Thread(target=self._hand_on, args=(connection,)))
            self._handing[-1].start()

    def _hand_on(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            asked = _request(connection)
            with socket.create_connection(("127.0.0.1", self._behind), PATIENCE) as behind:
                behind.sendall(asked.replace(b"Connection: keep-alive", b"Connection: close", 1))
                while answer := behind.recv(CHUNK):
                    connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    """A whole request, or what came of one whose sender is gone."""
    asked, wanted = b"", 0
    while not asked or len(asked) < wanted:
        piece = connection.recv(CHUNK)
        if not piece:
            return asked
        asked += piece
        head, end, _ = asked.partition(b"\r\n\r\n")
        length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
        wanted = len(head) + len(end) + int(length) if end else len(asked) + 1
    return asked


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made
