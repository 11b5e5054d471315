"""How long to wait after an error or a refusal."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from kling_pack.jobs.schedule import backoff, retry_after_seconds

NOW = 1_800_000_000.0


def test_repeats_after_errors_are_spread_and_bounded() -> None:
    assert [backoff(attempt) for attempt in (1, 2, 3, 4, 5, 6, 7, 8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(2000) == 30


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", 120.0),
        ("86400", 120.0),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(written: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(written, NOW) == seconds


def test_a_moment_in_seconds_since_1970_is_a_pause_from_now() -> None:
    assert retry_after_seconds("1800000030", 1_800_000_000.0) == 30.0
    assert retry_after_seconds("1700000000", 1_800_000_000.0) == 0.0
