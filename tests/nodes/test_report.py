"""What a run tells, for a person and for machines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from kling_pack.catalog.prices import Price
from kling_pack.errors import FailedError
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task
from kling_pack.jobs.work import Outcome, Progress
from kling_pack.nodes.report import line, moment, put_into_workflow, record

TASK = Task(
    number=7,
    state=State.DONE,
    provider="eachlabs",
    provider_id="abc123",
    operation="edit",
    model="kling-image-o1",
    wire_model="kling-o1",
    dialect="eachlabs",
    identity="0" * 64,
    count=2,
    resolution="1k",
    changes=(),
    word="success",
    reason="",
    created_at=100.0,
    submitted_at=101.0,
    accepted_at=101.5,
    running_at=113.2,
    finished_at=113.3,
    collected_at=114.0,
    estimated_amount="0.056",
    actual_amount="0.056",
    price_unit="USD",
    price_basis="catalogue",
    prompt_id="p",
    node_id="1",
    worker="host/1/1/abcd",
    key_hash="",
    hook=None,
)
FILES = (Path("a.png"), Path("b.png"))
PAID = Outcome(None, TASK, FILES, price=Price(Decimal("0.028"), "USD", 2))


def test_a_line_says_model_provider_images_seconds_cost_and_handle() -> None:
    assert line(PAID) == "kling-image-o1 at eachlabs · 2 images · 12.3 s · $0.028 × 2 · eachlabs:abc123"


def test_a_line_says_what_was_special() -> None:
    special = replace(PAID, notes=("resolution 2k sent as 1k",))
    assert line(special, ("1 fitted to the first picture's size",)).endswith(
        "eachlabs:abc123 · resolution 2k sent as 1k · 1 fitted to the first picture's size"
    )


@pytest.mark.parametrize("how", ["joined", "reused"])
def test_what_was_joined_or_reused_costs_nothing_now(how: str) -> None:
    told = replace(PAID, how=how)
    assert f"nothing paid now · eachlabs:abc123 · {how}" in line(told)
    assert record(told)["cost"] == 0.0
    assert record(told)[how] is True


def test_a_failure_is_named_and_costs_nothing() -> None:
    failed = Outcome(None, replace(TASK, state=State.FAILED), error=FailedError("policy", "eachlabs:abc123"))
    assert line(failed).endswith("nothing paid · eachlabs:abc123 · failed: policy")
    assert record(failed)["error"] == "FailedError"
    assert record(failed)["cost"] == 0.0


def test_a_task_that_was_never_written_down_says_why() -> None:
    assert line(Outcome(None, None, error=FailedError("stopped"))) == "not sent: stopped"


def test_an_unknown_price_is_called_that() -> None:
    unpriced = replace(TASK, actual_amount=None, estimated_amount=None, price_basis="unknown")
    assert "price unknown" in line(Outcome(None, unpriced, FILES))
    assert record(Outcome(None, unpriced, FILES))["cost"] is None


def test_a_record_has_the_contracts_fields_and_no_link() -> None:
    kept = record(PAID)
    assert kept == {
        "handle": "eachlabs:abc123",
        "state": "done",
        "model": "kling-image-o1",
        "provider": "eachlabs",
        "count": 2,
        "seconds": pytest.approx(12.3),
        "cost": 0.056,
        "unit": "USD",
        "price_basis": "catalogue",
        "reused": False,
        "joined": False,
        "error": None,
    }


def test_the_line_on_the_node_tells_state_seconds_expectation_and_cost() -> None:
    progress = Progress(State.ACCEPTED, "processing", 100.0, 50.0, "eachlabs:abc123", Price(Decimal("0.028"), "USD", 4))
    assert moment(progress, 112.4) == "processing · 12 s of about 50 s · $0.028 × 4"
    assert moment(replace(progress, price=None), 99.0) == "processing · 0 s of about 50 s"


def test_what_is_not_accepted_yet_is_told_without_an_expectation_and_in_line_without_seconds() -> None:
    progress = Progress(State.NEW, "waiting for a place", since=100.0, expected=50.0, place=432)
    assert moment(progress, 160.0) == "waiting for a place, number 432"
    assert moment(replace(progress, words="preparing the pictures", place=0), 101.0) == "preparing the pictures · 1 s"


def test_records_go_into_the_workflow_that_saved_pictures_carry() -> None:
    extra_pnginfo = {"workflow": {"nodes": []}, "kling": {"project": "x"}}
    put_into_workflow(extra_pnginfo, "5", [record(PAID)])
    assert extra_pnginfo["workflow"] == {"nodes": [], "extra": {"kling": {"5": [record(PAID)]}}}
    assert extra_pnginfo["kling"] == {"project": "x"}


@pytest.mark.parametrize("extra_pnginfo", [None, {}, {"workflow": None}, {"workflow": {"extra": "odd"}}, "odd"])
def test_a_prompt_without_a_workflow_is_left_alone(extra_pnginfo: object) -> None:
    before = repr(extra_pnginfo)
    put_into_workflow(extra_pnginfo, "5", [record(PAID)])
    assert repr(extra_pnginfo) == before
