"""The limits of a key and the first answer of a kind, on a loop of its own with a clock that is told the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from clock import run, settle

from kling_pack.errors import FailedError, RefusedError, UncertainError
from kling_pack.jobs.gate import RECOVERY_SECONDS, FirstAnswers, KeyGate
from kling_pack.jobs.states import State
from kling_pack.providers.base import Limits


async def unlimited(most: int) -> tuple[int, float]:
    return 0, 0.0


# The limits of a key.


def test_after_a_refusal_one_task_less_is_sent_and_one_more_is_tried_now_and_then() -> None:
    async def work() -> None:
        gate = KeyGate(Limits(10, 60), unlimited)
        gate.in_flight = 6
        gate.refused(0.0, created=False)
        assert gate.limits.in_flight == 5
        await asyncio.sleep(RECOVERY_SECONDS + 1)
        assert gate.limits.in_flight == 6
        await asyncio.sleep(RECOVERY_SECONDS * 20)
        assert gate.limits.in_flight == 10

    run(work())


def test_a_refused_look_says_nothing_about_tasks_in_flight() -> None:
    async def work() -> None:
        gate = KeyGate(Limits(10, 60), unlimited)
        gate.refused(0.0, created=True)
        assert gate.limits.in_flight == 10

    run(work())


def test_who_waits_for_a_place_is_told_when_one_of_this_worker_is_free() -> None:
    async def work() -> None:
        gate, loop = KeyGate(Limits(1, 60), unlimited), asyncio.get_running_loop()
        began = loop.time()
        waiting = asyncio.create_task(gate.until_free(30.0))
        await settle()
        gate.free()
        await waiting
        assert loop.time() - began < 1
        await gate.until_free(30.0)
        assert loop.time() - began >= 30

    run(work())


# The first answer of a kind.

Recorded = Callable[[str, str], Awaitable[State | None]]


class Story:
    """What the ledger would say, and the order in which tasks were let in."""

    def __init__(self, state: State | None = None) -> None:
        self.state, self.inside, self.first = state, [], FirstAnswers(self.recorded)
        self.going: list[int] = []

    async def recorded(self, provider: str, operation: str) -> State | None:
        return self.state

    async def task(self, number: int, end: asyncio.Future[None], operation: str = "text") -> None:
        async with self.first.turn("modellix", operation):
            self.inside.append(number)
            await end


def test_the_first_goes_alone_and_the_rest_follows_when_its_answer_was_read() -> None:
    async def work() -> None:
        story, end = Story(), asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(story.task(number, end)) for number in range(4)]
        await settle()
        assert story.inside == [0]
        story.state = State.DONE
        end.set_result(None)
        await asyncio.gather(*tasks)
        assert story.inside == [0, 1, 2, 3]

    run(work())


def test_once_an_answer_was_read_nobody_waits() -> None:
    async def work() -> None:
        story, end = Story(State.DONE), asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(story.task(number, end)) for number in range(4)]
        await settle()
        assert story.inside == [0, 1, 2, 3]
        end.set_result(None)
        await asyncio.gather(*tasks)

    run(work())


def test_another_operation_has_a_first_of_its_own() -> None:
    async def work() -> None:
        story, end = Story(), asyncio.get_running_loop().create_future()
        tasks = [
            asyncio.create_task(story.task(number, end, name)) for number, name in enumerate(("text", "image", "text"))
        ]
        await settle()
        assert story.inside == [0, 1]
        end.set_result(None)
        await asyncio.gather(*tasks)

    run(work())


def test_after_a_first_that_failed_the_next_one_goes_alone() -> None:
    async def work() -> None:
        story, loop = Story(), asyncio.get_running_loop()
        ends = [loop.create_future() for _ in range(3)]
        tasks = [asyncio.create_task(story.task(number, ends[number])) for number in range(3)]
        await settle()
        ends[0].set_exception(FailedError("turned down"))
        await settle()
        assert story.inside == [0, 1]
        ends[1].set_result(None)
        ends[2].set_result(None)
        assert [isinstance(end, FailedError) for end in await asyncio.gather(*tasks, return_exceptions=True)] == [
            True,
            False,
            False,
        ]

    run(work())


def test_a_first_that_could_not_be_read_holds_the_rest_back() -> None:
    async def work() -> None:
        story, end = Story(), asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(story.task(number, end)) for number in range(3)]
        await settle()
        story.state = State.UNREAD
        end.set_result(None)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert story.inside == [0]
        assert [type(one) for one in ends[1:]] == [RefusedError, RefusedError]
        assert "not sent and not paid" in str(ends[1])

    run(work())


def test_a_first_whose_answer_was_lost_holds_back_who_waits_behind_it_but_not_a_later_run() -> None:
    async def work() -> None:
        story, loop = Story(), asyncio.get_running_loop()
        lost, fine = loop.create_future(), loop.create_future()
        fine.set_result(None)
        tasks = [asyncio.create_task(story.task(number, lost)) for number in range(3)]
        await settle()
        lost.set_exception(UncertainError("lost"))
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in ends] == [UncertainError, RefusedError, RefusedError]
        await story.task(9, fine)
        assert story.inside == [0, 9]

    run(work())


def test_stop_while_waiting_for_the_first_lets_the_others_go_on() -> None:
    async def work() -> None:
        story, end = Story(), asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(story.task(number, end)) for number in range(3)]
        await settle()
        tasks[1].cancel()
        story.state = State.DONE
        end.set_result(None)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert story.inside == [0, 2]

    run(work())


@pytest.mark.parametrize("state", [State.DONE, None])
def test_the_ledger_is_not_asked_again_once_it_said_that_one_was_read(state: State | None) -> None:
    async def work() -> None:
        asked = 0

        async def recorded(provider: str, operation: str) -> State | None:
            nonlocal asked
            asked += 1
            return state

        first = FirstAnswers(recorded)
        for _ in range(3):
            async with first.turn("modellix", "text"):
                pass
        assert (asked == 1) is (state is State.DONE)

    run(work())
