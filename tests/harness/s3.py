"""A real S3 server on loopback, and a line to it that breaks."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

import obstore
from obstore.store import S3Store

KEY, SECRET = "AKIAKLINGTESTS000000", "planted-secret-of-the-bucket-0123456789"
BUCKET = "kling"
SECONDS = 60
"""What no step takes; only there so that a mistake ends."""

SERVICES = ("s3", "master", "filer", "volume", "admin")


class S3:
    """SeaweedFS with one bucket and one key. Use as a context manager."""

    def __enter__(self) -> S3:
        # A unix socket's path has little room: pytest's own folders are too deep for it.
        self._folder = Path(tempfile.mkdtemp(prefix="s3-"))
        ports = free_ports(2 * len(SERVICES))
        self.port = ports[0]
        # Where it puts these it does not let be chosen, and it leaves them behind.
        named = zip(SERVICES, ports[1::2], strict=True)
        self._sockets = [Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock") for name, port in named]  # noqa: S108
        weed = str(Path(sys.executable).with_name("weed"))
        command = [
            weed, "-logtostderr", "mini", f"-dir={self._folder}", "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1", f"-bucket={BUCKET}", "-s3.autoCreateBucket=false", "-master.telemetry=false",
            "-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
            f"-filer.localSocket={self._folder}/f.sock", f"-s3.localSocket={self._folder}/s.sock",
            *(f"-{name}.port={port}" for name, port in zip(SERVICES, ports[::2], strict=True)),
            *(f"-{name}.port.grpc={port}" for name, port in zip(SERVICES, ports[1::2], strict=True)),
        ]  # fmt: skip
        variables = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, cwd=self._folder)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        shutil.rmtree(self._folder)
        for left in self._sockets:
            left.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self, **changed: str) -> dict[str, str]:
        """What a user sets to reach it."""
        usual = {"ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET, "REGION": "us-east-1", "ENDPOINT_URL": self.url}
        return {f"AWS_{name}": value for name, value in {**usual, **changed}.items()}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """What lies below a prefix, seen by a client of the tests' own."""
        store = self.store(prefix)
        lying = {}
        for name in [found["path"] for page in obstore.list(store) for found in page]:
            with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                lying[name] = bytes(obstore.get(store, name).bytes())
        return lying

    def store(self, prefix: str) -> S3Store:
        return S3Store(
            BUCKET,
            prefix=prefix,
            config={"access_key_id": KEY, "secret_access_key": SECRET, "region": "us-east-1", "endpoint": self.url},
            client_options={"allow_http": True},
        )

    def _wait(self) -> None:
        ends = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(Exception):
                obstore.put(self.store("first"), "write", b"")
                return
            if self._process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-3000:])
            time.sleep(0.05)


class BreakingLine:
    """Passes connections on to a port, and resets one when so many bytes went `up` or `down` it. Use as a context
    manager. Only the first `times` connections break; `connections` counts all."""

    def __init__(self, port: int, *, up: int | None = None, down: int | None = None, times: int = 10**9) -> None:
        self._target, self._up, self._down, self._times = port, up, down, times
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    def __enter__(self) -> BreakingLine:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._open:
            one.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            breaks = self.connections <= self._times
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for source, target, most in ((near, far, self._up), (far, near, self._down)):
                pumping = (source, target, near, most if breaks else None)
                threading.Thread(target=self._pump, args=pumping, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, near: socket.socket, most: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                if most is not None and passed + len(piece) > most:
                    target.sendall(piece[: max(0, most - passed)])
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                target.sendall(piece)
                passed += len(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another one."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
