"""The table of operations, models and providers, as users were promised it."""

from __future__ import annotations

import pytest

from kling_pack.catalog.models import MODELS, PROVIDERS, Offer, model
from kling_pack.catalog.operations import operation

TABLE = {
    ("text", "kling-v2"): {"modellix": "kling-v2-t2i", "apimodels": "kling-v2"},
    ("text", "kling-v2-1"): {"modellix": "kling-v2.1-t2i", "apimodels": "kling-v2-1"},
    ("text", "kling-v3"): {"modellix": "kling-v3-t2i", "apimodels": "kling-v3-image"},
    ("text", "kling-image-o1"): {"modellix": "kling-image-o1", "apimodels": "kling-image-o1"},
    ("image", "kling-v1-5"): {"eachlabs": "kling-v1-5-img-to-img", "modellix": "kling-v1.5-i2i"},
    ("image", "kling-v2"): {"apimodels": "kling-v2"},
    ("image", "kling-v2-new"): {"apimodels": "kling-v2-new"},
    ("image", "kling-v3"): {"modellix": "kling-v3-i2i", "apimodels": "kling-v3-image"},
    ("edit", "kling-image-o1"): {
        "eachlabs": "kling-o1",
        "modellix": "kling-image-o1",
        "apimodels": "kling-image-o1",
    },
    ("multi-image", "kling-v2"): {"modellix": "kling-v2-mi2i", "apimodels": "kling-multi-image"},
    ("multi-image", "kling-v2-1"): {"modellix": "kling-v2.1-mi2i", "apimodels": "kling-multi-image"},
    ("expand", "kling-expand"): {"modellix": "kling-image-expansion", "apimodels": "kling-expand"},
}

