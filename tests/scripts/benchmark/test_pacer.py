"""The pacer on paper: time jumps, decisions are real."""

from __future__ import annotations

import asyncio
import time

import pytest
from benchmark.pacer import KEYS, JumpingClock, Minute, seconds_for


def test_a_loop_on_a_clock_that_jumps_waits_for_nothing() -> None:
    clock = JumpingClock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now  # type: ignore[method-assign]
    began = time.monotonic()
    loop.run_until_complete(asyncio.sleep(3600))
    loop.close()
    assert clock.now == pytest.approx(3600, abs=0.1)
    assert time.monotonic() - began < 5


def test_a_minute_counts_the_calls_of_the_last_sixty_seconds() -> None:
    clock = JumpingClock()
    minute = Minute(clock)
    assert [asyncio.run(minute.count(2)) for _ in range(3)] == [(0, 0.0), (1, 0.0), (2, 60.0)]
    clock.now = 61.0
    assert asyncio.run(minute.count(2)) == (0, 0.0)


def test_every_task_is_found_ended() -> None:
    assert seconds_for(KEYS) > 0
