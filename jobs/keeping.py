"""How long original result files stay."""

from __future__ import annotations

from pathlib import Path

DAY = 24 * 3600.0


def drop_old(results: Path, days: int, now: float) -> int:
    """Deletes files that have lain below `results` for more than `days`; returns how many.

    The ledger keeps its rows: a request whose pictures are gone is fetched again or refused, never paid
    for again on its own.
    """
    dropped = 0
    for file in results.rglob("*"):
        try:
            if file.is_file() and file.stat().st_mtime < now - days * DAY:
                file.unlink()
                dropped += 1
        except OSError:  # another process was faster, or still has it open; the next start tries again
            continue
    return dropped
