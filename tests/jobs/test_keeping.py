"""At the start of the engine, what is old goes: the pack's own files, and no others."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kling_pack.jobs.keeping import DAY, drop_old
from kling_pack.jobs.settings import Settings, load_settings

NOW = 1_800_000_000.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(tmp_path), results=tmp_path / "results")


def lay(file: Path, days_ago: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"picture")
    os.utime(file, (NOW - days_ago * DAY,) * 2)
    return file


def test_only_what_lay_longer_than_the_setting_goes(settings: Settings) -> None:
    old = lay(settings.results / "2026-01" / "eachlabs-000001-0a1b2c3d-1.png", 31)
    part = lay(settings.results / "2026-01" / "eachlabs-000001-0a1b2c3d-2.download.part", 31)
    young = lay(settings.results / "2026-02" / "eachlabs-000002-0a1b2c3d-1.png", 29)
    assert drop_old(settings, NOW) == 2
    assert not old.exists() and not part.exists()
    assert young.exists()


def test_other_files_of_a_shared_folder_are_none_of_its_business(settings: Settings) -> None:
    for name in ("holiday.png", "2026-01/holiday.png", "archive/2026-01/eachlabs-000001-0a1b2c3d-1.png"):
        assert lay(settings.results / name, 400)
    assert drop_old(settings, NOW) == 0


def test_a_folder_that_is_not_there_holds_nothing(settings: Settings) -> None:
    assert drop_old(settings, NOW) == 0
