"""The pack runs on Linux, macOS and Windows: what only one of them has is nowhere in its folders."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("catalog", "providers", "jobs", "nodes", "sandbox")
MODULES = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
ONLY_POSIX = {
    "os": {
        *("chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups"),
        *("getloadavg", "getpgid", "getpgrp", "getuid", "kill", "killpg", "lchown", "link", "mkfifo", "mknod", "nice"),
        *("openpty", "posix_fadvise", "posix_spawn", "sched_getaffinity", "sendfile", "setgid", "setpgid", "setsid"),
        *("setuid", "statvfs", "symlink", "sync", "sysconf", "ttyname", "uname", "wait", "waitpid"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WNOHANG"),
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause"},
}
"""What is missing on Windows, or needs rights there that users do not have (links)."""
ANYWHERE = {"add_signal_handler", "fork", "symlink_to", "hardlink_to", "lchmod", "owner", "group"}
"""The same, as methods of anything; re's group is told apart by its argument."""
TEXTS = ("/tmp", "/dev/", "/proc/", "/etc/", "/var/")  # noqa: S108


def test_the_pack_has_nothing_that_one_system_alone_has() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sources()}
    assert [fault for name, text in texts.items() for fault in faults(name, text)] == []


def test_every_folder_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in sources()} == {*FOLDERS, "__init__.py", "errors.py"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("import fcntl", "fcntl"),
        ("from pwd import getpwuid", "pwd"),
        ("import os\nos.fork()", "os.fork"),
        ("import os\nos.fchmod(1, 0o600)", "os.fchmod"),
        ("import signal\nsignal.SIGKILL", "signal.SIGKILL"),
        ("from os import getuid", "os.getuid"),
        ("loop.add_signal_handler(15, stop)", "add_signal_handler"),
        ("path.symlink_to(other)", "symlink_to"),
        ("multiprocessing.get_context('fork')", "a process by fork"),
        ("moment.strftime('%-d')", "a format of one C library: %-d"),
        ("Path('/tmp/x')", "a path of one system: /tmp/x"),
        ("path.read_text()", "read_text without an encoding"),
        ("path.write_text(told)", "write_text without an encoding"),
        ("path.open('w')", "text opened without an encoding"),
        ("open(path)", "text opened without an encoding"),
    ],
)
def test_a_planted_fault_is_found(line: str, fault: str) -> None:
    assert [told.split(": ", 1)[1] for told in faults("jobs/a.py", line)] == [fault]


@pytest.mark.parametrize(
    "line",
    [
        "import signal\nsignal.signal(signal.SIGTERM, stop)",
        "import os\nos.replace(a, b)\nos.getpid()\nos.chmod(a, 0o600)\nos.open(a, os.O_WRONLY | os.O_CREAT, 0o600)",
        "import os\ngetattr(os, 'O_NOFOLLOW', 0)",
        "re.match(a, b).group(1)",
        "path.open('rb')\nopen(path, encoding='utf-8')\npath.read_text('utf-8')\npath.write_text(told, 'utf-8')",
        "path.open('w', encoding='utf-8')\nimage.open()\nwebbrowser.open(url)",
        "time.strftime('%Y-%m')",
    ],
)
def test_what_every_system_has_passes(line: str) -> None:
    assert list(faults("jobs/a.py", line)) == []


def sources() -> list[Path]:
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [ROOT / "__init__.py", ROOT / "errors.py", *inside]


def faults(name: str, text: str) -> Iterator[str]:
    """One sentence for each thing that is not everywhere."""
    for node in ast.walk(ast.parse(text)):
        for fault in (*_imports(node), *_attributes(node), *_calls(node), *_constants(node)):
            yield f"{name}:{getattr(node, 'lineno', 0)}: {fault}"


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        module = node.module or ""
        if module in MODULES:
            yield module
        yield from (f"{module}.{alias.name}" for alias in node.names if alias.name in ONLY_POSIX.get(module, ()))


def _attributes(node: ast.AST) -> Iterator[str]:
    module = node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
    if isinstance(node, ast.Attribute) and node.attr in ONLY_POSIX.get(module, ()):
        yield f"{module}.{node.attr}"


def _calls(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = function.value.id if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) else ""
    if name in ANYWHERE and owner != "os" and not (name == "group" and node.args):
        yield name
    if name in ("get_context", "set_start_method") and "fork" in [getattr(one, "value", "") for one in node.args]:
        yield "a process by fork"
    if name in ("read_text", "write_text") and not _has_encoding(node, 0 if name == "read_text" else 1):
        yield f"{name} without an encoding"
    if name == "open" and _opens_text(node, builtin=isinstance(function, ast.Name)):
        yield "text opened without an encoding"


def _opens_text(node: ast.Call, builtin: bool) -> bool:
    """Whether `open(path, mode)` or `path.open(mode)` opens text in the system's own encoding."""
    place = 1 if builtin else 0
    mode = node.args[place] if len(node.args) > place else None
    given = getattr(mode, "value", "r" if builtin else None)
    is_mode = isinstance(given, str) and bool(given) and set(given) <= set("rwxabt+")
    return is_mode and "b" not in given and not any(word.arg == "encoding" for word in node.keywords)


def _has_encoding(node: ast.Call, place: int) -> bool:
    return len(node.args) > place or any(word.arg == "encoding" for word in node.keywords)


def _constants(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value.startswith(TEXTS):
            yield f"a path of one system: {node.value}"
        for at in range(len(node.value) - 2):
            if node.value[at : at + 2] == "%-" and node.value[at + 2] in "dHIjmMSyeG":
                yield f"a format of one C library: {node.value[at : at + 3]}"
