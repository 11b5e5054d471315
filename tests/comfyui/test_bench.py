"""The benchmark runs: in real ComfyUI, on its own server, at its smallest. No figure is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "scripts" / "bench.py"
ROWS = ["one", "new", "eight", "thirty", "kinds", "nine", "hold", "encode", "crowd", "start", "pacer"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a short run printed and wrote."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [sys.executable, str(BENCH), "--short", "--json", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout, json.loads(file.read_text("utf-8"))


def test_every_row_is_measured_and_printed(measured: tuple[str, dict[str, Any]]) -> None:
    printed, data = measured
    assert list(dict.fromkeys(figure["row"] for figure in data["figures"])) == ROWS
    assert [figure["what"] for figure in data["figures"] if figure["what"] not in printed] == []


def test_every_figure_has_its_runs_and_every_goal_a_verdict(measured: tuple[str, dict[str, Any]]) -> None:
    _, data = measured
    assert data["short"] is True
    assert all(figure["ours"]["runs"] for figure in data["figures"])
    assert {figure["row"] for figure in data["figures"] if figure["met"] is not None} == set(ROWS)


def test_comfyuis_own_node_played_too(measured: tuple[str, dict[str, Any]]) -> None:
    _, data = measured
    beside = {figure["row"] for figure in data["figures"] if isinstance(figure["own"], dict)}
    assert beside == {"one", "eight", "thirty", "nine", "hold", "encode"}


@pytest.mark.parametrize("arguments", [["--readme", "--short"], ["--readme", "--only", "one"], ["--only", "two"]])
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    ran = subprocess.run([sys.executable, str(BENCH), *arguments], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
