"""Network drives are told from local ones, and a file that is open for a moment is waited for."""

from __future__ import annotations

import threading
import time
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from kling_pack.jobs.drives import Mount, mounts, network_drive, put_in_place, sqlite_advice

LINUX = (
    Mount("/", "ext4"),
    Mount("/home", "nfs4"),
    Mount("/home/me/local", "xfs"),
    Mount("/mnt/nas", "cifs"),
    Mount("/mnt/c", "9p"),
    Mount("/mnt/box", "fuse.sshfs"),
    Mount("/mnt/stick", "fuseblk"),
    Mount("/proc", "proc"),
)
MACOS = (Mount("/", "apfs"), Mount("/Volumes/Büro NAS", "smbfs"), Mount("/System/Volumes/Data", "apfs"))
WINDOWS = (Mount("C:\\", "ntfs"), Mount("Z:\\", "ntfs", remote=True), Mount("D:\\", ""))


@pytest.mark.parametrize(
    ("path", "mounted", "kind"),
    [
        (PurePosixPath("/var/kling"), LINUX, None),
        (PurePosixPath("/home/me/kling"), LINUX, "nfs4"),
        (PurePosixPath("/home/me/local/kling"), LINUX, None),
        (PurePosixPath("/homes/kling"), LINUX, None),
        (PurePosixPath("/mnt/nas"), LINUX, "cifs"),
        (PurePosixPath("/mnt/c/Users/me"), LINUX, "9p"),
        (PurePosixPath("/mnt/box/kling"), LINUX, "sshfs"),
        (PurePosixPath("/mnt/stick/kling"), LINUX, None),
        (PurePosixPath("/Users/me/kling"), MACOS, None),
        (PurePosixPath("/Volumes/Büro NAS/kling"), MACOS, "smbfs"),
        (PureWindowsPath(r"C:\ComfyUI\user\__kling"), WINDOWS, None),
        (PureWindowsPath(r"z:\ComfyUI\user\__kling"), WINDOWS, "ntfs"),
        (PureWindowsPath(r"\\nas\share\kling"), WINDOWS, "a Windows share"),
        (PureWindowsPath(r"//nas/share/kling"), WINDOWS, "a Windows share"),
        (PureWindowsPath(r"\\?\UNC\nas\share\kling"), WINDOWS, "a Windows share"),
        (PureWindowsPath(r"\\?\C:\kling"), WINDOWS, None),
        (PurePosixPath("/anything"), (), None),
    ],
)
def test_a_path_lies_on_the_nearest_drive_that_holds_it(
    path: PurePath, mounted: tuple[Mount, ...], kind: str | None
) -> None:
    assert network_drive(path, mounted) == kind


def test_this_machine_s_drives_are_known_and_temporary_files_are_local(tmp_path: Path) -> None:
    found = mounts()
    assert any(tmp_path.resolve().is_relative_to(mount.folder) for mount in found)
    assert sqlite_advice(tmp_path / "ledger.sqlite") is None


def test_a_ledger_on_a_network_drive_is_told_where_to_go(tmp_path: Path) -> None:
    told = sqlite_advice(tmp_path / "ledger.sqlite", (Mount(tmp_path.resolve().anchor, "nfs4"),))
    assert told == (
        "The ledger lies on a network drive (nfs4), where SQLite's locks do not hold: what is paid for could be lost "
        "or paid for twice. Set KLING_HOME to a folder on a disk of this machine; where several machines share keys, "
        "set KLING_LEDGER_URL to a PostgreSQL database."
    )


def test_sqlite_s_own_words_are_enough(tmp_path: Path) -> None:
    told = sqlite_advice(tmp_path / "ledger.sqlite", (), "(sqlite3.OperationalError) locking protocol")
    assert told is not None and told.startswith("The ledger seems to lie on a network drive, where")


@pytest.mark.parametrize("trouble", ["database is locked", "no such table: tasks", "disk I/O error"])
def test_other_trouble_is_no_sign_of_one(tmp_path: Path, trouble: str) -> None:
    assert sqlite_advice(tmp_path / "ledger.sqlite", (), trouble) is None


def test_a_link_to_a_network_drive_is_followed(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    link = tmp_path / "home"
    link.symlink_to(tmp_path / "nas", target_is_directory=True)
    mounted = (Mount(str((tmp_path / "nas").resolve()), "cifs"),)
    told = sqlite_advice(link / "ledger.sqlite", mounted)
    assert told is not None and "(cifs)" in told


def test_a_file_takes_the_place_of_one_that_another_program_has_open_for_a_moment(tmp_path: Path) -> None:
    """On Windows the rename is refused until the reader is done; elsewhere it goes through at once."""
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    opened = threading.Event()

    def read() -> None:
        with (tmp_path / "old").open("rb"):
            opened.set()
            time.sleep(0.2)

    reader = threading.Thread(target=read)
    reader.start()
    assert opened.wait(5)
    put_in_place(tmp_path / "new", tmp_path / "old")
    reader.join()
    assert (tmp_path / "old").read_bytes() == b"new" and not (tmp_path / "new").exists()


class Refusing(type(Path())):  # type: ignore[misc]
    """A path whose rename is refused some times, as on Windows."""

    refusals = 0

    def replace(self, target: Path) -> Path:
        type(self).refusals -= 1
        if type(self).refusals >= 0:
            raise PermissionError(13, "used by another process")
        return Path(self).replace(target)


def test_a_refusal_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new")
    Refusing.refusals = 2
    put_in_place(Refusing(tmp_path / "new"), tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"new"


def test_a_refusal_that_does_not_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new")
    Refusing.refusals = 1000
    with pytest.raises(PermissionError):
        put_in_place(Refusing(tmp_path / "new"), tmp_path / "old", seconds=0.1)
    assert (tmp_path / "new").read_bytes() == b"new"


def test_another_error_is_one_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "nothing", tmp_path / "old")
