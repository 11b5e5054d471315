"""What may not be paid for: too many pictures, or more than the day's budget."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kling_pack.errors import SetupError
from kling_pack.jobs.work import Context, Run
from kling_pack.sandbox.behaviour import Fault

from .conftest import SECONDS, Bench, ended


def refused(bench: Bench, name: str = "text", **given: Any) -> str:
    """The error of a run that was refused; nothing was written, sent or paid for it."""
    before = len(bench.rows()) if (bench.home / "ledger.sqlite").exists() else 0
    asked, pixels = bench.requests(name, **given)
    with pytest.raises(SetupError) as raised:
        bench.engine.submit(Run(asked, pixels, bench.settings, Context())).result(SECONDS)
    assert "Nothing was sent and nothing was paid" in str(raised.value)
    assert len(bench.rows()) == before
    return str(raised.value)


def prices(bench: Bench, written: Any) -> None:
    bench.home.mkdir(parents=True, exist_ok=True)
    (bench.home / "prices.json").write_text(json.dumps(written))


def test_too_many_pictures_are_refused_with_count_price_and_setting(bench: Bench) -> None:
    said = refused(bench, "image", pictures=range(5), n=9, provider="apimodels", model="kling-v3")
    assert "asks for 45 pictures (0.151 credits × 45" in said or "asks for 45 pictures (6.795 credits)" in said
    assert "KLING_MAX_IMAGES_PER_RUN allows 36" in said
    assert bench.house.stats("apimodels")["requests"] == 0


def test_an_unknown_price_is_said_to_be_unknown(bench: Bench) -> None:
    bench.environment.setenv("KLING_MAX_IMAGES_PER_RUN", "1")
    assert "asks for 2 pictures (price unknown)" in refused(bench, n=2, provider="modellix")
    assert "free in the sandbox" in refused(bench, n=2, provider="sandbox")


def test_equal_pictures_and_what_is_there_already_do_not_count(bench: Bench) -> None:
    bench.environment.setenv("KLING_MAX_IMAGES_PER_RUN", "2")
    asked: dict[str, Any] = {"name": "image", "provider": "modellix", "model": "kling-v3"}
    bench.run(pictures=[1, 1, 2, 2], **asked)
    assert [outcome.how for outcome in bench.run(pictures=[1, 2, 3, 4], **asked)] == ["reused", "reused", "", ""]
    assert bench.house.paid() == 4


@pytest.fixture
def budget(bench: Bench) -> Bench:
    """A dollar a day; a text picture of apimodels costs 0.40."""
    prices(bench, {"apimodels": {"credit_usd": 1, "kling-v3": {"text": 0.4}}})
    bench.environment.setenv("KLING_DAILY_BUDGET_USD", "1")
    return bench


def test_a_run_that_would_pass_the_budget_is_refused(budget: Bench) -> None:
    assert "this run would cost $1.200 on top of $0.000 spent today" in refused(budget, n=3, provider="apimodels")
    assert budget.one(provider="apimodels", n=2).error is None
    assert "$0.400 on top of $0.800 spent today" in refused(budget, provider="apimodels")
    assert budget.one(provider="apimodels", n=2).how == "reused", "what is paid already costs nothing"


def test_what_surely_cost_nothing_is_given_back(budget: Bench) -> None:
    budget.house.behave(Fault("http_402", times=1))
    assert budget.one(provider="apimodels", n=2).error is not None
    assert budget.one(provider="apimodels", n=2, seed=1).error is None


def test_an_uncertain_task_counts(budget: Bench) -> None:
    budget.house.behave(Fault("drop_after", times=1))
    budget.one(provider="apimodels", n=2)
    assert "$0.800 spent today" in refused(budget, provider="apimodels", seed=1)


def test_yesterday_does_not_count(budget: Bench) -> None:
    budget.one(provider="apimodels", n=2)
    budget.change(created_at=1.0)
    assert budget.one(provider="apimodels", n=2, seed=1).error is None


def test_runs_that_are_let_in_at_the_same_moment_do_not_pass_the_budget_together(budget: Bench) -> None:
    asked = [budget.requests(provider="apimodels", seed=seed) for seed in range(6)]
    engine, settings = budget.engine, budget.settings
    futures = [engine.submit(Run(requests, pixels, settings, Context())) for requests, pixels in asked]
    let_in = [future.result(SECONDS)[0] for future in futures if future.exception(SECONDS) is None]
    ended(let_in)
    assert len(let_in) == 2 and budget.house.paid() == 2


def test_a_price_that_is_not_known_in_usd_is_refused_under_a_budget(bench: Bench) -> None:
    bench.environment.setenv("KLING_DAILY_BUDGET_USD", "1")
    for provider, shown in (("modellix", "price unknown"), ("apimodels", "0.151 credits")):
        said = refused(bench, provider=provider)
        assert f"price of this run in USD is not known ({shown})" in said and "prices.json" in said


def test_the_sandbox_is_free_under_any_budget(bench: Bench) -> None:
    bench.environment.setenv("KLING_DAILY_BUDGET_USD", "0")
    assert bench.one(provider="sandbox").error is None
