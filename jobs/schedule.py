"""How long to wait after an error, and after a refusal that says how long."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LONGEST_BACKOFF = 30.0
A_MOMENT = 1e9
"""Nobody asks for a pause of thirty years: a number above this is a moment in seconds since 1970."""
LONGEST_RETRY_AFTER = 120.0


def backoff(attempt: int) -> float:
    """Seconds before attempt number `attempt` (1 is the first repeat) after an error."""
    return min(0.5 * 2.0 ** min(attempt - 1, 10), LONGEST_BACKOFF)


def retry_after_seconds(written: str | None, now: float) -> float | None:
    """A Retry-After header, in seconds, as an HTTP date or in seconds since 1970, as seconds from `now`.

    None where there is none, or none that can be read.
    """
    if written is None:
        return None
    try:
        seconds = float(written)
        if seconds > A_MOMENT:
            seconds -= now
    except ValueError:
        try:
            moment = parsedate_to_datetime(written)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        seconds = (moment - datetime.fromtimestamp(now, timezone.utc)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER) if seconds == seconds else None
