"""A small disk of the tests' own, which can be full and read-only as real ones are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

CHUNK = 2**14


class Disk:
    """Mounted at `folder`, in memory. A context manager. Needs to be root, or `sudo` without a password."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._size = folder, f"size={megabytes}m,mode=1777"
        self._filling = folder / "filling"

    def __enter__(self) -> Disk:
        self.folder.mkdir(parents=True, exist_ok=True)
        _as_root("mount", "-t", "tmpfs", "-o", self._size, "none", str(self.folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever still has a file open there loses it only when it ends.
        _as_root("umount", "--lazy", str(self.folder))

    def fill(self, but: int = 0) -> None:
        """Leaves no room for a single byte more, or for so many bytes."""
        with self._filling.open("ab", buffering=0) as file:
            try:
                while file.write(b"\0" * CHUNK):
                    pass
            except OSError:
                file.truncate(max(0, file.tell() - but))

    def free(self) -> None:
        self._filling.unlink(missing_ok=True)

    def read_only(self, wanted: bool) -> None:
        """Only while nobody has a file open there for writing."""
        _as_root("mount", "-o", f"remount,{'ro' if wanted else 'rw'}", str(self.folder))


def _as_root(*command: str) -> None:
    subprocess.run([*(() if os.geteuid() == 0 else ("sudo", "-n")), *command], check=True)
