"""What the registry gets: a complete description, an archive with nothing in it that need not be, and few surprises.

The client is the registry's own, in an environment of its own.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environment
import pytest
import registry
import registry_scan
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = environment.ROOT
LARGEST_ARCHIVE = 1_000_000
CODE = ("catalog", "jobs", "nodes", "providers", "sandbox")
DATA = {
    "web": (".js", ".mjs", ".css", ".md", ".jpg", ".json"),
    "locales": (".json",),
    "example_workflows": (".json", ".jpg"),
}
BESIDE = {"__init__.py", "errors.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"}
ADDRESS = "https://example.com/someone/kling-images"


def described() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registry.stage(tmp_path_factory.mktemp("staged"))


@pytest.fixture(scope="module")
def archive(staged: Path) -> Path:
    registry.run(staged, "pack")
    return staged / registry.ARCHIVE


@pytest.fixture(scope="module")
def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as packed:
        return packed.namelist()


def test_the_project_says_all_that_the_registry_asks_for() -> None:
    project, comfy = described()["project"], described()["tool"]["comfy"]
    assert re.fullmatch(r"[a-z][a-z0-9.-]{1,99}", project["name"]) and "comfyui" not in project["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert 0 < len(project["description"]) <= 200
    assert project["license"] == {"file": "LICENSE"} and (ROOT / "LICENSE").is_file()
    assert project["requires-python"] == ">=3.10"
    assert "Operating System :: OS Independent" in project["classifiers"]
    assert (comfy["DisplayName"], comfy["requires-comfyui"]) == ("Kling Images", ">=0.3.75")
    assert comfy["PublisherId"]
    # ComfyUI would load the folder's scripts a second time: __init__.py names it already.
    assert "web" not in comfy


def test_the_addresses_are_added_where_the_repository_is_known() -> None:
    written = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(registry.with_addresses(written, ADDRESS, "1.2.3"))
    assert project["project"]["urls"] == {
        "Repository": ADDRESS,
        "Issues": f"{ADDRESS}/issues",
        "Documentation": f"{ADDRESS}/blob/v1.2.3/README.md",
    }
    assert project["tool"]["comfy"] == {
        **described()["tool"]["comfy"],
        "Icon": f"{ADDRESS}/raw/v1.2.3/docs/icon.svg",
        "Banner": f"{ADDRESS}/raw/v1.2.3/docs/banner.svg",
    }


@pytest.mark.parametrize(("name", "shape"), [("icon", (400, 400)), ("banner", (1050, 450))])
def test_icon_and_banner_have_the_shape_that_is_asked_for(name: str, shape: tuple[int, int]) -> None:
    drawn = (ROOT / "docs" / f"{name}.svg").read_text("utf-8")
    assert tuple(map(int, re.findall(r'<svg [^>]*width="(\d+)" height="(\d+)"', drawn)[0])) == shape
    assert shape[0] / shape[1] in (1, 21 / 9)


def test_the_version_that_is_published_is_in_the_changelog() -> None:
    version = registry.version_of((ROOT / "pyproject.toml").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert registry.changes_in(version, changelog)
    with pytest.raises(ValueError, match=r"nothing about 99\.0\.0"):
        registry.changes_in("99.0.0", changelog)


def test_a_version_s_changes_end_where_the_next_begins() -> None:
    changelog = "# Changelog\n\n## 1.1.0\n\n- new\n\n## 1.0.0\n\n- old\n"
    assert registry.changes_in("1.1.0", changelog) == "- new"
    assert registry.changes_in("1.0.0", changelog) == "- old"


def test_requirements_are_the_project_s_dependencies() -> None:
    """The registry reads the one, ComfyUI Manager installs the other."""
    listed = (ROOT / "requirements.txt").read_text("utf-8").split()
    assert listed == described()["project"]["dependencies"] == ["requests>=2.31"]


def test_the_client_s_versions_are_pinned_and_no_index_is_named() -> None:
    lines = registry.LIST.read_text("utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert "comfy-cli==1.23.0" in named
    assert all("==" in line and "://" not in line and not line.startswith("-") for line in named)


@pytest.mark.slow
def test_validation_has_nothing_to_warn_of(staged: Path) -> None:
    told = registry.run(staged, "validate")
    assert "All validation checks passed" in told
    assert not re.search(r"warning|error", told, re.IGNORECASE), told


@pytest.mark.slow
def test_validation_has_nothing_to_warn_of_with_the_addresses(staged: Path) -> None:
    file = staged / "pyproject.toml"
    written = file.read_text("utf-8")
    try:
        file.write_text(registry.with_addresses(written, ADDRESS, "1.2.3"), "utf-8")
        told = registry.run(staged, "validate")
    finally:
        file.write_text(written, "utf-8")
    assert "All validation checks passed" in told and "Warning" not in told


@pytest.mark.slow
def test_a_project_that_says_too_little_is_not_valid(tmp_path: Path) -> None:
    staged = registry.stage(tmp_path)
    file = staged / "pyproject.toml"
    file.write_text(file.read_text("utf-8").replace('version = "', 'version = "" # "', 1), "utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        registry.run(staged, "validate")


@pytest.mark.slow
def test_the_archive_is_small(archive: Path) -> None:
    assert archive.stat().st_size < LARGEST_ARCHIVE


@pytest.mark.slow
def test_the_archive_holds_what_a_user_s_comfyui_reads_and_no_more(names: list[str]) -> None:
    assert [name for name in names if not is_wanted(name)] == []
    assert {name.split("/")[0] for name in names} >= {*BESIDE, *CODE, "web", "example_workflows"}


@pytest.mark.slow
def test_every_module_in_the_archive_is_imported_by_the_pack(names: list[str]) -> None:
    modules = {name for name in names if name.endswith(".py")}
    assert modules - set(reached("__init__.py")) == set()


@pytest.mark.slow
def test_what_the_scanner_is_known_to_flag_has_its_reason(
    archive: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    found = registry_scan.findings(archive)
    with capsys.disabled():
        report = request.config.pluginmanager.getplugin("terminalreporter")
        report.write_line("\nThe registry's scanner is known to flag:")
        for one in found:
            report.write_line(f"  {one.rule} at {one.file}:{one.line}, {one.text!r}: {one.reason or 'NO REASON GIVEN'}")
    assert [one for one in found if one.reason is None] == []
    assert set(registry_scan.REASONS) - {(one.rule, one.file) for one in found} == set(), "reasons without a place"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("python_network_operations", "with requests.get(url) as answer:"),
        ("python_network_operations", "this.handler = handler.bind(this);"),
        ("python_environment_manipulation", "key = os.environ.get('KEY')"),
        ("python_command_injection_risk", "subprocess.run(['ffmpeg'])"),
        ("python_dynamic_execution", "eval(text)"),
        ("python_database_connections", "engine = create_engine(url)"),
        ("contains_blacklisted_url", "https://raw.githubusercontent.com/a/b"),
        ("prohibited_string", "io.Hidden.auth_token_comfy_org"),
    ],
)
def test_a_planted_text_is_found(rule: str, text: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "planted.zip", "w") as packed:
        packed.writestr("nodes/planted.py", f"# first line\n{text}\n")
    (found,) = registry_scan.findings(tmp_path / "planted.zip")
    assert (found.rule, found.file, found.line, found.reason) == (rule, "nodes/planted.py", 2, None)


@pytest.mark.parametrize("text", ["re.compile('a')", "model.evaluate(1)", "requests = []", "connected(to)"])
def test_a_harmless_text_is_not(text: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "planted.zip", "w") as packed:
        packed.writestr("nodes/planted.py", text)
    assert registry_scan.findings(tmp_path / "planted.zip") == []


def workflow(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))
    return loaded


def test_a_release_is_tested_on_every_system_and_python_first() -> None:
    checks, release = workflow("checks"), workflow("release")
    pythons = ["3.10", "3.11", "3.12", "3.13"]
    matrix = checks["jobs"]["elsewhere"]["strategy"]["matrix"]
    assert matrix["python"] == checks["jobs"]["all"]["strategy"]["matrix"]["python"] == pythons
    assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    assert release["jobs"]["checks"]["uses"] == "./.github/workflows/checks.yml"
    assert release["jobs"]["publish"]["needs"] == "checks"
    assert release[True] == {"push": {"tags": ["v*.*.*"]}}  # YAML 1.1 reads `on` as a truth


@pytest.mark.parametrize("name", ["checks", "release"])
def test_actions_are_taken_by_their_commit(name: str) -> None:
    written = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    for used in re.findall(r"uses: (\S+)", written):
        assert re.fullmatch(r"\./\S+|actions/[\w-]+@[0-9a-f]{40}", used), used
    assert workflow(name)["permissions"] == {"contents": "read"}


def test_commands_that_a_workflow_runs_are_there() -> None:
    for name in ("checks", "release"):
        for job in workflow(name)["jobs"].values():
            for step in job.get("steps", ()):
                for script in re.findall(r"python (scripts/\S+)", step.get("run", "")):
                    assert (ROOT / script).is_file(), script


def is_wanted(name: str) -> bool:
    top, _, rest = name.partition("/")
    if not rest:
        return name in BESIDE
    return name.endswith(".py") if top in CODE else name.endswith(DATA.get(top, ()))


def reached(start: str) -> Iterator[str]:
    """The pack's files that are imported, at once or later, from `start` on."""
    waiting, seen = [start], {start}
    while waiting:
        name = waiting.pop()
        yield name
        for below in _imports(name):
            if below not in seen:
                seen.add(below)
                waiting.append(below)


def _imports(name: str) -> Iterator[str]:
    """The files that a file imports relatively, with the packages they lie in."""
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = (ROOT / name).parents[node.level - 1]
            base = folder.joinpath(*(node.module or "").split("."))
            for target in (base, *(base / alias.name for alias in node.names)):
                yield from _files(target)


def _files(module: Path) -> Iterator[str]:
    for file in (module.with_suffix(".py"), module / "__init__.py"):
        if file.is_file():
            yield file.relative_to(ROOT).as_posix()
            inits = (folder / "__init__.py" for folder in file.parents if ROOT in folder.parents)
            yield from (init.relative_to(ROOT).as_posix() for init in inits if init.is_file())
