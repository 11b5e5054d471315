"""Writes docs/wire-facts.md: every fact the adapters rest on, where it was read, and whether a live check saw it hold.

`--check` only says whether the document is true. What the code knows (addresses, limits, bodies, prices) is taken from
it; what was seen comes from the reports that `scripts/live_check.py` leaves beside the tests' fixtures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pack import ROOT, load_pack
from pages import INPUTS, LIMITS, NEVER, PAGES, STATED, Fact

DOCUMENT = ROOT / "docs" / "wire-facts.md"
FIXTURES = ROOT / "tests" / "providers" / "fixtures"
INTRODUCTION = (
    "What the adapters in `providers/` and the rows in `catalog/models.py` rest on, and where it was read. None of it",
    "can be tried from a test: `python scripts/live_check.py PROVIDER` tries it with a key, for money; the last column",
    "says when it saw it hold. For a model, that is: the request was taken as written here; what it costs is confirmed",
    "only where the provider says what it charged. *Not asked for*: a live check cannot see this, or not without harm.",
)


def document() -> str:
    """The whole of docs/wire-facts.md."""
    load_pack()
    from kling_pack.catalog.models import PROVIDERS
    from kling_pack.providers import ADAPTERS

    reports = {name: report_of(name) for name in PROVIDERS}
    lines = ["# Facts on the wire", "", *_intro(reports)]
    for name in PROVIDERS:
        lines += ["", f"## {ADAPTERS[name].title}", "", *_head()]
        lines += [_row(fact, name, reports[name]) for fact in facts_of(name)]
    lines += ["", "## Inputs, at every provider", "", *_head()]
    lines += [_row(fact, "", {}) for fact in INPUTS]
    return "\n".join(lines) + "\n"


def report_of(provider: str, fixtures: Path = FIXTURES) -> dict[str, Any]:
    """What a live check saw, by fact; nothing where none was made at the provider's own address."""
    file = fixtures / provider / "live" / "report.json"
    report = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    facts: dict[str, Any] = report.get("facts", {}) if report.get("provider_itself") else {}
    return facts


def facts_of(provider: str) -> Iterator[Fact]:
    """Every fact about a provider: addresses and limits, what its pages state, and one row for each offer."""
    from kling_pack.catalog.models import MODELS
    from kling_pack.providers import ADAPTERS

    adapter = ADAPTERS[provider]
    yield Fact("address", f"`{adapter.base_url}`", PAGES[provider], "created")
    limits = f"{adapter.limits.in_flight} tasks in flight, {adapter.limits.per_minute} calls a minute"
    yield Fact("limits of a key", limits, LIMITS[provider])
    yield from STATED[provider]
    for row in MODELS:
        for offer in row.offers:
            if offer.provider == provider:
                yield _offer(row, offer)


def _offer(row: Any, offer: Any) -> Fact:
    """The model's name there, its fields with what they take, and its price."""
    from kling_pack.catalog.prices import shown

    fields = []
    for wire in offer.wires.values():
        some = f" ≤ {wire.at_most}" if wire.at_most else ""
        some += f" {'/'.join(map(str, wire.values.values()))}" if wire.values else ""
        some += f" only with {'='.join(wire.only_with)}" if wire.only_with else ""
        fields.append(f"`{wire.name}`{some}")
    fields += [f"`{name}` = {value}" for name, value in offer.fixed.items()]
    value = f"`{offer.wire_model}`: {', '.join(fields)}; {shown(offer.price)}"
    return Fact(f"{row.operation}, {row.name}", value, PAGES[offer.provider], f"takes {row.operation}-{row.name}")


def _intro(reports: Mapping[str, Any]) -> Iterator[str]:
    yield from INTRODUCTION
    if not any(reports.values()):
        yield ""
        yield "**No live check has been made yet: all of this is as the pages say, and none of it is confirmed.**"


def _head() -> tuple[str, str]:
    return "| fact | value | source | confirmed by a live check |", "|---|---|---|---|"


def _row(fact: Fact, provider: str, report: Mapping[str, Any]) -> str:
    seen = report.get(f"{provider} {fact.seen_as}")
    told = "no" if seen is None else f"{seen['date']}" if seen["held"] else f"**it did not hold on {seen['date']}**"
    return f"| {fact.what} | {fact.value} | {fact.source} | {fact.seen_as if fact.seen_as == NEVER else told} |"


def main() -> int:
    wanted = document()
    if "--check" in sys.argv[1:]:
        true = DOCUMENT.is_file() and DOCUMENT.read_text("utf-8") == wanted
        if not true:
            sys.stderr.write("docs/wire-facts.md differs: run python scripts/wire_facts.py\n")
        return int(not true)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
