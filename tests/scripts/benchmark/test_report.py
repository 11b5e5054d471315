"""The same figures for a terminal, for the README and as data."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark.figures import Figure, Goal
from benchmark.report import as_data, as_markdown, as_text, machine

FIGURES = (
    Figure("one", "beyond", (0.1, 0.3, 0.2), "s", Goal(0.25, 0.6), (3.9, 5.8), bound=0.0),
    Figure("one", "polls", (9.0,), "", Goal(worst=8), own_said="as above", digits=0),
    Figure("encode", "speed", (4.0, 3.5), "×", Goal(worst=3, least=True), (1.0,), least=True, digits=1),
)
TITLES = {"one": "One task", "encode": "A picture"}
MACHINE = {"processor": "a processor", "cores": 2, "memory_gb": 8}
MACHINE |= {"system": "Linux", "python": "3.11", "comfyui": "0.3"}


def test_the_terminal_shows_each_figure_under_its_row() -> None:
    lines = [" ".join(line.split()) for line in as_text(FIGURES, TITLES).splitlines()]
    assert lines[0] == "median (worst) of the runs this pack goal bound ComfyUI's own"
    assert {"One task", "A picture"} <= set(lines)
    assert "beyond 0.20 s (0.30) ✓ ≤ 0.25, all ≤ 0.6 0.00 4.85 s (5.80)" in lines
    assert "polls 9 ✗ all ≤ 8 as above" in lines
    assert "speed 3.8 × (3.5) ✓ all ≥ 3 1.0 ×" in lines


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, as_text(FIGURES, TITLES).splitlines())) <= 100


def test_the_readme_gets_the_same_with_date_and_machine() -> None:
    table = as_markdown(FIGURES, TITLES, MACHINE)
    assert "| beyond | 0.20 s (0.30) | ≤ 0.25, all ≤ 0.6 ✓ | 0.00 | 4.85 s (5.80) |" in table
    assert "| **A picture** | | | | |" in table
    assert {line.count("|") for line in table.splitlines() if line.startswith("|")} == {6}
    assert "on 2 cores of a processor (8 GB), Linux, Python 3.11, ComfyUI 0.3" in table


def test_as_data_every_run_is_kept() -> None:
    data = as_data(FIGURES, MACHINE, short=False)
    assert data["machine"] == MACHINE and len(data["date"]) == len("2026-01-01")
    first, second, third = data["figures"]
    assert first["ours"] == {"median": 0.2, "worst": 0.3, "runs": [0.1, 0.3, 0.2]}
    assert (first["goal"], first["met"], second["own"]) == ("≤ 0.25, all ≤ 0.6", True, "as above")
    assert third["ours"]["worst"] == 3.5


def test_the_machine_is_told_without_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "comfyui_version.py").write_text('__version__ = "0.3.75"\n', "utf-8")
    monkeypatch.setattr("platform.node", lambda: "a-name-of-its-own")
    told = machine(tmp_path)
    assert told["comfyui"] == "0.3.75" and told["cores"] >= 1 and told["processor"]
    assert "a-name-of-its-own" not in str(told)
