"""Plays the engine in virtual time under seeded faults, and says which promise was broken under which seed.

`--schedules N --seed S` plays N schedules from seed S on, on every core; `--seed S --trace` tells one of them step by
step; `--plant NAME` plants a mistake, which must be found.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import environment
from environment import say
from pack import ROOT, load_pack

SLICE, MANY = 50, 10_000
SIMULATED_BEAT = 10.0
"""Half of the time would go into beats otherwise; three still fit into a lease."""
SHOWN, LONGEST_LINE = 20, 500


def main() -> int:
    environment.ensure(tests=True)
    given = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of a set must not depend on the process
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    if given.trace:
        return _report(play(range(given.seed, given.seed + 1), given.plant, print), 1, given, 0.0)
    began = time.monotonic()
    seeds = range(given.seed, given.seed + given.schedules)
    size = 5 if given.until else SLICE
    slices = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    broken: dict[int, list[str]] = {}
    played = 0
    with ProcessPoolExecutor(given.processes) as processes:
        for done, found in zip(slices, processes.map(play, slices, [given.plant] * len(slices)), strict=True):
            broken |= found
            played += len(done)
            if given.schedules > MANY and played % MANY == 0:
                say(f"{played} schedules, {len(broken)} seeds that break a promise: {sorted(broken)[:SHOWN]}")
            if given.until and any(violation.startswith(given.until) for one in found.values() for violation in one):
                processes.shutdown(cancel_futures=True)
                break
    return _report(broken, played, given, time.monotonic() - began)


def play(seeds: range, plant: str | None, tell: Callable[[str], None] | None = None) -> dict[int, list[str]]:
    """The violations by seed."""
    load_pack()
    sys.path[:0] = [folder for folder in [str(ROOT / "tests" / "simulation")] if folder not in sys.path]
    from plan import draw
    from plants import planted
    from world import World

    from kling_pack.jobs import leases

    sys.unraisablehook = lambda _: None  # what a crash left half done is thrown away
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    broken = {}
    gc.disable()
    with _home() as home, planted(plant), mock.patch.object(leases, "BEAT_SECONDS", SIMULATED_BEAT):
        for seed in seeds:
            if violations := World(draw(seed), _disk(), home, tell).play():
                broken[seed] = violations
            gc.collect(1)
    return broken


_disks: list[object] = []


def _disk() -> object:
    from disk import Disk

    if not _disks:
        _disks.append(Disk())
    return _disks[0]


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - the system's folder in memory, where there is one
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def _report(broken: dict[int, list[str]], played: int, given: argparse.Namespace, seconds: float) -> int:
    for seed, violations in list(broken.items())[:SHOWN]:
        say(f"Seed {seed}: {' | '.join(dict.fromkeys(violations))[:LONGEST_LINE]}")
        plant = f" --plant {given.plant}" if given.plant else ""
        say(f"  replay: python scripts/simulate.py --seed {seed} --trace{plant}")
    kinds = Counter(kind for violations in broken.values() for kind in {one.partition(":")[0] for one in violations})
    found = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common()) or "no promise was broken"
    say(f"{played} schedules from seed {given.seed} in {seconds:.0f} s: {found}")
    return int(bool(broken))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--plant")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--until", help="end once this promise was found broken")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
