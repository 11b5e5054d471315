"""Measures the pack against ComfyUI's own Kling node, on one local server, in one run.

`--only one,eight` measures those rows, `--short` as little as shows that everything runs, `--json FILE` says where the
figures go (bench.json), `--readme` copies the table into README.md. Rows: one, new, eight, thirty, kinds, nine, hold,
encode, crowd, start, pacer. The row `start` needs chromium.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from environment import say
from pack import ROOT

if TYPE_CHECKING:
    from benchmark.figures import Figure

ROWS = ("one", "new", "eight", "thirty", "kinds", "nine", "hold", "encode", "crowd", "start", "pacer")
ALONE = {"start", "pacer"}
"""Rows that need neither the server nor a ComfyUI that is already there."""
README = ROOT / "README.md"
PLOT = ROOT / "docs" / "pacer.svg"


def main() -> int:
    asked = _arguments()
    environment.ensure(tests=True)
    from benchmark.sizes import FULL, SHORT
    from benchmark.stage import Stage

    rows, sizes = _rows(asked.only), SHORT if asked.short else FULL
    figures: list[Figure] = []
    with ExitStack() as stack:
        stage = None
        if set(rows) - ALONE:
            say("Starting ComfyUI and the server …")
            stage = stack.enter_context(Stage())
        for name, (title, measure) in rows.items():
            figures += _measured(name, title, measure(stage, sizes))
    _tell(figures, {name: title for name, (title, _) in rows.items()}, asked)
    return 0


def _rows(only: list[str]) -> dict[str, tuple[str, Callable[..., Iterator[Figure]]]]:
    """Rows by name, in the order in which they are measured: after the crowd, which leaves tasks, no graph runs."""
    from benchmark import opening, pacer, pictures, queueing, waiting

    rows: dict[str, tuple[str, Callable[..., Iterator[Figure]]]] = {
        "one": ("One task of 0.5 … 20 s, its kind seen before", waiting.one),
        "new": ("One task of 0.5 … 20 s, nothing known of its kind", waiting.new),
        "eight": ("8 tasks of 6 s side by side", waiting.eight),
        "thirty": ("30 tasks of 10 … 30 s, 10 in flight, 60 requests a minute", queueing.thirty),
        "kinds": ("the same, 10, 20 and 30 s being three kinds of task", queueing.kinds),
        "nine": ("9 pictures of 2048×2048, each download 0.5 s", pictures.nine),
        "hold": ("A node that holds ComfyUI's loop for 10 s, beside a task of 8 s", waiting.hold),
        "encode": ("A picture of 2048×2048, from tensor to upload bytes, lossless", pictures.encode),
        "crowd": ("500 tasks queued in one list, while they wait", queueing.crowd),
        "start": ("The editor's start, its own files in the browser's cache", opening.start),
        "pacer": ("The pacer on paper: 1,000 tasks over 50 keys", pacer.pacer),
    }
    return {name: row for name, row in rows.items() if name in only}


def _measured(name: str, title: str, figures: Iterator[Figure]) -> list[Figure]:
    began = time.monotonic()
    say(f"{title} …")
    measured = list(figures)
    say(f"  {name}: {time.monotonic() - began:.0f} s")
    return measured


def _tell(figures: list[Figure], titles: dict[str, str], asked: argparse.Namespace) -> None:
    from benchmark import pacer, plot, report
    from readme_tables import filled

    machine = report.machine(environment.comfyui())
    say("\n" + report.as_text(figures, titles))
    data = report.as_data(figures, machine, asked.short)
    asked.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    say(f"Written to {asked.json}")
    if asked.readme:
        table = report.as_markdown(figures, titles, machine)
        table += f"\n\n![{pacer.TITLE}, beside a straight line]({PLOT.relative_to(ROOT).as_posix()})"
        README.write_text(filled(README.read_text("utf-8"), "bench", table), "utf-8")
        (points,) = (figure.points for figure in figures if figure.points)
        PLOT.write_text(plot.draw(points, pacer.TITLE, pacer.ACROSS, f"as a task among {points[0][0]} costs"), "utf-8")


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(ROWS), metavar="ROW,ROW")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", type=Path, default=ROOT / "bench.json", metavar="FILE")
    parser.add_argument("--readme", action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.only) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if asked.readme and (asked.short or set(asked.only) != set(ROWS)):
        parser.error("the README's table is of all rows at full length")
    return asked


if __name__ == "__main__":
    sys.exit(main())
