"""A request fitted to an offer: what goes on the wire, and what a person is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kling_pack.catalog.models import MODELS, Offer, model
from kling_pack.catalog.order import Order, fit, takes
from kling_pack.catalog.request import Request
from kling_pack.errors import InputError

Ask = Callable[..., tuple[Request, ...]]
BIG = "1024x768"
ROWS = [(row.operation, row.name, offer) for row in MODELS for offer in row.offers]


def offer_of(request: Request, provider: str) -> Offer:
    row = model(request.operation.name, request.model)
    return next(offer for offer in row.offers if offer.provider == provider)


def fitted(request: Request, provider: str) -> Order:
    return fit(request, offer_of(request, provider))


@pytest.mark.parametrize(("name", "model_name", "offer"), ROWS, ids=lambda value: getattr(value, "provider", value))
def test_a_request_with_defaults_fits_everywhere_without_a_remark(
    name: str, model_name: str, offer: Offer, ask: Ask
) -> None:
    (request,) = ask(name, {"model": model_name, **({"right_expansion_ratio": 0.5} if name == "expand" else {})})
    order = fit(request, offer)
    assert order.changes == ()
    assert order.provider == offer.provider
    assert order.values["prompt"] == "a red house"
    assert set(order.values) <= {wire.name for wire in offer.wires.values()} | set(offer.fixed)
    assert all(value not in ("", "none", "auto", None) or name == "edit" for value in order.values.values())


@pytest.mark.parametrize(("provider", "sent"), [("eachlabs", "auto"), ("modellix", "auto"), ("apimodels", "2:3")])
def test_an_automatic_ratio_goes_where_it_is_known_and_else_becomes_the_nearest(
    provider: str, sent: str, ask: Ask
) -> None:
    (request,) = ask("edit", image_1=["700x1000"])
    order = fitted(request, provider)
    assert order.values["aspect_ratio"] == sent
    assert order.changes == ()


def test_the_nearest_ratio_is_that_of_the_first_picture(ask: Ask) -> None:
    (request,) = ask("edit", image_1=["1600x900"])
    assert fitted(request, "apimodels").values["aspect_ratio"] == "16:9"
    wide, high = ask("image", {"model": "kling-v3"}, image=["1600x900", "900x1600"])
    assert fitted(wide, "modellix").values["aspect_ratio"] == "16:9"
    assert fitted(high, "modellix").values["aspect_ratio"] == "9:16"


def test_a_restyle_sends_neither_ratio_nor_resolution(ask: Ask) -> None:
    (request,) = ask("image", {"model": "kling-v2-new", "aspect_ratio": "1:1", "resolution": "2k"})
    order = fitted(request, "apimodels")
    assert not {"aspect_ratio", "resolution"} & set(order.values)
    assert order.changes == (
        "aspect_ratio not sent (kling-v2-new at apimodels has no such field)",
        "resolution not sent (kling-v2-new at apimodels has no such field)",
    )


def test_2k_becomes_1k_where_there_is_no_more_and_the_report_says_so(ask: Ask) -> None:
    (request,) = ask("image", {"model": "kling-v1-5", "resolution": "2k"})
    order = fitted(request, "modellix")
    assert order.values["resolution"] == "1k"
    assert order.changes == ("resolution 2k sent as 1k (the nearest that kling-v1-5 at modellix has)",)


def test_resolution_is_spelled_as_the_provider_does(ask: Ask) -> None:
    (request,) = ask("edit", {"resolution": "2k"})
    assert fitted(request, "eachlabs").values["resolution"] == "2K"
    assert fitted(request, "modellix").values["resolution"] == "2k"
    assert fitted(request, "eachlabs").changes == ()


@pytest.mark.parametrize(
    ("provider", "reference", "sent"),
    [
        ("modellix", "subject", True),
        ("modellix", "face", False),
        ("modellix", "none", False),
        ("eachlabs", "subject", True),
        ("eachlabs", "face", True),
        ("eachlabs", "none", True),
    ],
)
def test_human_fidelity_goes_only_with_a_subject_at_modellix(
    provider: str, reference: str, sent: bool, ask: Ask
) -> None:
    (request,) = ask("image", {"image_reference": reference, "human_fidelity": 0.8})
    order = fitted(request, provider)
    assert ("human_fidelity" in order.values) is sent
    left_out = "human_fidelity not sent (kling-v1-5 at modellix takes it only with image_reference subject)"
    assert order.changes == (() if sent else (left_out,))


@pytest.mark.parametrize(
    ("name", "model_name", "field", "value", "provider"),
    [
        ("text", "kling-image-o1", "negative_prompt", "rain", "modellix"),
        ("image", "kling-v1-5", "negative_prompt", "rain", "eachlabs"),
        ("image", "kling-v1-5", "negative_prompt", "none", "modellix"),
        ("image", "kling-v1-5", "resolution", "2k", "eachlabs"),
        ("image", "kling-v3", "image_reference", "face", "modellix"),
        ("image", "kling-v3", "image_fidelity", 0.9, "modellix"),
        ("image", "kling-v3", "human_fidelity", 0.9, "modellix"),
        ("edit", "kling-image-o1", "output_format", "webp", "modellix"),
        ("edit", "kling-image-o1", "output_format", "jpeg", "apimodels"),
    ],
)
def test_a_field_that_the_model_lacks_is_left_out_and_the_report_says_so(
    name: str, model_name: str, field: str, value: object, provider: str, ask: Ask
) -> None:
    (request,) = ask(name, {"model": model_name, field: value})
    order = fitted(request, provider)
    assert field not in order.values
    assert order.changes == (f"{field} not sent ({model_name} at {provider} has no such field)",)


def test_no_reference_is_no_field_and_no_remark(ask: Ask) -> None:
    (request,) = ask("image", {"model": "kling-v3", "image_reference": "none"})
    for provider in ("modellix", "apimodels"):
        order = fitted(request, provider)
        assert "image_reference" not in order.values
        assert order.changes == ()


def test_the_word_none_is_a_prompt_like_any_other(ask: Ask) -> None:
    (request,) = ask("image", {"model": "kling-v3", "prompt": "none", "negative_prompt": "none"})
    values = fitted(request, "apimodels").values
    assert (values["prompt"], values["negative_prompt"]) == ("none", "none")


def test_an_empty_prompt_is_left_out(ask: Ask) -> None:
    (request,) = ask("multi-image", {"prompt": ""})
    assert "prompt" not in fitted(request, "modellix").values


def test_constants_of_the_offer_go_along(ask: Ask) -> None:
    (request,) = ask("multi-image", {"model": "kling-v2"})
    assert fitted(request, "apimodels").values["multi_model_name"] == "kling-v2"


def test_pictures_go_by_their_names_on_the_wire_and_empty_roles_do_not(ask: Ask) -> None:
    (request,) = ask("multi-image", scene_image=["640x480"])
    pictures = fitted(request, "apimodels").pictures
    assert {name: [p.width for p in sent] for name, sent in pictures.items()} == {
        "subject_image_list": [1024],
        "scene_image": [640],
    }


def test_more_pictures_than_a_provider_takes_are_refused_there_alone(ask: Ask) -> None:
    (request,) = ask("edit", image_2=[BIG])
    assert [takes(request, offer) for offer in model("edit", "kling-image-o1").offers] == [True, True, False]
    with pytest.raises(InputError) as caught:
        fitted(request, "apimodels")
    assert str(caught.value) == (
        "2 pictures are connected as image; kling-image-o1 at apimodels takes at most 1. Nothing was sent "
        "and nothing was paid: use fewer pictures or another provider."
    )


def test_the_sandbox_is_asked_in_the_offer_s_dialect(ask: Ask) -> None:
    (request,) = ask("edit")
    order = fit(request, offer_of(request, "eachlabs"), "sandbox")
    assert (order.provider, order.offer.provider) == ("sandbox", "eachlabs")
