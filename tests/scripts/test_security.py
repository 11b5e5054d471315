"""The threat table names tests that exist."""

from __future__ import annotations

import re

import pytest
from pack import ROOT

SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)))


def test_every_threat_names_a_test() -> None:
    rows = [line for line in SECURITY.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    assert all(row.rstrip(" |").endswith("`") for row in rows)


@pytest.mark.parametrize(("file", "name"), NAMED, ids="::".join)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / file).read_text("utf-8")


def test_the_long_run_is_told_with_its_date() -> None:
    cases = max(int(count.replace(",", "")) for count in re.findall(r"([\d,]+) +cases on \d{4}-\d\d-\d\d", SECURITY))
    assert cases >= 100_000 and "0 findings" in SECURITY
