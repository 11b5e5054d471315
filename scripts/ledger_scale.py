"""Measures the ledger with a thousand rows and with a million, on SQLite and on PostgreSQL; prints a table.

`--rows 1000 1000000` other sizes, `--json FILE` keeps the figures, `--readme` writes the table into README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environment
from pack import ROOT

Figures = dict[str, dict[str, dict[str, float]]]
"""Database -> rows -> what is asked -> milliseconds (the median of many), or steps a second."""

ROWS = (1000, 1_000_000)
TIMES = 50
STEPS = "steps a second"


@dataclass(frozen=True)
class Question:
    """Something that the engine asks of the ledger: `ask` is timed with what `prepare` gave it."""

    ask: Callable[[Any], object]
    prepare: Callable[[], Any] = lambda: None


class Scale:
    """A filled ledger and what is asked of it; each time of another task."""

    def __init__(self, url: str, rows: int) -> None:
        from ledger_rows import WORKER, fill

        from kling_pack.jobs.ledger import Ledger
        from kling_pack.jobs.sharing import Sharing

        self.ledger = Ledger(url)
        fill(self.ledger, rows)
        self.sharing = Sharing(self.ledger, WORKER)
        self.sharing.beat()
        self._rows, self._newest, self._random = rows, rows, random.Random(rows)

    def close(self) -> None:
        self.ledger.close()

    def questions(self) -> dict[str, Question]:
        """Each by its name."""
        from kling_pack.jobs.states import State

        ledger, sharing, day = self.ledger, self.sharing, time.time() - 24 * 3600
        return {
            "let in: a new request": Question(self._admit, self._new),
            "let in: one that is known": Question(self._admit, self._any),
            "claim a place": Question(self._claim, lambda: self._admit(self._new())),
            "count a call": Question(lambda _: sharing.call("modellix/key-0", 100_000)),
            "step": Question(self._accept, self._claimed),
            "note": Question(lambda task: ledger.note(task, word="success"), self._done),
            "by handle": Question(lambda task: ledger.by_handle(task.provider, task.provider_id), self._done),
            "by number": Question(lambda task: ledger.by_handle(task.provider, f"~{task.number}"), self._done),
            "kept pictures": Question(ledger.results, self._done),
            "newest 100": Question(lambda _: ledger.recent(100)),
            "newest 100 done": Question(lambda _: ledger.recent(100, State.DONE)),
            "newest 100 uncertain": Question(lambda _: ledger.recent(100, State.UNCERTAIN)),
            "left behind": Question(lambda _: sharing.left_behind()),
            "how long such tasks take": Question(self._durations, self._done),
            "first answer": Question(lambda _: ledger.first_answer("modellix", "text")),
            "first answer, never asked": Question(lambda _: ledger.first_answer("eachlabs", "expand")),
            "spent in a day": Question(lambda _: ledger.spent_usd(day)),
            "saved in a day": Question(lambda _: ledger.saved(day)),
            "paid in a day": Question(lambda _: ledger.paid(day)),
            "as it was asked": Question(ledger.asked, self._done),
            "kept of the newest 100": Question(ledger.kept_pictures, lambda: ledger.recent(100)[-1]),
        }

    def live(self) -> None:
        """One task's four durable steps: let in, claimed, accepted, done."""
        from kling_pack.jobs.states import State

        self.ledger.step(self._accept(self._claimed()), State.DONE, finished_at=time.time())

    def _new(self) -> int:
        self._newest += 1
        return self._newest

    def _any(self) -> int:
        return self._random.randint(1, self._rows)

    def _done(self) -> Any:
        """A task that is done, wherever it stands in the ledger."""
        while True:
            task = next((task for name in ("modellix", "eachlabs", "apimodels") if (task := self._at(name))), None)
            if task is not None:
                return task

    def _at(self, provider: str) -> Any:
        task = self.ledger.by_handle(provider, f"~{self._any()}")
        return task if task and task.state.value == "done" else None

    def _admit(self, number: int) -> Any:
        from ledger_rows import WORKER, identity, row

        from kling_pack.jobs.task import Wanted

        written = row(number, time.time()) | {"identity": identity(number), "worker": WORKER, "provider_id": None}
        wanted = Wanted(written, ("eachlabs", "modellix", "apimodels"))
        ((task, _),) = self.sharing.admit([wanted], lambda new, spent: None)
        return task

    def _claim(self, task: Any) -> Any:
        from kling_pack.providers.base import Limits

        return self.sharing.claim(task, f"{task.provider}/{task.key_hash}", Limits(9**9, 9**9), alone=False).task

    def _claimed(self) -> Any:
        return self._claim(self._admit(self._new()))

    def _accept(self, task: Any) -> Any:
        from kling_pack.jobs.states import State

        return self.ledger.step(task, State.ACCEPTED, provider_id=f"new-{task.number}", accepted_at=time.time())

    def _durations(self, task: Any) -> object:
        return self.ledger.durations(task.provider, task.operation, task.model, task.resolution, task.count)


