"""The README's tables are the catalogue's, and versions are written once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import readme_tables

from kling_pack.jobs.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_readme_says_what_the_catalogue_holds() -> None:
    written = (ROOT / "README.md").read_text("utf-8")
    assert readme_tables.expected(written) == written


def test_a_missing_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="no block nodes"):
        readme_tables.expected("# Nothing here")


def test_the_project_file_has_the_packs_version_and_requirements() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.search(r'^version = "(.*)"$', project, re.MULTILINE).group(1) == VERSION  # type: ignore[union-attr]
    listed = re.search(r"^dependencies = \[(.*)\]$", project, re.MULTILINE).group(1)  # type: ignore[union-attr]
    assert re.findall(r'"([^"]+)"', listed) == (ROOT / "requirements.txt").read_text("utf-8").split()


def test_files_that_the_readme_names_are_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
