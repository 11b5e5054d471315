"""Every adapter takes every offer of its provider, and none invents a field."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kling_pack.catalog.models import MODELS, Offer
from kling_pack.catalog.operations import operation
from kling_pack.catalog.order import Order
from kling_pack.providers import ADAPTERS

ROWS = [(row.operation, row.name, offer) for row in MODELS for offer in row.offers]


@pytest.mark.parametrize(("name", "model", "offer"), ROWS, ids=lambda value: getattr(value, "provider", value))
def test_a_create_call_has_the_offer_s_fields_and_no_others(
    name: str, model: str, offer: Offer, order: Callable[..., Order]
) -> None:
    sockets = {role.sockets[0]: ["x"] for role in operation(name).pictures}
    ratio = {"up_expansion_ratio": 0.5} if name == "expand" else {}
    made = order(name, offer.provider, {"model": model, **ratio}, **sockets)
    call = ADAPTERS[offer.provider].create(made, {"x": "https://example.com/x.png"})
    assert call.method == "POST"
    body = dict(call.json or {})
    if offer.provider == "eachlabs":
        assert body.pop("model") == offer.wire_model
        assert body.pop("version", None) == offer.version
        body = body.pop("input")
    if offer.provider == "apimodels":
        assert body.pop("model") == offer.wire_model
    without_values = {"negative_prompt"}
    assert set(body) == {wire.name for wire in offer.wires.values()} - without_values | set(offer.fixed)


@pytest.mark.parametrize("name", ["text", "image", "multi-image", "expand"])
def test_names_of_pictures_are_spelled_anew_only_where_a_model_understands_them(
    name: str, order: Callable[..., Order]
) -> None:
    sockets = {role.sockets[0]: ["x"] for role in operation(name).pictures}
    ratio = {"up_expansion_ratio": 0.5} if name == "expand" else {}
    prompt = "a house" if name == "text" else "like @image1"
    row = next(row for row in MODELS if row.operation == name and row.offers[-1].provider == "apimodels")
    made = order(name, "apimodels", {"model": row.name, "prompt": prompt, **ratio}, **sockets)
    body = ADAPTERS["apimodels"].create(made, {"x": "https://example.com/x.png"}).json or {}
    assert body["prompt"] == prompt
