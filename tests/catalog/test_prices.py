"""Prices: how they read, the user's own, and what a credit is worth."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kling_pack.catalog.models import model
from kling_pack.catalog.prices import CREDITS, USD, Overrides, Price, credits, dollars, load_overrides, shown
from kling_pack.errors import SetupError


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (dollars("0.028"), "$0.028"),
        (dollars("0.028").times(4), "$0.028 × 4"),
        (credits("0.151"), "0.151 credits"),
        (credits("1.80").times(9), "1.80 credits × 9"),
        (dollars("0.00000001"), "$0.00000001"),
        (None, "price unknown"),
    ],
)
def test_a_price_reads_for_a_person(price: Price | None, text: str) -> None:
    assert shown(price) == text


def test_a_price_for_several_pictures_is_exact() -> None:
    assert dollars("0.1").times(3).total == Decimal("0.3")
    assert dollars("0.028").times(2).times(3).total == Decimal("0.168")


def test_no_file_means_no_prices_of_one_s_own(tmp_path: Path) -> None:
    assert load_overrides(tmp_path / "prices.json") == Overrides()


def test_a_file_replaces_prices_and_gives_a_credit_its_dollars(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(
        '{"apimodels": {"credit_usd": 0.01, "kling-v2": {"text": 0.07}}, "modellix": {"kling-v3": {"image": "0.03"}}}'
    )
    own = load_overrides(path)
    catalogue = {offer.provider: offer.price for offer in model("text", "kling-v2").offers}
    assert own.price("apimodels", "kling-v2", "text", catalogue["apimodels"]) == credits("0.07")
    assert own.price("modellix", "kling-v2", "text", catalogue["modellix"]) is None
    assert own.price("apimodels", "kling-v2", "image", credits("0.151")) == credits("0.151")
    assert own.price("modellix", "kling-v3", "image", None) == dollars("0.03")
    assert own.in_usd("apimodels", credits("0.07").times(3)) == Decimal("0.0021")


def test_dollars_are_dollars_and_credits_without_a_rate_are_unknown() -> None:
    own = Overrides(credit_usd={"apimodels": Decimal("0.01")})
    assert own.in_usd("eachlabs", dollars("0.028").times(2)) == Decimal("0.056")
    assert own.in_usd("apimodels", credits("1.80")) == Decimal("0.018")
    assert own.in_usd("modellix", credits("1.80")) is None
    assert own.in_usd("modellix", None) is None


def test_a_price_of_nothing_is_a_price() -> None:
    own = Overrides(prices={("eachlabs", "kling-image-o1", "edit"): Decimal(0)})
    assert own.price("eachlabs", "kling-image-o1", "edit", dollars("0.028")) == dollars("0")
    assert own.in_usd("eachlabs", dollars("0")) == 0


def test_units_are_named_once() -> None:
    assert (dollars("1").unit, credits("1").unit) == (USD, CREDITS) == ("USD", "credits")


SHAPE = "must hold, by provider, credit_usd or by model and operation, a price of 0 or more"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[1]", f"{SHAPE} (the file holds [1]). Nothing was paid: mend or remove it."),
        ("null", f"{SHAPE} (the file holds None). Nothing was paid: mend or remove it."),
        ('{"modellix": 3}', f"{SHAPE} (modellix holds 3). Nothing was paid: mend or remove it."),
        (
            '{"modellix": {"kling-v3": 3}}',
            f"{SHAPE} (kling-v3 holds 3). Nothing was paid: mend or remove it.",
        ),
        (
            '{"modellix": {"kling-v3": {"text": "cheap"}}}',
            f"{SHAPE} ('cheap' is not a price). Nothing was paid: mend or remove it.",
        ),
        (
            '{"modellix": {"kling-v3": {"text": -1}}}',
            f"{SHAPE} (-1 is not a price). Nothing was paid: mend or remove it.",
        ),
        (
            '{"modellix": {"kling-v3": {"text": NaN}}}',
            f"{SHAPE} (nan is not a price). Nothing was paid: mend or remove it.",
        ),
        (
            '{"modellix": {"kling-v3": {"text": true}}}',
            f"{SHAPE} (True is not a price). Nothing was paid: mend or remove it.",
        ),
        (
            '{"apimodels": {"credit_usd": null}}',
            f"{SHAPE} (None is not a price). Nothing was paid: mend or remove it.",
        ),
    ],
)
def test_a_file_of_another_shape_is_refused_with_what_is_wrong(written: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(written)
    with pytest.raises(SetupError) as caught:
        load_overrides(path)
    assert str(caught.value) == f"{path} {message}"


@pytest.mark.parametrize("written", [b"", b"{", b"\xff\xfe\x00", b"{'a': 1}"])
def test_a_file_that_is_no_json_is_refused(written: bytes, tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_bytes(written)
    with pytest.raises(SetupError, match=r"cannot be read as JSON \(.+\)\. Nothing was paid: mend or remove it\.$"):
        load_overrides(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read as JSON"):
        load_overrides(tmp_path)
