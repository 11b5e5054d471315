"""Where results are kept: a folder of this machine or a shared one. tests/services has the bucket."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from kling_pack.jobs.results import Results
from kling_pack.jobs.settings import load_settings
from kling_pack.jobs.task import Result

from .conftest import Bench

DATA = b"\x89PNG and more"
RESULT = Result(0, "2026-11/eachlabs-000001-0a1b2c3d-1.png", len(DATA), hashlib.sha256(DATA).hexdigest())


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(replace(load_settings(tmp_path), results=tmp_path / "results"))


def test_a_file_that_is_there_whole_is_found(results: Results) -> None:
    file = results.folder / RESULT.file
    assert results.find(RESULT) is None
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA[:-1])
    assert results.find(RESULT) is None, "cut short"
    file.write_bytes(DATA)
    assert results.find(RESULT) == file


def test_without_a_bucket_nothing_is_put_or_brought_anywhere(results: Results) -> None:
    results.share(RESULT.file)
    results.bring("2026-11/eachlabs-000001-0a1b2c3d-1.unread")
    assert not results.folder.exists()


@pytest.mark.parametrize("as_url", [False, True])
def test_machines_with_one_ledger_hand_out_each_others_pictures_from_a_shared_folder(
    bench: Bench, tmp_path: Path, as_url: bool
) -> None:
    shared = tmp_path / "shared Bilder-ü"
    bench.environment.setenv("KLING_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    bench.environment.setenv("KLING_RESULTS_URL", shared.as_uri() if as_url else str(shared))
    first = bench.one(provider="modellix", n=2)
    assert all(file.is_relative_to(shared) for file in first.files)
    bench.close()
    bench.house.reset()
    bench.environment.setenv("KLING_HOME", str(tmp_path / "other"))
    other = Bench(tmp_path / "other", bench.house, bench.environment)
    again = other.one(provider="modellix", n=2)
    other.close()
    assert (again.files, again.how) == (first.files, "reused")
    assert bench.house.stats("modellix")["requests"] == 0


def test_every_name_is_one_that_is_cleared_away_in_time(bench: Bench) -> None:
    (file,) = bench.one(provider="modellix").files
    bench.close()
    assert Results(bench.settings).drop_old(file.stat().st_mtime + 1) == 1
    assert not file.exists()
