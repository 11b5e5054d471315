"""Thousands of schedules of the engine in virtual time: no promise is broken in any, and planted mistakes are found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).resolve().parents[2] / "scripts" / "simulate.py"
SECONDS = 900
"""What no run here takes; only there so that a mistake ends."""

SCHEDULES, PARTS = 10_000, 4


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Measuring which lines run would take longer than the schedules themselves."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, str(COMMAND), "--processes", "1", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=variables)


@pytest.mark.slow
@pytest.mark.parametrize("first", [1 + part * SCHEDULES // PARTS for part in range(PARTS)])
def test_no_promise_is_broken_in_ten_thousand_schedules(first: int) -> None:
    played = simulate("--seed", first, "--schedules", SCHEDULES // PARTS)
    assert played.returncode == 0, played.stdout + played.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "promise"),
    [
        ("double-submit", "paid twice"),
        ("lost-id", "lost"),
        ("no-limits", "limits"),
        ("no-counting", "limits"),
        ("waits-for-ever", "waits for ever"),
        ("no-stop", "Stop"),
        ("no-budget", "budget"),
    ],
)
def test_a_planted_mistake_is_found(plant: str, promise: str) -> None:
    played = simulate("--seed", 1, "--schedules", 400, "--until", promise, "--plant", plant)
    assert played.returncode == 1 and re.search(rf"Seed \d+: .*{promise}", played.stdout), played.stdout


@pytest.mark.slow
def test_a_schedule_is_the_same_each_time_and_can_be_told_step_by_step() -> None:
    told = [simulate("--seed", 12, "--trace", "--plant", "double-submit") for _ in range(2)]
    assert told[0].stdout == told[1].stdout and told[0].stdout.count("\n") > 10, told[0].stderr
