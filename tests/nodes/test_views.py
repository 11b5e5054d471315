"""What the routes answer."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kling_pack.catalog.models import MODELS
from kling_pack.catalog.operations import OPERATIONS
from kling_pack.jobs.board import Seen
from kling_pack.jobs.keys import save_key
from kling_pack.jobs.settings import load_settings
from kling_pack.jobs.spend import Saved, Span, Spend, Sum
from kling_pack.jobs.states import State
from kling_pack.jobs.task import Task
from kling_pack.nodes.views import catalog, keys, spent, task_row

KEY = "sk-recognisable-key-1234567890"


def test_the_catalogue_has_every_operation_model_and_offer(tmp_path: Path) -> None:
    told = catalog(load_settings(tmp_path))
    assert [operation["node"] for operation in told["operations"]] == [op.node_id for op in OPERATIONS]
    offers = [(row["operation"], row["name"], offer["provider"]) for row in told["models"] for offer in row["offers"]]
    assert offers == [(row.operation, row.name, offer.provider) for row in MODELS for offer in row.offers]


def test_it_says_who_has_a_key_and_never_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELLIX_API_KEY", KEY)
    told = catalog(load_settings(tmp_path))
    assert {name: told["providers"][name]["key"] for name in told["providers"]} == {
        "eachlabs": False,
        "modellix": True,
        "apimodels": False,
    }
    assert KEY not in json.dumps(told)


@pytest.mark.parametrize(
    ("key", "sandbox", "means"),
    [("", "editor", True), (KEY, "editor", False), (KEY, "always", True), ("", "never", False)],
)
def test_it_says_whether_auto_is_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, sandbox: str, means: bool
) -> None:
    monkeypatch.setenv("MODELLIX_API_KEY", key)
    monkeypatch.setenv("KLING_SANDBOX", sandbox)
    assert catalog(load_settings(tmp_path))["auto_is_sandbox"] is means


def test_prices_follow_prices_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_HOME", str(tmp_path))
    (tmp_path / "prices.json").write_text('{"apimodels": {"credit_usd": 0.5, "kling-v2": {"text": 0.2}}}')
    rows = {(row["operation"], row["name"]): row for row in catalog(load_settings(tmp_path))["models"]}
    offers = {offer["provider"]: offer for offer in rows[("text", "kling-v2")]["offers"]}
    assert offers["apimodels"]["price"] == {"amount": "0.2", "unit": "credits", "shown": "0.2 credits"}
    assert offers["apimodels"]["usd"] == pytest.approx(0.1)
    assert offers["modellix"]["price"] is None


def test_ranges_and_defaults_are_told(tmp_path: Path) -> None:
    expand = next(op for op in catalog(load_settings(tmp_path))["operations"] if op["node"] == "KlingExpand")
    up = next(field for field in expand["fields"] if field["name"] == "up_expansion_ratio")
    assert (up["kind"], up["low"], up["high"], up["default"]) == ("number", 0, 2, 0)
    assert expand["pictures"][0]["sockets"] == ("image",)


TASK: dict[str, Any] = {
    "number": 7, "state": State.DONE, "provider": "eachlabs", "provider_id": "abc", "operation": "edit",
    "model": "kling-image-o1", "wire_model": "kling-o1", "dialect": "eachlabs", "identity": "secret", "count": 2,
    "changes": (), "word": "success", "reason": "", "created_at": 1.0, "submitted_at": 2.0, "accepted_at": 3.0,
    "finished_at": 12.5, "collected_at": 13.0, "estimated_amount": "0.056", "actual_amount": None,
    "price_unit": "USD", "price_basis": "catalogue", "prompt_id": "p", "node_id": "1", "worker": "host/1/1/x",
    "resolution": "1k", "running_at": None, "key_hash": "hash-of-key", "hook": "secret-of-hook",
}  # fmt: skip


def row(**changed: Any) -> dict[str, Any]:
    return task_row(Seen(Task(**TASK | changed), pictures=2, expected=None))


def test_a_task_has_its_node_its_seconds_and_its_cost() -> None:
    told = row()
    assert (told["handle"], told["node"], told["seconds"], told["pictures"]) == ("eachlabs:abc", "KlingO1Edit", 10.5, 2)
    assert told["cost"] == {"amount": "0.056", "unit": "USD", "basis": "catalogue"}
    assert row(actual_amount="0.06")["cost"]["amount"] == "0.06"
    assert row(operation="", model="")["node"] == "KlingPoll"


def test_a_task_tells_nothing_of_this_machine() -> None:
    assert not {"identity", "worker", "key_hash", "hook"} & set(row())
    assert not any(hidden in json.dumps(row()) for hidden in ("secret", "hash-of-key", "host/1"))


@pytest.mark.parametrize("changed", [{"provider": "sandbox"}, {"state": State.FAILED}, {"state": State.CANCELLED}])
def test_what_was_not_paid_costs_nothing(changed: dict[str, Any]) -> None:
    assert row(**changed)["cost"]["amount"] == "0"


def test_a_cost_that_nobody_knows_is_none() -> None:
    assert row(estimated_amount=None, price_unit="")["cost"]["amount"] is None


@pytest.mark.parametrize(
    ("changed", "cancels"),
    [
        ({"state": State.NEW}, True),
        ({"state": State.SUBMITTING}, False),
        ({"state": State.ACCEPTED}, True),
        ({"state": State.ACCEPTED, "provider": "sandbox"}, True),
        ({"state": State.ACCEPTED, "provider": "modellix", "dialect": "modellix"}, False),
        ({"state": State.DONE}, False),
    ],
)
def test_cancel_is_offered_where_it_can_spare_something(changed: dict[str, Any], cancels: bool) -> None:
    assert row(**changed)["cancels"] is cancels


def test_keys_are_told_by_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_key(tmp_path / "kling", "eachlabs", KEY)
    monkeypatch.setenv("MODELLIX_API_KEY", KEY)
    told = keys(load_settings(tmp_path), changeable=False)
    assert {name: key["state"] for name, key in told["keys"].items()} == {
        "eachlabs": "saved",
        "modellix": "environment",
        "apimodels": "missing",
    }
    assert (told["changeable"], told["auto_is_sandbox"]) == (False, False)
    assert KEY not in json.dumps(told)
    assert told["keys"]["eachlabs"]["last_four"] == KEY[-4:]


def test_without_any_key_auto_is_the_sandbox(tmp_path: Path) -> None:
    assert keys(load_settings(tmp_path), changeable=True)["auto_is_sandbox"]


def test_spend_is_told_in_decimals_with_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_DAILY_BUDGET_USD", "5")
    one = Sum("eachlabs", "USD", Decimal("0.0001"), tasks=1, pictures=2, unpriced=0, uncertain=0)
    span = Span(1.0, (one,), (Saved("reused", "USD", Decimal("1E+1"), 3),))
    told = spent(Spend(span, span, 0.25), load_settings(tmp_path))
    assert told["today"]["paid"][0]["amount"] == "0.0001"
    assert told["today"]["saved"] == [{"kind": "reused", "unit": "USD", "amount": "10", "times": 3}]
    assert told["budget"] == {"usd": 5.0, "spent": 0.25}
