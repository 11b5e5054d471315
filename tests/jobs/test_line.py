"""A fair line: bounded places, runs take turns, a run's longest tasks first, and who gives up keeps no place."""

from __future__ import annotations

import asyncio

from clock import run, settle

from kling_pack.jobs.line import Line, Place, Turn


class Queue:
    """Tasks in a line, the order in which they were called, and how many were inside at most."""

    def __init__(self, places: int) -> None:
        self.line, self.order, self.inside, self.most = Line(places), [], 0, 0  # type: ignore[var-annotated]
        self.turns: dict[str, Turn] = {}

    async def task(self, run: str, name: str, seconds: float = 1.0) -> None:
        async with self.line.place(run, seconds, lambda turn: self.turns.__setitem__(name, turn)):
            self.order.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= 1

    def start(self, run: str, *names: str) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.task(run, name)) for name in names]


def test_no_more_inside_than_there_are_places_and_in_the_order_they_came() -> None:
    async def work() -> None:
        queue = Queue(3)
        await asyncio.gather(*queue.start("run", *"abcdefgh"))
        assert queue.most == 3 and "".join(queue.order) == "abcdefgh"

    run(work())


def test_runs_take_turns_so_that_a_long_one_does_not_keep_a_short_one_waiting() -> None:
    async def work() -> None:
        queue = Queue(1)
        long = queue.start("long", *"abcde")
        await settle()
        short = queue.start("short", *"xy")
        await asyncio.gather(*long, *short)
        assert "".join(queue.order) == "abxcyde"

    run(work())


def test_within_a_run_the_longest_go_first_and_of_equals_the_first() -> None:
    async def work() -> None:
        queue = Queue(1)
        lengths = {"a": 1.0, "b": 2.0, "c": 9.0, "d": 2.0, "e": 9.0}
        await asyncio.gather(*(queue.task("run", name, seconds) for name, seconds in lengths.items()))
        assert "".join(queue.order) == "acebd"

    run(work())


def test_everybody_is_told_how_many_are_before() -> None:
    async def work() -> None:
        queue = Queue(1)
        tasks = queue.start("long", *"abcd")
        await settle()
        tasks += queue.start("short", *"xy")
        await settle()
        told = {name: queue.line.position(turn) for name, turn in queue.turns.items()}
        assert told == {"a": 0, "b": 1, "x": 2, "c": 3, "y": 4, "d": 5}
        assert queue.line.waiting == 5
        await asyncio.gather(*tasks)
        called = sorted((name for name in told if told[name]), key=lambda name: told[name])
        assert queue.order == ["a", *called]

    run(work())


def test_who_gives_up_frees_the_way_and_who_was_just_called_gives_the_place_back() -> None:
    async def work() -> None:
        queue = Queue(1)
        a, b, c, d = queue.start("run", *"abcd")
        await settle()
        b.cancel()
        await a
        c.cancel()
        await d
        assert queue.order in (["a", "c", "d"], ["a", "d"]) and queue.line.waiting == 0

    run(work())


def test_a_place_that_is_left_early_is_given_back_once() -> None:
    async def work() -> None:
        line = Line(1)

        async def inside(seconds: float) -> Place:
            async with line.place("run", 1.0, lambda turn: None) as place:
                place.leave()
                place.leave()
                await asyncio.sleep(seconds)
                return place

        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(inside(10.0) for _ in range(3)))
        assert loop.time() - began < 11
        assert line._free == 1

    run(work())
