"""Real servers beside the sandbox: an S3 server with one bucket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from s3 import S3

from kling_pack.jobs import bucket

from ..jobs.conftest import bench, house, sandbox, short_pauses

__all__ = ["bench", "house", "sandbox", "short_pauses"]


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    with S3() as running:
        yield running


@pytest.fixture
def aws(s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The environment of a user of that bucket; a call that breaks is repeated at once, and twice."""
    for name, value in s3.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bucket, "RETRIES", 2)
    monkeypatch.setattr(bucket, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(bucket, "LONGEST_PAUSE", 0.01)
    return s3
