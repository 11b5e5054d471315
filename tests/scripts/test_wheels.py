"""One folder out of a wheel, by real pip from a folder of wheels."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import wheels
from wheels import unpack

METADATA = "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks, with one wheel that carries a folder."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/inner/main.py", "answer = 42\n")
        archive.writestr("carrier/inner/deep/paths.yaml", "left out\n")
        archive.writestr("carrier/inner_too/other.py", "")
        archive.writestr("carrier-1.0.dist-info/METADATA", METADATA)
        archive.writestr("carrier-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.slow
def test_a_folder_is_unpacked_once(shelf: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "inner"
    target.parent.mkdir()

    assert unpack("carrier==1.0", "carrier/inner", target, leave_out="*.yaml") == target
    assert (target / "main.py").read_text() == "answer = 42\n"
    assert sorted(file.name for file in target.rglob("*") if file.is_file()) == [".unpacked-from", "main.py"]

    (shelf / "carrier-1.0-py3-none-any.whl").unlink()
    assert unpack("carrier==1.0", "carrier/inner", target) == target


@pytest.mark.slow
def test_what_was_left_half_done_is_made_anew(shelf: Path, tmp_path: Path) -> None:
    target = tmp_path / "inner"
    target.mkdir()
    (target / "stale.py").touch()

    unpack("carrier==1.0", "carrier/inner", target)

    assert (target / "main.py").is_file() and not (target / "stale.py").exists()


@pytest.mark.slow
def test_whoever_comes_second_leaves_the_folder_that_is_in_use(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, download = tmp_path / "inner", wheels._download

    def be_overtaken(requirement: str, into: Path) -> Path:
        monkeypatch.setattr(wheels, "_download", download)
        unpack(requirement, "carrier/inner", target)
        (target / "used.txt").touch()
        return download(requirement, into)

    monkeypatch.setattr(wheels, "_download", be_overtaken)
    assert unpack("carrier==1.0", "carrier/inner", target) == target

    assert (target / "main.py").is_file() and (target / "used.txt").is_file()
    assert list(tmp_path.glob(".unpacking-*")) == []
