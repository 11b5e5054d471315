"""Who is asked, and in which order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kling_pack.catalog.frames import Picture
from kling_pack.catalog.models import PROVIDERS
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import Request, build_requests
from kling_pack.errors import InputError, SetupError
from kling_pack.jobs.route import candidates, price_of
from kling_pack.jobs.settings import Settings, load_settings

Keys = tuple[str, ...]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`settings("modellix", prices={…})`: these have a key."""

    def load(*keys: str, prices: Any = None) -> Settings:
        for name in PROVIDERS:
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "k-123456" if name in keys else "")
        if prices is not None:
            (tmp_path / "kling").mkdir(exist_ok=True)
            (tmp_path / "kling" / "prices.json").write_text(json.dumps(prices))
        return load_settings(tmp_path)

    return load


def ask(name: str = "text", pictures: int = 0, **given: Any) -> Request:
    sockets: dict[str, list[Picture]] = {}
    if role := next(iter(operation(name).pictures), None):
        sockets = {role.sockets[number]: [Picture(400, 400, f"d{number}")] for number in range(pictures or 1)}
    return build_requests(operation(name), {"prompt": "a house", **given}, sockets)[0]


def names(request: Request, settings: Settings, auto_is_sandbox: bool = False) -> list[str]:
    return [order.provider for order in candidates(request, settings, auto_is_sandbox)]


def test_auto_asks_those_with_a_key_in_the_tables_order_where_prices_do_not_compare(settings: Any) -> None:
    assert names(ask(), settings(*PROVIDERS)) == ["modellix", "apimodels"]


def test_auto_asks_the_cheapest_first_where_prices_compare(settings: Any) -> None:
    prices = {"modellix": {"kling-v3": {"text": 0.05}}, "apimodels": {"credit_usd": 0.01}}
    assert names(ask(), settings(*PROVIDERS, prices=prices)) == ["apimodels", "modellix"]


def test_auto_asks_first_who_changes_nothing_that_was_set_whatever_the_price(settings: Any) -> None:
    prices = {"modellix": {"kling-image-o1": {"edit": 0.001}}, "apimodels": {"credit_usd": 0.0001}}
    found = names(ask("edit", output_format="webp"), settings(*PROVIDERS, prices=prices))
    assert found[0] == "eachlabs"
    assert names(ask("edit"), settings(*PROVIDERS, prices=prices))[0] == "apimodels"


def test_auto_leaves_out_who_has_no_room_for_the_pictures(settings: Any) -> None:
    assert names(ask("edit", pictures=2), settings(*PROVIDERS)) == ["eachlabs", "modellix"]
    with pytest.raises(InputError, match="apimodels takes at most 1"):
        names(ask("edit", pictures=2), settings("apimodels"))


def test_a_named_provider_is_the_only_one(settings: Any) -> None:
    assert names(ask(provider="apimodels"), settings(*PROVIDERS)) == ["apimodels"]


def test_the_sandbox_speaks_the_first_dialect_that_has_room(settings: Any) -> None:
    (order,) = candidates(ask("edit", provider="sandbox"), settings(), False)
    assert (order.provider, order.offer.provider) == ("sandbox", "eachlabs")
    assert price_of(order, settings().prices) is None
    assert names(ask(), settings(), auto_is_sandbox=True) == ["sandbox"]


def test_prices_json_counts_before_the_catalogue(settings: Any) -> None:
    loaded = settings(*PROVIDERS, prices={"apimodels": {"kling-v3": {"text": 0.2}}})
    order = candidates(ask(provider="apimodels"), loaded, False)[0]
    assert str(price_of(order, loaded.prices)) == "0.2 credits"


@pytest.mark.parametrize(
    ("given", "keys", "said"),
    [
        (
            {"provider": "eachlabs"},
            PROVIDERS,
            "eachlabs, which does not offer kling-v3 for text; modellix and apimodels do",
        ),
        ({"provider": "modellix"}, ("apimodels",), "modellix, which has no key.*Set MODELLIX_API_KEY"),
        (
            {},
            (),
            "modellix and apimodels offer it. No key is set at all.*Set MODELLIX_API_KEY.*or choose provider sandbox",
        ),
        ({}, ("eachlabs",), r"The keys at hand .eachlabs. offer nothing for this node"),
    ],
)
def test_when_nobody_can_be_asked_the_error_says_who_could(settings: Any, given: Any, keys: Keys, said: str) -> None:
    with pytest.raises(SetupError, match=said) as raised:
        names(ask(**given), settings(*keys))
    assert "Nothing was sent and nothing was paid" in str(raised.value)


def test_what_the_keys_at_hand_do_offer_is_named(settings: Any) -> None:
    with pytest.raises(SetupError, match=r"The keys at hand .eachlabs. offer kling-v1-5\. Nothing was sent"):
        names(ask("image", model="kling-v3"), settings("eachlabs"))
