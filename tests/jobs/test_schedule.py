"""When a provider is asked again."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from kling_pack.jobs.schedule import backoff, next_pause, retry_after_seconds

NOW = 1_800_000_000.0


def test_the_first_look_comes_soon_and_pauses_grow_with_the_wait() -> None:
    pauses = [next_pause(elapsed, expected=20.0) for elapsed in (0, 5, 10, 30, 60, 600)]
    assert pauses[0] == 0.5
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5.0


def test_the_expected_end_is_not_jumped_over() -> None:
    assert next_pause(18.0, expected=20.0) == 2.0
    assert next_pause(19.0, expected=20.0) == 1.0


def test_looking_late_costs_a_small_share_of_the_whole() -> None:
    """However long a task takes, its end is seen at most an eighth of that time or half a second later."""
    for length in (1, 3, 8, 20, 41):
        elapsed = 0.0
        while elapsed < length:
            elapsed += next_pause(elapsed, expected=20.0)
        assert elapsed - length <= max(0.5, length * 0.125)


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
