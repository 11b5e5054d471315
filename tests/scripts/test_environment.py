"""Which ComfyUI and which editor the scripts use."""

from __future__ import annotations

from pathlib import Path

import environment
import pytest


def test_comfyui_path_is_used_where_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.py").touch()
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))

    assert environment.comfyui() == tmp_path.resolve()


def test_a_comfyui_path_without_comfyui_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))

    with pytest.raises(FileNotFoundError, match=r"holds no main\.py"):
        environment.comfyui()


@pytest.mark.parametrize("listed", [environment.RUN, environment.TEST])
def test_every_version_is_pinned_and_no_index_is_named(listed: str) -> None:
    lines = (environment.ROOT / "scripts" / listed).read_text("utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]

    assert all("==" in line for line in named if line != f"-r {environment.RUN}")
    assert not any("://" in line or line.startswith("--") for line in lines)


def test_a_second_call_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.subprocess, "run", pytest.fail)

    environment.ensure(tests=True)
    environment.ensure()
