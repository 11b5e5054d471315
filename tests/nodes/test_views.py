"""What `GET /kling/catalog` and `GET /kling/tasks` hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kling_pack.catalog.models import MODELS
from kling_pack.catalog.operations import OPERATIONS
from kling_pack.jobs.settings import load_settings
from kling_pack.nodes.views import catalog

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
