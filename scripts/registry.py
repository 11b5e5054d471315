"""The pack as the Comfy registry takes it, by the registry's own client.

`validate` checks the project, `pack FILE` writes the archive, `scan` shows what the registry's scanner finds in it,
`publish --repository URL` uploads it with the token in REGISTRY_ACCESS_TOKEN.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import environment
from environment import ROOT, say

CLIENT = ROOT / ".comfy-cli"
LIST = ROOT / "scripts" / "requirements-registry.txt"
ARCHIVE = "node.zip"
"""What the client calls it."""
TOKEN = "REGISTRY_ACCESS_TOKEN"  # noqa: S105 - a variable's name


def client() -> Path:
    """The registry's command `comfy`, in `.comfy-cli/`; the first call makes that environment.

    Raises CalledProcessError where it cannot be made.
    """
    folder = CLIENT / ("Scripts" if os.name == "nt" else "bin")
    python = folder / environment.PYTHON.name
    stamp, wanted = CLIENT / "requirements.stamp", hashlib.sha256(LIST.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
        say(f"Installing {LIST.name}")
        uv = [environment.PYTHON, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", environment.PYTHON, CLIENT], check=True)
        listed = ["install", "--no-deps", "--requirement", LIST]
        if subprocess.run([*uv, "pip", *listed, "--python", python]).returncode != 0:
            pip = [environment.PYTHON, "-m", "pip", "-qq", "--disable-pip-version-check", "--python", python]
            subprocess.run([*pip, *listed], check=True)
        stamp.write_text(wanted, "utf-8")
    return folder / ("comfy.exe" if os.name == "nt" else "comfy")


def stage(folder: Path, source: Path = ROOT) -> Path:
    """Fills `folder` with the project as it would be committed now, in a repository of its own; returns it.

    The client packs what git knows, and leaves its archive beside it.
    """
    store = folder / ".git"
    git = ["git", "--git-dir", str(store), "--work-tree", str(source), "-c", "core.autocrlf=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["checkout-index", "--all", f"--prefix={folder}/"]):
        subprocess.run([*git, *command], check=True, cwd=source)
    subprocess.run(["git", "--git-dir", str(store), "config", "--unset", "core.worktree"], check=False)
    return folder


def run(folder: Path, *arguments: str) -> str:
    """One `comfy node` command in a staged folder; returns what it said. Raises CalledProcessError."""
    # The client keeps notes about its user; these are nobody's.
    home = {name: str(folder / ".git") for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    variables = {**os.environ, **home, "XDG_CONFIG_HOME": str(folder / ".git"), "NO_COLOR": "1", "PYTHONUTF8": "1"}
    command = [str(client()), "--skip-prompt", "--no-enable-telemetry", "node", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    if done.returncode != 0:
        say(done.stdout)
    done.check_returncode()
    return done.stdout


def pack(target: Path) -> Path:
    """Writes the archive that the registry would be sent to `target`; returns it."""
    with tempfile.TemporaryDirectory() as folder:
        staged = stage(Path(folder))
        run(staged, "pack")
        shutil.copyfile(staged / ARCHIVE, target)
    return target


def with_addresses(project: str, repository: str, version: str) -> str:
    """`pyproject.toml` with the addresses that hang on where the repository lives, which a clone does not know."""
    urls = f'[project.urls]\nRepository = "{repository}"\nIssues = "{repository}/issues"\n'
    urls += f'Documentation = "{repository}/blob/v{version}/README.md"\n\n[tool.comfy]\n'
    for name in ("Icon", "Banner"):
        urls += f'{name} = "{repository}/raw/v{version}/docs/{name.lower()}.svg"\n'
    return project.replace("[tool.comfy]\n", urls, 1)


def version_of(project: str) -> str:
    """The version that a `pyproject.toml` names. Raises ValueError without one."""
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    if found is None:
        raise ValueError("pyproject.toml names no version")
    return found[1]


def changes_in(version: str, changelog: str) -> str:
    """What CHANGELOG.md says about a version. Raises ValueError where it says nothing."""
    found = re.search(rf"^## {re.escape(version)}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise ValueError(f"CHANGELOG.md says nothing about {version}")
    return found[1].strip()


def publish(repository: str) -> None:
    """Uploads the pack. Raises KeyError without the token, ValueError where the changelog lacks the version."""
    token = os.environ[TOKEN]
    with tempfile.TemporaryDirectory() as folder:
        staged = stage(Path(folder))
        file = staged / "pyproject.toml"
        project = file.read_text("utf-8")
        version = version_of(project)
        changes = changes_in(version, (ROOT / "CHANGELOG.md").read_text("utf-8"))
        file.write_text(with_addresses(project, repository.rstrip("/"), version), "utf-8")
        say(run(staged, "publish", "--token", token, "--changelog", changes))


def main() -> int:
    environment.ensure()
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("validate", "scan"):
        commands.add_parser(name)
    commands.add_parser("pack").add_argument("file", type=Path)
    commands.add_parser("publish").add_argument("--repository", required=True, help="its address on the web")
    chosen = parser.parse_args()
    if chosen.command == "publish":
        publish(chosen.repository)
    elif chosen.command == "pack":
        say(str(pack(chosen.file)))
    elif chosen.command == "validate":
        with tempfile.TemporaryDirectory() as folder:
            say(run(stage(Path(folder)), "validate"))
    else:
        return _scan()
    return 0


def _scan() -> int:
    import registry_scan

    with tempfile.TemporaryDirectory() as folder:
        findings = registry_scan.findings(pack(Path(folder) / ARCHIVE))
    say(registry_scan.table(findings))
    return int(any(finding.reason is None for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