def measured(scales: Mapping[tuple[str, str], Scale]) -> Figures:
    """Milliseconds by question, and steps a second. All ledgers in turn, so that a busy moment of the machine hits
    every one of them."""
    seconds: defaultdict[tuple[str, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    asked = {name: scale.questions() for name, scale in scales.items()}
    for question in next(iter(asked.values())):
        for _ in range(TIMES):
            for name, questions in asked.items():
                seconds[name][question].append(_timed(questions[question]))
    for _ in range(TIMES):
        for name, scale in scales.items():
            seconds[name][STEPS].append(_timed(Question(lambda _, scale=scale: scale.live())))
    figures: Figures = {}
    for (database, rows), by_question in seconds.items():
        middle = {question: statistics.median(taken) for question, taken in by_question.items()}
        found = figures.setdefault(database, {}).setdefault(rows, {})
        found |= {question: 1000 * taken for question, taken in middle.items()} | {STEPS: 4 / middle[STEPS]}
    return figures


def _timed(question: Question) -> float:
    given = question.prepare()
    began = time.perf_counter()
    question.ask(given)
    return time.perf_counter() - began


def table(figures: Figures) -> str:
    """One row a question, one column a database and size."""
    columns = [(database, rows) for database, by_rows in figures.items() for rows in by_rows]
    heads = [f"{database}, {int(rows):,} rows" for database, rows in columns]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(columns)]
    for name in figures[columns[0][0]][columns[0][1]]:
        cells = [figures[database][rows][name] for database, rows in columns]
        shown = [f"{cell:.0f}" if name == STEPS else f"{cell:.2f} ms" for cell in cells]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def measure_all(sizes: Sequence[int], folder: Path) -> Figures:
    """Fills a ledger of each size in each database and measures them side by side."""
    from postgres import Postgres

    with Postgres(folder / "postgres") as server:
        scales = {}
        for rows in sizes:
            files = f"sqlite:///{folder / str(rows)}.sqlite"
            for database, url in (("SQLite", files), ("PostgreSQL", server.database())):
                began = time.perf_counter()
                scales[database, str(rows)] = Scale(url, rows)
                print(f"{database}: {rows:,} rows written in {time.perf_counter() - began:.0f} s", flush=True)
        figures = measured(scales)
        for scale in scales.values():
            scale.close()
    return figures


def main() -> int:
    environment.ensure(tests=True)
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, nargs="+", default=ROWS)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--readme", action="store_true")
    wanted = asked.parse_args()
    sys.path.append(str(ROOT / "tests" / "harness"))
    with tempfile.TemporaryDirectory(prefix="kling-ledger-") as folder:
        figures = measure_all(wanted.rows, Path(folder))
    print(table(figures))
    if wanted.json:
        wanted.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if wanted.readme:
        from readme_tables import README, filled

        README.write_text(filled(README.read_text("utf-8"), "ledger", table(figures)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