EXPANSIONS = "up_expansion_ratio down_expansion_ratio left_expansion_ratio right_expansion_ratio"
MULTI = "prompt aspect_ratio n subject_image scene_image style_image"
RESTYLE = "prompt negative_prompt image image_reference image_fidelity human_fidelity n"
TEXT = "prompt negative_prompt aspect_ratio resolution n"
FIELDS = {
    ("text", "kling-v2", "modellix"): TEXT,
    ("text", "kling-v2", "apimodels"): TEXT,
    ("text", "kling-v2-1", "modellix"): TEXT,
    ("text", "kling-v2-1", "apimodels"): TEXT,
    ("text", "kling-v3", "modellix"): TEXT,
    ("text", "kling-v3", "apimodels"): TEXT,
    ("text", "kling-image-o1", "modellix"): "prompt aspect_ratio resolution n",
    ("text", "kling-image-o1", "apimodels"): TEXT,
    ("image", "kling-v1-5", "eachlabs"): ("prompt image image_reference image_fidelity human_fidelity aspect_ratio n"),
    ("image", "kling-v1-5", "modellix"): (
        "prompt image image_reference image_fidelity human_fidelity aspect_ratio resolution n"
    ),
    ("image", "kling-v2", "apimodels"): f"{RESTYLE} aspect_ratio resolution",
    ("image", "kling-v2-new", "apimodels"): RESTYLE,
    ("image", "kling-v3", "modellix"): "prompt image aspect_ratio resolution n",
    ("image", "kling-v3", "apimodels"): f"{RESTYLE} aspect_ratio resolution",
    ("edit", "kling-image-o1", "eachlabs"): "prompt image aspect_ratio resolution n output_format",
    ("edit", "kling-image-o1", "modellix"): "prompt image aspect_ratio resolution n",
    ("edit", "kling-image-o1", "apimodels"): "prompt image aspect_ratio resolution n",
    ("multi-image", "kling-v2", "modellix"): MULTI,
    ("multi-image", "kling-v2", "apimodels"): MULTI,
    ("multi-image", "kling-v2-1", "modellix"): MULTI,
    ("multi-image", "kling-v2-1", "apimodels"): MULTI,
    ("expand", "kling-expand", "modellix"): f"prompt image {EXPANSIONS} n",
    ("expand", "kling-expand", "apimodels"): f"prompt image {EXPANSIONS} n",
}
RENAMED = {
    ("image", "kling-v1-5", "eachlabs"): {"n": "number_of_images"},
    ("edit", "kling-image-o1", "eachlabs"): {"image": "image_urls", "n": "num_images"},
    ("edit", "kling-image-o1", "modellix"): {"image": "image_list"},
    ("edit", "kling-image-o1", "apimodels"): {"image": "image_url"},
    ("image", "kling-v2", "apimodels"): {"image": "image_url"},
    ("image", "kling-v2-new", "apimodels"): {"image": "image_url"},
    ("image", "kling-v3", "apimodels"): {"image": "image_url"},
    ("multi-image", "kling-v2", "modellix"): {"subject_image": "subject_images"},
    ("multi-image", "kling-v2-1", "modellix"): {"subject_image": "subject_images"},
    ("multi-image", "kling-v2", "apimodels"): {"subject_image": "subject_image_list"},
    ("multi-image", "kling-v2-1", "apimodels"): {"subject_image": "subject_image_list"},
    ("expand", "kling-expand", "apimodels"): {"image": "image_url"},
}
ONLY_1K = {("image", "kling-v1-5", "modellix"), ("image", "kling-v2", "apimodels")}
KNOWS_AUTO = {("edit", "kling-image-o1", "eachlabs"), ("edit", "kling-image-o1", "modellix")}
PRICES = {
    ("edit", "kling-image-o1", "eachlabs"): "$0.028",
    ("text", "kling-v2", "apimodels"): "0.076 credits",
    ("text", "kling-v2-1", "apimodels"): "0.076 credits",
    ("text", "kling-v3", "apimodels"): "0.151 credits",
    ("text", "kling-image-o1", "apimodels"): "1.80 credits",
    ("image", "kling-v2", "apimodels"): "0.151 credits",
    ("image", "kling-v2-new", "apimodels"): "0.151 credits",
    ("image", "kling-v3", "apimodels"): "0.151 credits",
    ("edit", "kling-image-o1", "apimodels"): "1.80 credits",
    ("multi-image", "kling-v2", "apimodels"): "0.302 credits",
    ("multi-image", "kling-v2-1", "apimodels"): "0.302 credits",
    ("expand", "kling-expand", "apimodels"): "0.151 credits",
}
FIXED = {
    ("image", "kling-v1-5", "eachlabs"): {"model": "kling-v1-5"},
    ("multi-image", "kling-v2", "apimodels"): {"multi_model_name": "kling-v2"},
    ("multi-image", "kling-v2-1", "apimodels"): {"multi_model_name": "kling-v2-1"},
}
OFFERS: dict[tuple[str, str, str], Offer] = {
    (row.operation, row.name, offer.provider): offer for row in MODELS for offer in row.offers
}


def test_every_row_is_offered_by_these_providers_under_these_names_and_by_nobody_else() -> None:
    offered = {(row.operation, row.name): {offer.provider: offer.wire_model for offer in row.offers} for row in MODELS}
    assert offered == TABLE


def test_offers_stand_in_the_order_that_auto_falls_back_to() -> None:
    assert PROVIDERS == ("eachlabs", "modellix", "apimodels")
    for row in MODELS:
        order = [PROVIDERS.index(offer.provider) for offer in row.offers]
        assert order == sorted(order)


@pytest.mark.parametrize("key", FIELDS, ids="-".join)
def test_an_offer_has_exactly_these_fields(key: tuple[str, str, str]) -> None:
    assert set(OFFERS[key].wires) == set(FIELDS[key].split())


@pytest.mark.parametrize("key", FIELDS, ids="-".join)
def test_a_field_keeps_its_name_on_the_wire_unless_listed(key: tuple[str, str, str]) -> None:
    renamed = {name: wire.name for name, wire in OFFERS[key].wires.items() if wire.name != name}
    assert renamed == RENAMED.get(key, {})


