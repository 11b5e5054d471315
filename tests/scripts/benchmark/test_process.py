"""What a process takes of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from benchmark.process import load, peak_memory

MEGABYTES_64 = 64 * 1024 * 1024


@pytest.mark.slow
def test_memory_that_is_held_for_a_moment_is_seen() -> None:
    with peak_memory(os.getpid()) as peak:
        held = bytearray(b"x" * MEGABYTES_64)
        time.sleep(0.05)
        del held
    assert peak.grown >= MEGABYTES_64


@pytest.mark.slow
def test_the_load_of_a_process_that_does_nothing_is_next_to_none() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle:
        time.sleep(0.3)
        share, size = load(idle.pid, 0.5)
        idle.communicate(b"\n", timeout=10)
    assert share < 0.1
    assert size > 0
