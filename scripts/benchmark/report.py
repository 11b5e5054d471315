"""The table for a terminal, the same as data, and its copy in the README."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmark.figures import Figure, worst

HEADS = ("median (worst) of the runs", "this pack", "", "goal", "bound", "ComfyUI's own")
MARKS = {True: "✓", False: "✗", None: ""}


def machine(comfyui: Path) -> dict[str, Any]:
    """What the figures were measured on; nothing that names the machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
        "comfyui": _version_of(comfyui),
    }


def as_data(figures: Iterable[Figure], measured_on: dict[str, Any], short: bool) -> dict[str, Any]:
    """What bench.json holds."""
    rows = [
        {
            "row": figure.row,
            "what": figure.what,
            "unit": figure.unit,
            "ours": _values(figure.ours, figure.least),
            "own": _values(figure.own, figure.least) if figure.own else figure.own_said,
            "bound": figure.bound,
            "goal": goal_text(figure) or None,
            "met": figure.met,
        }
        | ({"points": figure.points} if figure.points else {})
        for figure in figures
    ]
    return {"date": date.today().isoformat(), "machine": measured_on, "short": short, "figures": rows}


def as_text(figures: Sequence[Figure], titles: dict[str, str]) -> str:
    """The figures in columns, under the title of their row."""
    cells = [(figure, _cells(figure)) for figure in figures]
    widths = [max(len(HEADS[place]), *(len(row[place]) for _, row in cells)) for place in range(len(HEADS))]
    rule = "─" * (sum(widths) + 2 * len(widths))
    lines = ["  " + _line(HEADS, widths), rule]
    before = ""
    for figure, row in cells:
        if figure.row != before:
            lines += ([""] if before else []) + [titles[figure.row]]
            before = figure.row
        lines.append("  " + _line(row, widths))
    return "\n".join([*lines, rule])


def as_markdown(figures: Sequence[Figure], titles: dict[str, str], measured_on: dict[str, Any]) -> str:
    """The README's table: the median of the runs, the worst in brackets."""
    lines = ["| | this pack | goal | bound | ComfyUI's own |", "|---|---|---|---|---|"]
    before = ""
    for figure in figures:
        what, ours, mark, goal, bound, own = _cells(figure)
        if figure.row != before:
            lines.append(f"| **{titles[figure.row]}** | | | | |")
            before = figure.row
        lines.append(f"| {what} | {ours} | {goal} {mark} | {bound} | {own} |")
    on = measured_on
    lines += [
        "",
        f"Measured on {date.today():%d %B %Y} by `python scripts/bench.py` on {on['cores']} cores of {on['processor']} "
        f"({on['memory_gb']} GB), {on['system']}, Python {on['python']}, ComfyUI {on['comfyui']}: the median of the "
        "runs, the worst in brackets.",
    ]
    return "\n".join(lines)


def goal_text(figure: Figure) -> str:
    """A limit for the median, and one that holds for all runs."""
    goal = figure.goal
    if goal is None:
        return ""
    sign = "≥" if goal.least else "≤"
    limits = (("", goal.median), ("all ", goal.worst))
    return ", ".join(f"{whose}{sign} {limit:g}" for whose, limit in limits if limit is not None)


def _cells(figure: Figure) -> tuple[str, ...]:
    bound = "" if figure.bound is None else _number(figure, figure.bound)
    own = _shown(figure, figure.own) if figure.own else figure.own_said
    return figure.what, _shown(figure, figure.ours), MARKS[figure.met], goal_text(figure), bound, own


def _shown(figure: Figure, values: Sequence[float]) -> str:
    """The median with its unit, and the worst where there is more than one."""
    most = f" ({_number(figure, worst(values, figure.least))})" if len(values) > 1 else ""
    return f"{_number(figure, median(values))} {figure.unit}".strip() + most


def _number(figure: Figure, value: float) -> str:
    return f"{round(value, figure.digits) + 0.0:.{figure.digits}f}"


def _values(values: Sequence[float], least: bool) -> dict[str, Any]:
    rounded = [round(value, 4) for value in values]
    return {"median": median(rounded), "worst": worst(rounded, least), "runs": rounded}


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _processor() -> str:
    """The processor's name where the system tells it, else its family."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version_of(comfyui: Path) -> str:
    text = (comfyui / "comfyui_version.py").read_text("utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]
