"""What ComfyUI's process takes of the machine while something runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

LOOK_SECONDS = 0.004


@dataclass
class Peak:
    """Bytes of memory before, and the most since."""

    before: int
    most: int

    @property
    def grown(self) -> int:
        return self.most - self.before


@contextmanager
def peak_memory(pid: int) -> Iterator[Peak]:
    """Looks at the process's resident memory often enough to see a picture that is held for a moment."""
    process = psutil.Process(pid)
    now = process.memory_info().rss
    peak, ended = Peak(now, now), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            peak.most = max(peak.most, process.memory_info().rss)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def load(pid: int, seconds: float) -> tuple[float, int]:
    """Share of one core (1 is all of it) that the process takes over `seconds`, and its resident bytes at the end."""
    process = psutil.Process(pid)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - began
    used = after.user + after.system - before.user - before.system
    return used / took, process.memory_info().rss
