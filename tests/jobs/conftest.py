"""A bench for the engine: the sandbox over HTTP, a real ledger, and a line that misbehaves below HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from tls import Authority

from kling_pack.catalog.models import PROVIDERS
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import Request, build_requests
from kling_pack.jobs import durations, schedule, uploads, watches
from kling_pack.jobs.encode import describe
from kling_pack.jobs.engine import Engine
from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.settings import Settings, load_settings
from kling_pack.jobs.ticket import Ticket
from kling_pack.jobs.work import Context, Outcome, Run
from kling_pack.sandbox import tasks
from kling_pack.sandbox.behaviour import Behaviour, Fault, Limit
from kling_pack.sandbox.order import Order
from kling_pack.sandbox.server import Sandbox

SECONDS = 20
"""What no step of a test takes; only there so that a mistake ends."""
VERSION = "1.2.3"


class House:
    """The sandbox as a provider, told how to behave."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def behave(
        self, *faults: Fault, seconds: float = 0.0, limits: Mapping[str, Limit] | None = None, **more: Any
    ) -> None:
        given = dict.fromkeys(PROVIDERS, Limit()) | dict(limits or {})
        wanted = Behaviour(seconds={"*": seconds}, faults=faults, limits=given, **more)
        answer = requests.put(f"{self.sandbox.origin}/sandbox/behaviour", json=wanted.to_json(), timeout=SECONDS)
        answer.raise_for_status()

    def reset(self) -> None:
        requests.post(f"{self.sandbox.origin}/sandbox/reset", timeout=SECONDS).raise_for_status()

    def stats(self, provider: str) -> dict[str, Any]:
        counts: dict[str, Any] = self._seen()["providers"][provider]
        return counts

    def paid(self, *providers: str) -> int:
        """Creates that were accepted, so paid for."""
        counts = self._seen()["providers"]
        return sum(counts[name]["creates_accepted"] for name in providers or PROVIDERS)

    def tasks(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self._seen()["tasks"]
        return told

    def _seen(self) -> Any:
        return requests.get(f"{self.sandbox.origin}/sandbox/stats", timeout=SECONDS).json()


class Bench:
    """Engines on one home, and the ledger seen from outside."""

    def __init__(self, home: Path, house: House, environment: pytest.MonkeyPatch) -> None:
        self.home, self.house, self.environment = home, house, environment
        self.engines: list[Engine] = []

    @property
    def settings(self) -> Settings:
        return load_settings(self.home)

    @property
    def engine(self) -> Engine:
        """The engine that runs, started if need be."""
        return self.engines[-1] if self.engines else self.start()

    def keys(self, *providers: str) -> None:
        """Only these providers have a key."""
        for name in PROVIDERS:
            self.environment.setenv(f"{name.upper()}_API_KEY", f"key-of-{name}-123456" if name in providers else "")

    def start(self) -> Engine:
        self.engines.append(Engine(self.settings, VERSION, lambda home, dialect: self.house.sandbox.base_url(dialect)))
        return self.engines[-1]

    def restart(self) -> Engine:
        """The process ends in good order and another begins."""
        self.close()
        return self.start()

    def close(self) -> None:
        while self.engines:
            self.engines.pop().close()

    def requests(
        self, name: str = "text", pictures: Sequence[int] = (), **given: Any
    ) -> tuple[tuple[Request, ...], dict[str, Any]]:
        """Requests of a node and their pixels; `pictures` are the shades of a batch on the first socket."""
        pixels = [shade(value) for value in pictures]
        described = [describe(picture) for picture in pixels]
        first = operation(name).pictures
        sockets = {first[0].sockets[0]: described} if first else {}
        asked = build_requests(operation(name), {"prompt": "a lighthouse", **given}, sockets)
        return asked, {one.digest: picture for one, picture in zip(described, pixels, strict=True)}

    def submit(
        self, name: str = "text", *, context: Context | None = None, pictures: Sequence[int] = (), **given: Any
    ) -> tuple[Ticket, ...]:
        asked, pixels = self.requests(name, pictures, **given)
        return self.engine.submit(Run(asked, pixels, self.settings, context or Context())).result(SECONDS)

    def run(self, name: str = "text", **given: Any) -> list[Outcome]:
        return ended(self.submit(name, **given))

    def one(self, name: str = "text", **given: Any) -> Outcome:
        (outcome,) = self.run(name, **given)
        return outcome

    def rows(self) -> list[dict[str, Any]]:
        """The tasks of the ledger file, by a connection of its own."""
        with sqlite3.connect(self.home / "ledger.sqlite") as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute("SELECT * FROM tasks ORDER BY number")]
        connection.close()
        for row in found:
            for name in ("request", "sent", "answer", "changes", "labels"):
                row[name] = json.loads(row[name]) if row[name] is not None else None
        return found

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def change(self, **columns: Any) -> None:
        """Overwrites columns of every task."""
        with sqlite3.connect(self.home / "ledger.sqlite") as connection:
            names = ", ".join(f"{name} = ?" for name in columns)
            connection.execute(f"UPDATE tasks SET {names}", tuple(columns.values()))
        connection.close()

    def hire(self, worker: str, beat_at: float | None = None) -> None:
        """Another worker of this ledger that has beaten just now."""
        with sqlite3.connect(self.home / "ledger.sqlite") as connection:
            connection.execute("INSERT OR REPLACE INTO workers VALUES (?, ?)", (worker, beat_at or time.time()))
        connection.close()

    def fire(self, worker: str) -> None:
        """That worker is gone."""
        with sqlite3.connect(self.home / "ledger.sqlite") as connection:
            connection.execute("DELETE FROM workers WHERE name = ?", (worker,))
        connection.close()


