"""Three ComfyUIs on one PostgreSQL and one key of ten tasks in flight and sixty calls a minute, one of them killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from comfyui import ComfyUI
from graphs import Graph, node
from postgres import Postgres
from truth import error_of, small_pictures, stats, until

from kling_pack.sandbox import tasks
from kling_pack.sandbox.behaviour import Behaviour, Limit
from kling_pack.sandbox.server import Sandbox

IN_FLIGHT, A_MINUTE = 10, 60
EACH, SHARED = 8, 2
TASKS = 3 * EACH + SHARED
STRICT = Behaviour(seconds={"*": 4.0}, limits={"modellix": Limit(IN_FLIGHT, A_MINUTE)})
SECONDS = 150.0


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Keeps the key's limits to the letter, and paints quickly: it is asked by three."""
    monkeypatch.setattr(tasks, "paint", small_pictures)
    with Sandbox(tmp_path / "sandbox", behaviour=STRICT) as sandbox:
        yield sandbox


@pytest.fixture
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.database()


@pytest.fixture
def three(provider: Sandbox, ledger: str, tmp_path: Path) -> Iterator[list[ComfyUI]]:
    """Each with a home of its own; they share the ledger, the key and the folder of results."""
    variables = {
        "KLING_LEDGER_URL": ledger,
        "KLING_RESULTS_URL": str(tmp_path / "results"),
        "MODELLIX_API_KEY": "one-key-for-all-0123456789",
        "MODELLIX_BASE_URL": provider.base_url("modellix"),
        "MODELLIX_CONCURRENCY": str(IN_FLIGHT),
        "MODELLIX_REQUESTS_PER_MINUTE": str(A_MINUTE),
    }
    made = [ComfyUI(variables, base=tmp_path / f"machine {number}") for number in range(3)]
    with ExitStack() as running, ThreadPoolExecutor(3) as starting:
        for one in made:
            running.callback(one.stop)
        list(starting.map(ComfyUI.start, made))
        yield made


def prompt(machine: int) -> Graph:
    """Eight requests of its own and two that the others have as well."""
    words = [f"machine {machine}, picture {place}" for place in range(EACH)]
    words += [f"picture {place} of all" for place in range(SHARED)]
    made: Graph = {}
    for place, given in enumerate(words):
        made[str(place)] = node("KlingT2I", prompt=given, provider="modellix")
        made[f"seen {place}"] = node("PreviewImage", images=[str(place), 0])
    return made


class Ledger:
    """The shared ledger as seen from outside."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def states(self, process: int) -> dict[int, str]:
        """Of the tasks in a process' hands, by number; none before the first ComfyUI has made the tables."""
        if not sa.inspect(self._engine).has_table("tasks"):
            return {}
        asked = sa.text("SELECT number, state FROM tasks WHERE worker LIKE :of")
        with self._engine.connect() as connection:
            return {row.number: row.state for row in connection.execute(asked, {"of": f"%/{process}/%"})}

    def all(self) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text("SELECT number, state, identity, worker FROM tasks")))

    def close(self) -> None:
        self._engine.dispose()


def killed_between_two_sends(victim: ComfyUI, seen: Ledger) -> tuple[int, set[int]]:
    """Kills a ComfyUI that has accepted tasks in hand and none on its way; returns its process id and which."""
    process = victim._process
    assert process is not None

    def holds_still() -> bool:
        process.send_signal(signal.SIGSTOP)
        states = list(seen.states(process.pid).values())
        if states.count("accepted") >= 2 and "submitting" not in states:
            return True
        process.send_signal(signal.SIGCONT)
        return False

    until(holds_still, SECONDS)
    accepted = {number for number, state in seen.states(process.pid).items() if state == "accepted"}
    victim.kill()
    return process.pid, accepted


def test_the_limits_of_the_key_hold_and_what_a_dead_one_had_in_hand_is_finished_by_the_others(
    three: list[ComfyUI], provider: Sandbox, ledger: str
) -> None:
    seen = Ledger(ledger)
    queued = [one.queue(prompt(machine)) for machine, one in enumerate(three)]
    process, left = killed_between_two_sends(three[2], seen)
    until(lambda: not {"new", "accepted"} & set(seen.states(process).values()), 60)
    # Whoever sat at the dead one presses Run at another.
    queued[2] = three[0].queue(prompt(2))
    entries = [three[machine].wait(queued[at], SECONDS) for at, machine in enumerate((0, 1, 0))]
    assert [error_of(entry) for entry in entries] == [{}] * 3
    told = [record for entry in entries for shown in entry["outputs"].values() for record in shown.get("kling", ())]
    assert {record["state"] for record in told} == {"done"}

    rows = seen.all()
    seen.close()
    done = [row for row in rows if row.state == "done"]
    assert (len(done), len({row.identity for row in done})) == (TASKS, TASKS)
    assert {row.state for row in rows} <= {"done", "cancelled"}
    assert left <= {row.number for row in done}
    counts = stats(provider)["providers"]["modellix"]
    assert (counts["creates_accepted"], counts["creates_refused"], counts["given_429"]) == (TASKS, 0, 0)
    assert IN_FLIGHT / 2 <= counts["most_in_flight"] <= IN_FLIGHT
    assert counts["creates_accepted"] + counts["polls"] > A_MINUTE
