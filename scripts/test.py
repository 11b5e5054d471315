"""Runs every check. `--quick`: only those that need no real server; anything else is passed on to pytest.

Lint, format, types, the README's tables, JavaScript, then pytest: units, the nodes in real ComfyUI, the editor in
real Chromium. Nothing is skipped; a part that cannot be started is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import environment
from environment import say
from pack import NAME, ROOT

REAL = ("tests/comfyui", "tests/editor", "tests/sandbox", "tests/services")
MEASURED = ("catalog", "providers", "jobs", "nodes")
LEAST_COVERAGE = 90


def main() -> int:
    environment.ensure(tests=True)
    passed_on = [argument for argument in sys.argv[1:] if argument != "--quick"]
    quick = "--quick" in sys.argv[1:]
    whole = not passed_on
    environment.comfyui()  # before pytest's processes would all fetch it
    _need("git", "git")
    _need("node", "nodejs")
    _need("openssl", "openssl")
    if not quick:
        _need("chromium", "chromium")
    # The checks come before pytest, whose closing line is the last of all.
    failed = [name for name, check in CHECKS.items() if whole and not _passes(name, check)]
    if failed:
        say(f"Failed: {', '.join(failed)}")
    code = _pytest(quick, passed_on)
    return code or int(bool(failed))


def _passes(name: str, command: list[str]) -> bool:
    say(f"— {name}")
    return subprocess.run(command, cwd=ROOT).returncode == 0


def _types() -> int:
    """mypy takes the pack by name, whatever its folder is called."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).symlink_to(ROOT, target_is_directory=True)
        packages = [part for name in (*MEASURED, "sandbox") for part in ("-p", f"{NAME}.{name}")]
        command = [_python(), "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *packages]
        variables = {**os.environ, "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")}
        return subprocess.run(command, cwd=folder, env=variables).returncode


def _pytest(quick: bool, passed_on: list[str]) -> int:
    say("— pytest")
    chosen = ["-m", "not slow", *(f"--ignore={folder}" for folder in REAL)] if quick else []
    if not passed_on:
        # Real servers keep tests waiting, not computing: two cores carry three processes.
        chosen += ["-n3", "--dist=loadfile", "--no-loadscope-reorder"]
    # Whole paths: the ComfyUI processes that are measured too run in a folder of their own.
    measured = [] if quick or passed_on else [f"--cov={ROOT / name}" for name in MEASURED]
    if measured:
        measured += ["--cov-report=term", f"--cov-fail-under={LEAST_COVERAGE}"]
    command = [_python(), "-m", "pytest", "-q", "--durations=10", *chosen, *measured, *passed_on]
    code, lines = _tee(command)
    told = [line.strip() for line in lines if line.strip()]
    closing = next((line for line in reversed(told) if _CLOSING.search(line)), "")
    # Coverage prints its table after pytest's closing line, which is to be the last one.
    if closing and closing != told[-1]:
        say(closing)
    return code


_CLOSING = re.compile(r"\b\d+ (passed|failed|error)")


def _tee(command: list[str]) -> tuple[int, list[str]]:
    """Runs a command, showing its lines as they come; returns its exit code and the lines."""
    lines: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return process.returncode, lines


def _python() -> str:
    return str(environment.python())


def _need(program: str, package: str) -> None:
    """Installs a Debian package where its program is missing. Exits when that cannot be done."""
    if shutil.which(program):
        return
    say(f"Installing {package} …")
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
        done = shutil.which("apt-get") and subprocess.run(
            command, env=variables, stdout=subprocess.DEVNULL, check=False
        )
        if not done or done.returncode != 0:
            sys.exit(f"{program} is needed and could not be installed: install the package {package}, then run again.")


CHECKS = {
    "lint": [_python(), "-m", "ruff", "check", "--quiet", "."],
    "format": [_python(), "-m", "ruff", "format", "--check", "--quiet", "."],
    "types": [_python(), str(Path(__file__)), "--types"],
    "README": [_python(), str(ROOT / "scripts" / "readme_tables.py"), "--check"],
    "JavaScript": ["node", "--test", *sorted(str(file) for file in (ROOT / "tests" / "web").glob("*.test.mjs"))],
}


if __name__ == "__main__":
    sys.exit(_types() if "--types" in sys.argv[1:] else main())