class Line:
    """A TCP server on loopback; each connection is handed to `act` with what was asked on it so far.

    What a client sends is kept in `heard`. It is for what happens below HTTP, which the sandbox cannot play.
    With `tls`, it speaks that; who does not trust it is not heard.
    """

    def __init__(self, act: Callable[[socket.socket, bytes], None], tls: ssl.SSLContext | None = None) -> None:
        self._act, self._tls = act, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(SECONDS)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(SECONDS)
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                with connection:
                    if isinstance(connection, ssl.SSLSocket):
                        connection.do_handshake()
                    asked = whole_request(connection)
                    self.heard.append(asked)
                    self._act(connection, asked)


def whole_request(connection: socket.socket) -> bytes:
    asked = b""
    while b"\r\n\r\n" not in asked:
        piece = connection.recv(65536)
        if not piece:
            return asked
        asked += piece
    head, _, body = asked.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Ends a connection the hard way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def shade(value: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture of 300×300 pixels that differs by `value`."""
    return np.full((300, 300, 3), value, np.uint8)


def until(true: Callable[[], bool]) -> None:
    """Looks again and again until something is so."""
    ends = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.002)


def ended(tickets: Sequence[Ticket]) -> list[Outcome]:
    for ticket in tickets:
        ticket.finished.result(SECONDS)
    return [ticket.outcome() for ticket in tickets]


def small_pictures(order: Order, inputs: Sequence[Image.Image]) -> list[bytes]:
    """What the sandbox paints takes longer than the rest of a task, and is shown by its own tests."""
    painted = []
    for number in range(order.n):
        file = BytesIO()
        Image.new("RGB", (64, 64), (number, number, number)).save(file, order.format.upper())
        painted.append(file.getvalue())
    return painted


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def house(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(tasks, "paint", small_pictures)
    house = House(sandbox)
    house.reset()
    house.behave()
    return house


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule as it is, with every pause scaled down."""
    for module, name, value in (
        (durations, "FIRST_GAP", 0.02),
        (durations, "GAP_GROWTH", 0.01),
        (durations, "SHORTEST_PAUSE", 0.01),
        (durations, "LONGEST_PAUSE", 0.05),
        (watches, "FREE_LOOKS", 1000),
        (watches, "LEDGER_PAUSES", (0.01,)),
        (schedule, "LONGEST_BACKOFF", 0.02),
        (schedule, "LONGEST_RETRY_AFTER", 0.3),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(uploads, "LAST_DELETIONS_SECONDS", 0.1)


@pytest.fixture
def bench(tmp_path: Path, house: House, short_pauses: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """All three providers have a key and are the sandbox."""
    for name in PROVIDERS:
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", house.sandbox.base_url(name))
    bench = Bench(tmp_path / "kling", house, monkeypatch)
    bench.keys(*PROVIDERS)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusts(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, trusted as a user would have it: by REQUESTS_CA_BUNDLE. No proxy."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return authority


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    """`line(act)` starts a server below HTTP, `line(act, tls)` one below HTTPS."""
    started: list[Line] = []

    def start(act: Callable[[socket.socket, bytes], None], tls: ssl.SSLContext | None = None) -> Line:
        started.append(Line(act, tls))
        return started[-1]

    yield start
    for one in started:
        one.stop()
