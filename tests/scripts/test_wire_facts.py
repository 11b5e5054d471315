"""The table of wire facts is the code's own, and says no more than what a live check saw."""

from __future__ import annotations

import json
import re
from pathlib import Path

import live_calls
import pytest
import wire_facts

from kling_pack.catalog.models import MODELS, PROVIDERS
from kling_pack.catalog.prices import Overrides
from kling_pack.providers import ADAPTERS
from kling_pack.providers.base import Phase

PHASES = {"runs": Phase.RUNNING, "is done": Phase.DONE, "failed": Phase.FAILED, "was cancelled": Phase.CANCELLED}


def test_the_document_is_up_to_date() -> None:
    assert wire_facts.DOCUMENT.read_text("utf-8") == wire_facts.document()


def test_nothing_is_called_confirmed_before_a_live_check_was_made() -> None:
    told = wire_facts.document()
    made = [name for name in PROVIDERS if wire_facts.report_of(name)]
    assert ("No live check has been made yet" in told) is not bool(made)
    if not made:
        columns = {line.split(" | ")[-1].removesuffix(" |") for line in told.splitlines() if line.startswith("| ")}
        assert columns == {"no", wire_facts.NEVER, "confirmed by a live check"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_status_word_in_the_table_is_understood_so(provider: str) -> None:
    rows = [fact for fact in wire_facts.STATED[provider] if fact.what.startswith(("word ", "words "))]
    assert len(rows) >= 3
    for fact in rows:
        (phase,) = [phase for told, phase in PHASES.items() if fact.what.endswith(told)]
        words = [word for word in re.findall(r"`(\w+)`", fact.value) if word != "code"]
        assert words and {ADAPTERS[provider].phase(word) for word in words} == {phase}, fact


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_offer_of_the_catalogue_is_a_row(provider: str) -> None:
    offers = [row for row in MODELS for offer in row.offers if offer.provider == provider]
    rows = [
        fact for fact in wire_facts.facts_of(provider) if fact.seen_as.startswith("takes") and ", kling" in fact.what
    ]
    assert len(rows) == len(offers)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_live_check_looks_for_what_the_table_says_it_sees(provider: str) -> None:
    calls = live_calls.planned(provider, Overrides(), every_operation=True)
    seen = {f"takes {call.name}" for call in calls}
    seen |= {"wrong key", "unknown task", "created", "word running", "word done", "links", "cost", "result"}
    seen |= {"upload", "put", "discard"}
    named = {fact.seen_as for fact in wire_facts.facts_of(provider)} - {wire_facts.NEVER}
    assert named <= seen


def test_what_a_live_check_saw_is_told_with_its_date(tmp_path: Path) -> None:
    report = {
        "provider_itself": True,
        "facts": {
            "modellix created": {"held": True, "date": "2027-01-02"},
            "modellix links": {"held": False, "date": "2027-01-03"},
        },
    }
    seen = write(tmp_path, report)
    rows = {fact.seen_as: wire_facts._row(fact, "modellix", seen) for fact in wire_facts.facts_of("modellix")}
    assert rows["created"].endswith("| 2027-01-02 |")
    assert rows["links"].endswith("| **it did not hold on 2027-01-03** |")
    assert rows["word done"].endswith("| no |")


def test_a_check_at_another_address_confirms_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, {"provider_itself": False, "facts": {"modellix created": {"held": True}}}) == {}


def write(fixtures: Path, report: dict[str, object]) -> dict[str, object]:
    file = fixtures / "modellix" / "live" / "report.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(report), "utf-8")
    return wire_facts.report_of("modellix", fixtures)
