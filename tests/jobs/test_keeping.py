"""Original result files stay as long as the setting says."""

from __future__ import annotations

import os
from pathlib import Path

from kling_pack.jobs.keeping import DAY, drop_old

NOW = 1_800_000_000.0


def lay(file: Path, days_ago: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"picture")
    os.utime(file, (NOW - days_ago * DAY,) * 2)
    return file


def test_only_what_lay_longer_than_the_setting_goes(tmp_path: Path) -> None:
    old = lay(tmp_path / "2026-01" / "eachlabs-000001-1.png", 31)
    young = lay(tmp_path / "2026-02" / "eachlabs-000002-1.png", 29)
    assert drop_old(tmp_path, 30, NOW) == 1
    assert not old.exists()
    assert young.exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert drop_old(tmp_path / "nowhere", 30, NOW) == 0
