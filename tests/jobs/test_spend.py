"""What was spent and saved, from a real ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import rows
from rows import DONE

from kling_pack.jobs.ledger import Ledger
from kling_pack.jobs.spend import Saved, Sum, spend
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task

NOON = datetime(2026, 11, 20, 12, 0)
TODAY = datetime(2026, 11, 20, 0, 0).timestamp()
THIS_MONTH = datetime(2026, 11, 1, 0, 0).timestamp()
ROW: dict[str, Any] = {
    "provider": "eachlabs", "dialect": "eachlabs", "operation": "edit", "model": "kling-image-o1", "count": 2,
    "created_at": TODAY + 60, "estimated_amount": "0.056", "estimated_usd": 0.056,
}  # fmt: skip


def add(ledger: Ledger, *states: State, **row: Any) -> Task:
    return rows.add(ledger, *states, **{**ROW, **row})


def paid(ledger: Ledger) -> tuple[Sum, ...]:
    return spend(ledger, NOON.timestamp()).today.paid


def test_nothing_was_spent_at_first(ledger: Ledger) -> None:
    seen = spend(ledger, NOON.timestamp())
    assert (seen.today.since, seen.month.since) == (TODAY, THIS_MONTH)
    assert seen.today.paid == seen.month.paid == seen.today.saved == ()
    assert seen.budget_spent == 0


def test_amounts_are_added_up_by_provider_and_unit_without_rounding(ledger: Ledger) -> None:
    for _ in range(3):
        add(ledger, *DONE)
    add(ledger, *DONE, actual_amount="0.0561", estimated_amount="0.056")
    add(ledger, *DONE, provider="apimodels", price_unit="credits", estimated_amount="0.151", count=1)
    assert paid(ledger) == (
        Sum("apimodels", "credits", Decimal("0.151"), tasks=1, pictures=1, unpriced=0, uncertain=0),
        Sum("eachlabs", "USD", Decimal("0.2241"), tasks=4, pictures=8, unpriced=0, uncertain=0),
    )


def test_a_task_without_a_price_is_counted_as_one(ledger: Ledger) -> None:
    add(ledger, *DONE, provider="modellix", estimated_amount=None, estimated_usd=None, price_unit="")
    assert paid(ledger) == (Sum("modellix", "", Decimal(0), tasks=1, pictures=2, unpriced=1, uncertain=0),)


def test_what_may_have_been_paid_is_counted_and_said(ledger: Ledger) -> None:
    add(ledger, State.SUBMITTING, State.UNCERTAIN)
    (one,) = paid(ledger)
    assert (one.amount, one.tasks, one.uncertain) == (Decimal("0.056"), 1, 1)


@pytest.mark.parametrize("states", [(), (State.FAILED,), (State.CANCELLED,), (State.SUBMITTING, State.FAILED)])
def test_what_was_never_created_costs_nothing(ledger: Ledger, states: tuple[State, ...]) -> None:
    add(ledger, *states)
    assert paid(ledger) == ()


def test_the_sandbox_is_free(ledger: Ledger) -> None:
    add(ledger, *DONE, provider="sandbox", price_unit="")
    assert paid(ledger) == ()


def test_yesterday_belongs_to_the_month_and_last_month_to_neither(ledger: Ledger) -> None:
    add(ledger, *DONE, created_at=TODAY - 1)
    add(ledger, *DONE, created_at=THIS_MONTH - 1)
    seen = spend(ledger, NOON.timestamp())
    assert seen.today.paid == ()
    assert [one.tasks for one in seen.month.paid] == [1]


def test_the_budget_counts_what_today_is_estimated_to_cost(ledger: Ledger) -> None:
    add(ledger, *DONE)
    add(ledger)
    add(ledger, *DONE, created_at=TODAY - 1)
    assert spend(ledger, NOON.timestamp()).budget_spent == pytest.approx(0.112)


def test_what_was_saved_is_added_up_by_kind_and_unit(ledger: Ledger) -> None:
    known, unknown = add(ledger, *DONE), add(ledger, *DONE, estimated_amount=None, price_unit="")
    for task, kind in ((known, "reused"), (unknown, "recovered"), (known, "joined"), (known, "reused")):
        ledger.note_saving(task, kind, TODAY + 60)
    ledger.note_saving(known, "reused", TODAY - 60)
    seen = spend(ledger, NOON.timestamp())
    assert seen.today.saved == (
        Saved("joined", "USD", Decimal("0.056"), 1),
        Saved("recovered", "", Decimal(0), 1),
        Saved("reused", "USD", Decimal("0.112"), 2),
    )
    assert seen.month.saved[2] == Saved("reused", "USD", Decimal("0.168"), 3)
