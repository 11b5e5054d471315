"""What lies under a path: drives that SQLite must not be trusted on, and files that another program has open."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

import psutil

NETWORK_KINDS = frozenset(
    (
        *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "davfs2", "sshfs"),
        *("9p", "drvfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "ncpfs", "rclone", "s3fs", "gcsfuse"),
    )
)
"""Kinds of file systems whose locks or shared memory SQLite cannot count on (sqlite.org/wal.html: "WAL does not work
over a network filesystem"). `9p` and `drvfs` are another system's folders seen from within a virtual machine."""

LOCKING_TROUBLE = "locking protocol"
"""What SQLite says where it cannot get its locks in any order (SQLITE_PROTOCOL): on local disks hardly ever."""

REPLACE_SECONDS = 3.0
STEP_SECONDS = 0.05


@dataclass(frozen=True)
class Mount:
    """A mounted drive: its folder or letter, its kind, and whether the system calls it remote."""

    folder: str
    kind: str
    remote: bool = False


def mounts() -> tuple[Mount, ...]:
    """The drives of this machine; none where the system does not say."""
    try:
        found = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError, psutil.Error):
        return ()
    return tuple(Mount(one.mountpoint, one.fstype.lower(), "remote" in one.opts.split(",")) for one in found)


def network_drive(path: PurePath, mounted: Iterable[Mount]) -> str | None:
    """The kind of the network drive that an absolute `path` lies on, as `nfs4`; None where it is a local one.

    A path as \\\\server\\share is one by its name.
    """
    if isinstance(path, PureWindowsPath) and _is_share(path.drive):
        return "a Windows share"
    holding = [mount for mount in mounted if path.is_relative_to(type(path)(mount.folder))]
    nearest = max(holding, key=lambda mount: len(type(path)(mount.folder).parts), default=None)
    if nearest is None:
        return None
    kind = nearest.kind.removeprefix("fuse.")
    return kind if nearest.remote or kind in NETWORK_KINDS else None


def sqlite_advice(file: Path, mounted: Iterable[Mount] | None = None, trouble: str = "") -> str | None:
    """What to tell about a ledger at `file`: None unless it lies on a network drive or SQLite's words point to one.

    `trouble` is SQLite's message where there was one.
    """
    kind = network_drive(file.resolve(), mounts() if mounted is None else mounted)
    if kind is None and LOCKING_TROUBLE not in trouble.lower():
        return None
    where = f"lies on a network drive ({kind})" if kind else "seems to lie on a network drive"
    return (
        f"The ledger {where}, where SQLite's locks do not hold: what is paid for could be lost or paid for twice. Set "
        "KLING_HOME to a folder on a disk of this machine; where several machines share keys, set KLING_LEDGER_URL to "
        "a PostgreSQL database."
    )


def put_in_place(source: Path, target: Path, seconds: float = REPLACE_SECONDS) -> Path:
    """Renames `source` to `target`, over what is there; returns `target`. Raises OSError when that cannot be done.

    Windows refuses while any program has either file open, and virus scanners open every new file for a moment.
    """
    ends = time.monotonic() + seconds
    while True:
        try:
            return source.replace(target)
        except PermissionError:
            if time.monotonic() >= ends:
                raise
        time.sleep(STEP_SECONDS)


def _is_share(drive: str) -> bool:
    r"""`\\server\share` and `\\?\UNC\server\share`, but neither `C:` nor `\\?\C:` nor a device."""
    plain = drive.replace("/", "\\").upper()
    if plain.startswith(("\\\\?\\", "\\\\.\\")):
        return plain[4:].startswith("UNC\\")
    return plain.startswith("\\\\")
