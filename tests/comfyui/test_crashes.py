"""Two hundred tasks on a bad line, and ComfyUI killed five times in between: all of them paid once and collected."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from comfyui import ComfyUI
from front import Front
from graphs import Graph, node, records
from truth import behave, error_of, paint_inputs, small_pictures, stats, until

from kling_pack.catalog.models import PROVIDERS
from kling_pack.sandbox import tasks
from kling_pack.sandbox.server import Sandbox

PROMPTS = 10
NODES = ("modellix",) * 8 + ("apimodels",) * 6 + ("eachlabs",) * 6
TASKS = PROMPTS * len(NODES)
KILLED_AT = (25, 60, 95, 130, 165)
FAULTS = [
    {"fault": "http_503", "on": "poll", "share": 0.2},
    {"fault": "cut", "on": "download", "share": 0.2},
]
REFUSED = 0.1


@pytest.fixture
def front(sandbox: Sandbox) -> Iterator[Front]:
    with Front(sandbox.port, REFUSED) as front:
        yield front


@pytest.fixture
def fragile(with_keys: dict[str, str], sandbox: Sandbox, front: Front) -> Iterator[ComfyUI]:
    """ComfyUI that reaches its providers through the front."""
    urls = {name: sandbox.base_url(name).replace(str(sandbox.port), str(front.port)) for name in PROVIDERS}
    comfyui = ComfyUI({**with_keys, **{f"{name.upper()}_BASE_URL": url for name, url in urls.items()}})
    paint_inputs(comfyui.base / "input")
    with comfyui:
        yield comfyui


@pytest.fixture(autouse=True)
def quick_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sandbox paints is shown by its own tests."""
    monkeypatch.setattr(tasks, "paint", small_pictures)


def prompt(number: int) -> Graph:
    """Twenty different requests to three providers, none of which waits for its picture."""
    made: Graph = {"wide": node("LoadImage", image="wide.png")}
    for place, provider in enumerate(NODES):
        given = {"prompt": f"picture {number}-{place}", "provider": provider, "wait": False}
        of_picture = node("KlingI2I", image=["wide", 0], model="kling-v1-5", **given)
        made[str(place)] = of_picture if provider == "eachlabs" else node("KlingT2I", **given)
        made[f"task {place}"] = node("PreviewAny", source=[str(place), 1])
    return made


class Person:
    """Presses Run until everything is there, and settles what a crash left uncertain."""

    def __init__(self, comfyui: ComfyUI, sandbox: Sandbox) -> None:
        self.comfyui, self.sandbox = comfyui, sandbox
        self.settled: Counter[str] = Counter()

    def run_all(self) -> list[dict[str, Any]]:
        queued = [self.comfyui.queue(prompt(number)) for number in range(PROMPTS)]
        return [self.comfyui.wait(prompt_id) for prompt_id in queued]

    def settle(self) -> None:
        """Looks at the provider for what may have been created, and says what is there."""
        until(lambda: not self.in_state("submitting"), 60)
        for task in self.in_state("uncertain"):
            asked = self.ledger("SELECT request FROM tasks WHERE number = ?", task["number"])[0][0]
            words = json.loads(asked)["fields"]["prompt"]
            there = [one["id"] for one in stats(self.sandbox)["tasks"] if f'"{words}"' in json.dumps(one["body"])]
            assert len(there) <= 1
            answer = self.comfyui.post(
                f"/kling/tasks/{task['handle']}/resolve", {"id": there[0]} if there else {"created": False}
            )
            assert answer.ok, answer.text
            self.settled["created" if there else "not created"] += 1

    def collect(self) -> None:
        """Asks for what could not be fetched in four attempts."""
        while left := self.in_state("accepted"):
            handles = "\n".join(task["handle"] for task in left)
            poll = node("KlingPoll", task=handles)
            self.comfyui.run({"poll": poll, "shown": node("PreviewAny", source=["poll", 1])})

    def in_state(self, state: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.comfyui.get(f"/kling/tasks?limit=1000&state={state}")["tasks"]
        return found

    def ledger(self, query: str, *values: Any) -> list[Any]:
        with sqlite3.connect(self.comfyui.base / "kling" / "ledger.sqlite") as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found


def test_two_hundred_tasks_are_paid_once_and_collected_though_comfyui_is_killed_five_times(
    fragile: ComfyUI, sandbox: Sandbox, front: Front, paid: Callable[[], int]
) -> None:
    behave(sandbox, seconds={"*": (0.2, 1.0)}, faults=FAULTS)
    person = Person(fragile, sandbox)
    for most in KILLED_AT:
        for number in range(PROMPTS):
            fragile.queue(prompt(number))
        until(lambda most=most: paid() >= most, 60)  # type: ignore[misc]
        fragile.kill()
        fragile.start()
        person.settle()
    entries = person.run_all()
    assert [error_of(entry) for entry in entries] == [{}] * PROMPTS
    person.collect()
    told = stats(sandbox)
    assert paid() == TASKS
    assert len({json.dumps(task["body"], sort_keys=True) for task in told["tasks"]}) == TASKS
    done = person.ledger("SELECT identity, number FROM tasks WHERE state = 'done'")
    assert (len(done), len({identity for identity, _ in done})) == (TASKS, TASKS)
    kept = person.ledger("SELECT file, size FROM results JOIN tasks ON number = task WHERE state = 'done'")
    assert len(kept) == TASKS
    assert all((fragile.base / "kling" / "results" / file).stat().st_size == size for file, size in kept)
    again = [record for entry in person.run_all() for name in range(len(NODES)) for record in records(entry, str(name))]
    assert [record["reused"] for record in again] == [True] * TASKS
    assert paid() == TASKS
    struck = sum((Counter(told["providers"][name]["faults"]) for name in PROVIDERS), Counter())
    assert struck["http_503"] > TASKS / 10 and struck["cut"] > TASKS / 10
