"""A real HTTP proxy on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType


class Proxy:
    """Starts pproxy in a process of its own; with `login` (`name:word`) it asks for one. Use as a context manager."""

    def __init__(self, folder: Path, login: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._login, self._log = login, folder / f"proxy-{self.port}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def passed_on(self) -> int:
        """How many connections it made for others."""
        return self._log.read_text("utf-8", "replace").count(" -> ")

    def __enter__(self) -> Proxy:
        listen = f"{self.url}/#{self._login}" if self._login else self.url
        with self._log.open("wb") as log:
            command = [sys.executable, "-u", "-m", "pproxy", "-v", "-l", listen]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise TimeoutError(f"the proxy did not start:\n{self._log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
