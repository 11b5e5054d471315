"""What importing the pack costs ComfyUI's start: time, modules, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import environment
import pytest
from comfyui import PACK_FOLDER, ComfyUI

AIM_MILLISECONDS = 150
"""What is aimed at; a machine that does other things at the same time is given far more."""
BOUND_MILLISECONDS = 1000

ALREADY_THERE = ("comfy", "comfy_api", "PIL", "numpy", "torch", "aiohttp", "pydantic", "pydantic_settings", "psutil")
"""Packages of which the pack may be the first to load a part: ComfyUI itself loads them, or the standard library."""

WITNESS = """
import atexit, json, os, sys, threading

PACK = os.sep + os.path.join("custom_nodes", {folder!r}) + os.sep
LOG = {log!r}
WATCHED = ("open", "os.mkdir", "os.rename", "os.remove", "subprocess.Popen", "sqlite3.connect")
seen = []


def by_the_pack():
    frame = sys._getframe(2)
    while frame is not None:
        if PACK in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def watch(event, arguments):
    if (event in WATCHED or event.startswith("socket.")) and by_the_pack():
        writes = event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        seen.append([event + (" to write" if writes else ""), str(arguments[0]) if arguments else ""])


def start(thread, really=threading.Thread.start):
    if by_the_pack():
        seen.append(["thread", thread.name])
    really(thread)


@atexit.register
def tell():
    with open(LOG, "w") as file:
        json.dump(seen, file)


sys.addaudithook(watch)
threading.Thread.start = start  # Python's audit events do not tell of threads before 3.13
"""
"""A pack whose first script looks on from Python's audit hook, before any pack is imported."""


@dataclass(frozen=True)
class Imported:
    """One line of `-X importtime`; `by_pack` says that a module of the pack was its reason."""

    name: str
    milliseconds: float
    outermost: bool
    by_pack: bool


@dataclass(frozen=True)
class Start:
    """What one start of ComfyUI left: the modules of the pack's import, and what its code did meanwhile."""

    modules: tuple[Imported, ...]
    events: tuple[tuple[str, str], ...]
    home: Path

    @property
    def milliseconds(self) -> float:
        return sum(one.milliseconds for one in self.modules if one.outermost)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """ComfyUI's quick start: it imports every pack and ends."""
    base = tmp_path_factory.mktemp("start")
    ComfyUI(base=base)  # lays the folders out; it is not started as a server
    log = base / "events.json"
    witness = base / "custom_nodes" / "witness"
    witness.mkdir()
    (witness / "prestartup_script.py").write_text(WITNESS.format(folder=PACK_FOLDER, log=str(log)), "utf-8")
    (witness / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\n", "utf-8")
    command = [str(environment.python()), "-X", "importtime", "main.py", "--quick-test-for-ci", "--cpu"]
    command += ["--base-directory", str(base), "--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
    command += ["--front-end-root", str(environment.frontend(environment.FRONTEND))]
    variables = {**os.environ, "PYTHONPATH": str(environment.STUBS), "KLING_HOME": str(base / "kling")}
    ran = subprocess.run(command, cwd=environment.comfyui(), env=variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-2000:]
    events = tuple((kind, what) for kind, what in json.loads(log.read_text("utf-8")))
    yield Start(tuple(read_times(ran.stderr)), events, base / "kling")


def read_times(log: str) -> Iterator[Imported]:
    """The modules that the pack's import loaded. A line stands after those of the modules that it made Python load."""
    lines = re.findall(r"^import time: +\d+ \| +(\d+) \|( +)(\S.*)$", log, re.MULTILINE)
    reasons: list[tuple[int, str]] = []
    for microseconds, indent, name in reversed(lines):
        depth = len(indent)
        while reasons and reasons[-1][0] >= depth:
            reasons.pop()
        by_pack = any(is_own(reason) for _, reason in reasons)
        if by_pack or is_own(name):
            yield Imported(name, int(microseconds) / 1000, is_own(name) and not by_pack, by_pack)
        reasons.append((depth, name))


def is_own(name: str) -> bool:
    return f"custom_nodes{os.sep}{PACK_FOLDER}" in name


def test_the_import_is_quick(start: Start, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    own = sum(is_own(module.name) for module in start.modules)
    shown = f"{start.milliseconds:.0f} ms beyond what ComfyUI had loaded, {own} modules (aim: {AIM_MILLISECONDS} ms)"
    with capsys.disabled():
        request.config.pluginmanager.getplugin("terminalreporter").write_line(f"\nImport of the pack: {shown}")
    assert own > 30
    assert 0 < start.milliseconds < BOUND_MILLISECONDS


def test_the_pack_is_the_first_to_load_nothing_but_parts_of_what_comfyui_has(start: Start) -> None:
    """SQLAlchemy, above all, waits for the first task."""
    foreign = {module.name.split(".")[0] for module in start.modules if not is_own(module.name)}
    assert foreign <= {*ALREADY_THERE}


def test_no_file_is_written_no_thread_started_and_no_socket_opened(start: Start) -> None:
    kinds = {kind for kind, what in start.events if "__pycache__" not in what}
    assert kinds <= {"open"}
    assert not start.home.exists()


def test_the_witness_is_not_blind(start: Start) -> None:
    assert any(kind == "open" and "extension" in what for kind, what in start.events)
