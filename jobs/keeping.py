"""What is cleared away at the start of the engine: old results, and inputs that nobody came to delete."""

from __future__ import annotations

import logging
import re
from functools import partial

from .bucket import BucketAddress, BucketError, open_bucket
from .placing import INPUT_NAME
from .results import Results
from .settings import Settings

LOG = logging.getLogger("kling")
DAY = 24 * 3600.0


def drop_old(settings: Settings, now: float) -> int:
    """Deletes results older than KLING_KEEP_RESULTS_DAYS, and inputs a day old; returns how many.

    The ledger keeps its rows: a request whose pictures are gone is fetched again or refused, never paid
    for again on its own. A bucket that does not answer is named in the log and looked at by the next start.
    """
    dropped = 0
    results = partial(Results(settings).drop_old, now - settings.keep_results_days * DAY)
    inputs = partial(_drop_inputs, settings.upload_url, now - DAY)
    for place, clear in ((settings.results_url, results), (settings.upload_url, inputs)):
        try:
            dropped += clear()
        except BucketError as error:
            LOG.warning("Old files in %s were not looked for: %s. To do: %s.", place, error, error.todo)
    return dropped


def _drop_inputs(address: BucketAddress | None, before: float) -> int:
    """Inputs whose task outlived the engine that was to delete them. No task reads one for so long."""
    if address is None:
        return 0
    bucket = open_bucket(address)
    left = [one.name for one in bucket.list() if one.written_at < before and re.fullmatch(INPUT_NAME, one.name)]
    bucket.delete(*left)
    return len(left)
