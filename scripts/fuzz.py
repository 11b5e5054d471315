"""Throws hostile and mutated answers at the adapters and mutated picture files at the decoder.

`python scripts/fuzz.py --cases 100000 --seed 1`. Only the pack's own errors may come out, within seconds and a bounded
memory. What a case does follows from the seed and its number alone: `--seed 1 --only 4711` repeats one.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
import traceback
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random, SystemRandom

import environment

LONGEST_SECONDS = 30
LARGEST_MEMORY = 3 * 2**30
"""Bytes. The largest picture that is decoded has 100 megapixels, in several copies while its colours change."""


def run(cases: int, seed: int, only: int | None = None) -> int:
    """Plays the cases and prints what came of them; returns how many findings there were."""
    from hostile import KINDS

    counts: Counter[str] = Counter()
    findings, slowest, begun = 0, (0.0, -1), time.monotonic()
    before = _peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(cases) if only is None else [only]:
            random = Random(f"{seed}:{number}")
            kind = random.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
            # A case that hangs ends the run with the place where it hangs.
            faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True, file=sys.__stderr__)
            started = time.process_time()
            try:
                counts[f"{kind}: {KINDS[kind][0](random, Path(folder))}"] += 1
            except Exception:  # noqa: BLE001 - whatever comes out is a finding
                findings += 1
                print(f"Case {number} of seed {seed} ({kind}):\n{traceback.format_exc()}", flush=True)
            slowest = max(slowest, (time.process_time() - started, number))
    faulthandler.cancel_dump_traceback_later()
    _tell(counts, seed, slowest, time.monotonic() - begun)
    memory = _peak_memory() - before
    print(f"{findings} findings; at most {memory / 2**20:.0f} MiB of memory more than at the start.")
    return findings + (memory > LARGEST_MEMORY)


def _tell(counts: Counter[str], seed: int, slowest: tuple[float, int], seconds: float) -> None:
    for name, count in sorted(counts.items()):
        print(f"{count:9,}  {name}")
    print(f"{counts.total():9,}  cases on {date.today()}, seed {seed}, in {seconds:.0f} s; ", end="")
    print(f"the slowest took {slowest[0]:.1f} s of processor time (case {slowest[1]}).")


def _peak_memory() -> int:
    """The most this process ever held, in bytes."""
    import psutil

    told = psutil.Process().memory_info()
    if hasattr(told, "peak_wset"):
        return int(told.peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", type=int, default=None, help="the number of the one case to repeat")
    given = parser.parse_args()
    environment.ensure(tests=True)
    seed = SystemRandom().randrange(2**32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    return 1 if run(given.cases, seed, given.only) else 0


if __name__ == "__main__":
    sys.exit(main())