@pytest.mark.parametrize("key", FIELDS, ids="-".join)
def test_an_offer_takes_every_value_of_a_choice_but_the_listed_ones(key: tuple[str, str, str]) -> None:
    wires = OFFERS[key].wires
    resolutions = ["1k"] if key in ONLY_1K else ["1k", "2k"]
    ratios = [
        "16:9",
        "9:16",
        "1:1",
        "4:3",
        "3:4",
        "3:2",
        "2:3",
        "21:9",
        *(["auto"] if key in KNOWS_AUTO else []),
    ]
    expected = {"resolution": resolutions, "aspect_ratio": ratios, "image_reference": ["subject", "face"]}
    expected["output_format"] = ["png", "jpeg", "webp"]
    for name, offered in expected.items():
        if name in wires:
            assert list(wires[name].values or ()) == offered
    assert {name for name, wire in wires.items() if wire.values is not None} == set(expected) & set(wires)


def test_values_are_spelled_as_ours_but_for_the_upper_case_k_of_eachlabs() -> None:
    spelled = {
        (key, ours): theirs
        for key, offer in OFFERS.items()
        for wire in offer.wires.values()
        for ours, theirs in (wire.values or {}).items()
        if ours != theirs
    }
    o1 = ("edit", "kling-image-o1", "eachlabs")
    assert spelled == {(o1, "1k"): "1K", (o1, "2k"): "2K"}


def test_human_fidelity_goes_only_with_a_subject_at_modellix() -> None:
    bound = {
        (*key, name): wire.only_with
        for key, offer in OFFERS.items()
        for name, wire in offer.wires.items()
        if wire.only_with
    }
    expected = ("image", "kling-v1-5", "modellix", "human_fidelity")
    assert bound == {expected: ("image_reference", "subject")}


def test_numbers_of_pictures() -> None:
    most = {key: wire.at_most for key, offer in OFFERS.items() for wire in offer.wires.values() if wire.at_most}
    assert most == {
        ("edit", "kling-image-o1", "eachlabs"): 10,
        ("edit", "kling-image-o1", "modellix"): 10,
        ("edit", "kling-image-o1", "apimodels"): 1,
        ("multi-image", "kling-v2", "modellix"): 4,
        ("multi-image", "kling-v2", "apimodels"): 4,
        ("multi-image", "kling-v2-1", "modellix"): 4,
        ("multi-image", "kling-v2-1", "apimodels"): 4,
    }


def test_prices_are_known_for_these_and_unknown_for_the_rest() -> None:
    assert {key: str(offer.price) for key, offer in OFFERS.items() if offer.price} == PRICES


def test_constants_that_go_with_every_request() -> None:
    assert {key: dict(offer.fixed) for key, offer in OFFERS.items() if offer.fixed} == FIXED


def test_only_v1_5_at_eachlabs_has_a_version_and_a_stated_time() -> None:
    versions = {key: offer.version for key, offer in OFFERS.items() if offer.version}
    assert versions == {("image", "kling-v1-5", "eachlabs"): "0.0.1"}
    assert OFFERS["image", "kling-v1-5", "eachlabs"].seconds == 50


@pytest.mark.parametrize("key", OFFERS, ids="-".join)
def test_an_offer_can_carry_every_picture_and_names_only_what_its_node_has(key: tuple[str, str, str]) -> None:
    op = operation(key[0])
    roles = {role.name for role in op.pictures}
    assert roles <= set(OFFERS[key].wires) <= roles | {field.name for field in op.fields}


def test_no_model_is_retired() -> None:
    assert [row.name for row in MODELS if row.retired] == []


def test_a_row_is_found_by_operation_and_name() -> None:
    assert model("edit", "kling-image-o1").offers[0].wire_model == "kling-o1"
    with pytest.raises(StopIteration):
        model("edit", "kling-v2")
