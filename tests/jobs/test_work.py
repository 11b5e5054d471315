"""Handles as a person writes them, and when an outcome is the last word."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from kling_pack.errors import InputError
from kling_pack.jobs.states import State
from kling_pack.jobs.work import Handle, Outcome, read_handles


def test_one_handle_a_line_blank_lines_aside() -> None:
    read = read_handles("eachlabs:abc-1\n\n  modellix:~12  \r\nsandbox:apimodels-9.x_y\n")
    assert read == (Handle("eachlabs", "abc-1"), Handle("modellix", "~12"), Handle("sandbox", "apimodels-9.x_y"))
    assert [str(handle) for handle in read] == ["eachlabs:abc-1", "modellix:~12", "sandbox:apimodels-9.x_y"]


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="task is empty.*Nothing was asked"):
        read_handles(text)


@pytest.mark.parametrize(
    "line",
    ["abc", "eachlabs:", ":abc", "other:abc", "eachlabs:a b", "eachlabs:../x", "eachlabs:a/b", "eachlabs:~",
     "eachlabs:~x", "eachlabs:a?b", "EachLabs:abc", "eachlabs:" + "a" * 201, "eachlabs:~" + "1" * 16, "eachlabs:-a"],
)  # fmt: skip
def test_a_line_that_is_no_handle_is_shown(line: str) -> None:
    with pytest.raises(InputError, match="task has the line .*provider:id") as raised:
        read_handles(f"eachlabs:ok\n{line}")
    assert len(str(raised.value)) < 300


def test_a_task_that_is_done_is_no_final_outcome_before_its_pictures_are_handed_over() -> None:
    done = SimpleNamespace(state=State.DONE)
    assert not Outcome(None, done).final
    assert Outcome(None, done, (Path("a.png"),)).final
