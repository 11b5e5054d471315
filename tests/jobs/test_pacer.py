"""A key's calls a minute: never more than allowed, creates first, then the look that is likeliest to pay."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
from clock import run, settle

from kling_pack.errors import SetupError
from kling_pack.jobs.durations import EAGER
from kling_pack.jobs.pacer import SHY, Pacer


class Minute:
    """Counts calls as the ledger does, for this worker and for others."""

    def __init__(self) -> None:
        self.calls: deque[float] = deque()
        self.broken = False

    async def count(self, most: int) -> tuple[int, float]:
        if self.broken:
            raise SetupError("the disk is full")
        now = asyncio.get_running_loop().time()
        while self.calls and self.calls[0] <= now - 60:
            self.calls.popleft()
        if len(self.calls) >= most:
            return len(self.calls), self.calls[0] + 60 - now
        self.calls.append(now)
        return len(self.calls), 0.0


def test_no_more_calls_in_any_minute_than_allowed_and_nobody_waits_longer_than_that() -> None:
    async def work() -> None:
        pacer, loop, times = Pacer(5, Minute().count), asyncio.get_running_loop(), []

        async def ask() -> None:
            await pacer.call()
            times.append(loop.time())

        await asyncio.gather(*(ask() for _ in range(17)))
        assert all(later - earlier >= 59.9 for earlier, later in zip(times, times[5:], strict=False))
        assert times[-1] - times[0] < 3 * 60 + 3

    run(work())


def test_the_likeliest_look_goes_first_and_a_create_before_every_look() -> None:
    async def work() -> None:
        pacer, order = Pacer(4, Minute().count), []

        async def look(name: str, chance: float) -> None:
            await pacer.look(lambda: chance)
            order.append(name)

        async def create() -> None:
            await pacer.call()
            order.append("create")

        for _ in range(3):
            await pacer.look(lambda: 1.0)
        looks = [asyncio.create_task(look(f"{chance}", chance)) for chance in (0.2, 0.9, 0.5)]
        await settle()
        await asyncio.gather(create(), *looks)
        assert order == ["create", "0.9", "0.5", "0.2"]

    run(work())


def test_a_look_that_is_given_up_takes_no_call() -> None:
    async def work() -> None:
        minute = Minute()
        pacer = Pacer(8, minute.count)
        looks = [asyncio.create_task(pacer.look(lambda: 0.5)) for _ in range(9)]
        await settle()
        looks[-1].cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        assert len(minute.calls) <= 8

    run(work())


def test_when_the_provider_asks_for_a_pause_nobody_calls() -> None:
    async def work() -> None:
        pacer, loop = Pacer(100, Minute().count), asyncio.get_running_loop()
        began = loop.time()
        pacer.refused(30)
        pacer.refused(10)
        await pacer.call()
        assert 30 <= loop.time() - began < 31

    run(work())


def test_a_refusal_teaches_a_lower_limit_that_recovers_minute_by_minute() -> None:
    async def work() -> None:
        pacer = Pacer(60, Minute().count)
        for _ in range(40):
            await pacer.call()
        pacer.refused(1)
        assert pacer.per_minute == 32
        await asyncio.sleep(60)
        assert pacer.per_minute == 35
        await asyncio.sleep(600)
        assert pacer.per_minute == 60, "and never more than the page says"

    run(work())


def test_a_refusal_that_had_another_reason_does_not_stop_the_key() -> None:
    async def work() -> None:
        pacer = Pacer(60, Minute().count)
        await pacer.call()
        pacer.refused(0)
        assert pacer.per_minute == 15

    run(work())


@pytest.mark.parametrize(
    ("usual", "in_flight", "waiting", "wanted"),
    [
        (20.0, 1, 0, EAGER),
        (6.0, 8, 0, EAGER),
        (20.0, 10, 10, 0.4),
        (20.0, 1, 29, SHY),  # soon ten of them run, and three rounds of them leave one look for each
        (20.0, 10, 200, SHY),
        (120.0, 10, 0, EAGER),
    ],
)
def test_looks_are_rarer_the_more_tasks_share_the_minute(
    usual: float, in_flight: int, waiting: int, wanted: float
) -> None:
    async def work() -> None:
        pacer = Pacer(60, Minute().count)
        assert pacer.wanted(usual, in_flight, waiting, places=10) == pytest.approx(wanted)

    run(work())


def test_a_ledger_that_cannot_count_does_not_keep_paid_tasks_from_being_collected() -> None:
    async def work() -> None:
        minute = Minute()
        minute.broken = True
        pacer = Pacer(1, minute.count)
        for _ in range(3):
            await pacer.look(lambda: 1.0)

    run(work())
