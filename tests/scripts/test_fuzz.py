"""A short run of the fuzz command; the long one's counts are in SECURITY.md."""

from __future__ import annotations

import random
from pathlib import Path

import fuzz
import hostile
import pytest


@pytest.mark.slow
def test_no_finding_in_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.run(cases=1500, seed=random.randrange(2**32)) == 0
    told = capsys.readouterr().out
    assert "1,500  cases" in told and "0 findings" in told
    for reached in ("picture: read", "picture: unread", "shape: Status", "shape: Refused", "shape: Unclear"):
        assert reached in told


def test_a_finding_is_told_with_what_repeats_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(random: random.Random, folder: Path) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(hostile, "KINDS", {"planted": (fails, 1)})
    assert fuzz.run(cases=1, seed=7) == 1
    told = capsys.readouterr().out
    assert "Case 0 of seed 7 (planted)" in told and "ZeroDivisionError" in told


def test_a_case_is_repeated_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def notes(random: random.Random, folder: Path) -> str:
        seen.append(random.random())
        return "noted"

    monkeypatch.setattr(hostile, "KINDS", {"planted": (notes, 1)})
    fuzz.run(cases=3, seed=7)
    fuzz.run(cases=3, seed=7, only=2)
    assert seen[3:] == [seen[2]]
