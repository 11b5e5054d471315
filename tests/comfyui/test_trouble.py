"""A disk that is full or may only be read, and ledgers that are broken or too new: told clearly, and nothing is paid
that could not be written down."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from comfyui import ComfyUI
from disk import Disk
from graphs import Graph, graph, node, records, text
from truth import behave, error_of, stats, until

from kling_pack.jobs.ledger import Ledger
from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    with Disk(tmp_path_factory.mktemp("disk"), megabytes=16) as disk:
        yield disk


@pytest.fixture(scope="module")
def troubled(with_keys: dict[str, str], disk: Disk) -> Iterator[ComfyUI]:
    """ComfyUI with a blank KLING_HOME on that disk."""
    with ComfyUI({**with_keys, "KLING_HOME": str(disk.folder)}) as comfyui:
        yield comfyui


def asked(prompt: str, **inputs: Any) -> Graph:
    return graph("text", prompt=prompt, provider="modellix", **inputs)


def requests_of(sandbox: Sandbox) -> int:
    told: int = stats(sandbox)["providers"]["modellix"]["requests"]
    return told


def refusal(comfyui: ComfyUI, sandbox: Sandbox, words: str) -> str:
    """What a run says that spends nothing and sends nothing."""
    error = error_of(comfyui.run(asked(words)))
    assert error["exception_type"] == "kling.SetupError"
    assert requests_of(sandbox) == 0
    said: str = error["exception_message"]
    return said


# Ledgers that cannot be opened. In this process none has been opened yet.


def full(disk: Disk) -> None:
    disk.fill()


def read_only(disk: Disk) -> None:
    disk.read_only(True)


def random_bytes(disk: Disk) -> None:
    (disk.folder / "ledger.sqlite").write_bytes(os.urandom(20_000))


def cut_in_half(disk: Disk) -> None:
    file = disk.folder / "ledger.sqlite"
    Ledger(f"sqlite:///{file}").close()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def too_new(disk: Disk) -> None:
    file = disk.folder / "ledger.sqlite"
    Ledger(f"sqlite:///{file}").close()
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO ledger_versions VALUES (99, 'of next year', 0, 99)")
    connection.close()


@pytest.fixture
def mended(disk: Disk) -> Iterator[None]:
    """Puts things right after the test."""
    yield
    disk.read_only(False)
    disk.free()
    for file in disk.folder.glob("ledger.sqlite*"):
        file.unlink()


@pytest.mark.parametrize(
    ("break_it", "cause", "advice"),
    [
        (full, "disk is full", "Make room"),
        (read_only, "unable to open|[Rr]ead-only", "make the folder writable"),
        (random_bytes, "file is not a database", "move it away"),
        (cut_in_half, "malformed", "move it away"),
        (too_new, "newer version of this pack", "update the pack"),
    ],
)
def test_a_ledger_that_cannot_be_opened_is_told_and_nothing_is_sent(
    troubled: ComfyUI,
    sandbox: Sandbox,
    disk: Disk,
    mended: None,
    break_it: Callable[[Disk], None],
    cause: str,
    advice: str,
) -> None:
    break_it(disk)
    said = refusal(troubled, sandbox, f"with {break_it.__name__}")
    assert re.search(cause, said)
    assert advice in said


# A disk that gets full while the ledger is open.


@pytest.fixture
def opened(troubled: ComfyUI, disk: Disk) -> Iterator[None]:
    troubled.get("/kling/tasks")
    yield
    disk.free()


def fill(disk: Disk, but: int = 0) -> None:
    """Fills the disk; the ledger's journal keeps no room of its own."""

    def shortened() -> bool:
        connection = sqlite3.connect(disk.folder / "ledger.sqlite")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        connection.close()
        return not busy

    until(shortened)
    disk.fill(but)


def test_nothing_is_sent_while_the_disk_is_full_and_all_goes_on_when_there_is_room(
    troubled: ComfyUI, sandbox: Sandbox, disk: Disk, opened: None, paid: Paid
) -> None:
    fill(disk)
    assert "disk is full" in refusal(troubled, sandbox, "without room")
    disk.free()
    entry = troubled.run(asked("without room"))
    assert records(entry)[0]["state"] == "done"
    assert paid() == 1


def test_a_picture_for_which_there_is_no_room_is_fetched_when_there_is_some(
    troubled: ComfyUI, sandbox: Sandbox, disk: Disk, opened: None, paid: Paid
) -> None:
    fill(disk, but=250_000)
    error = error_of(troubled.run(asked("too large", resolution="2k")))
    assert error["exception_type"] == "kling.UnfinishedError"
    assert "paid for and done, but its picture could not be written" in error["exception_message"]
    assert "No space left on device" in error["exception_message"]
    disk.free()
    entry = troubled.run(asked("too large", resolution="2k"))
    assert records(entry)[0]["state"] == "done"
    assert paid() == 1


def test_a_task_whose_id_could_not_be_written_down_is_told_with_it_and_never_paid_again(
    troubled: ComfyUI, sandbox: Sandbox, disk: Disk, opened: None, paid: Paid
) -> None:
    behave(sandbox, faults=[{"fault": "slow", "on": "create", "seconds": 2, "times": 1}])
    prompt_id = troubled.queue(asked("full while it is paid"))
    until(lambda: paid() == 1)
    fill(disk)
    error = error_of(troubled.wait(prompt_id))
    (task,) = stats(sandbox)["tasks"]
    assert f"created and is paid for as modellix:{task['id']}" in error["exception_message"]
    disk.free()
    again = troubled.run(asked("full while it is paid"))
    # Told once more, or joined: the next beat of the engine writes the id down, now that there is room.
    assert error_of(again) or records(again)[0]["state"] == "done"
    poll = node("KlingPoll", task=f"modellix:{task['id']}")
    entry = troubled.run({"poll": poll, "report": node("PreviewAny", source=["poll", 1])})
    assert text(entry, "report") == "done"
    assert paid() == 1
