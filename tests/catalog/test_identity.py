"""What a request is: the rule by which nothing is paid for twice."""

from __future__ import annotations

import pytest
from hypothesis import given as given_by_hypothesis
from hypothesis import strategies as st

from kling_pack.catalog.frames import Picture
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import IDENTITY_RULE, Request, build_requests

A, B, C = (Picture(1024, 768, letter * 64) for letter in "abc")
GOLDEN = [
    (
        "text",
        {"prompt": "a red house"},
        {},
        "a0bb3bd2aca99e3fc6fcc1d44ea3323d566522f3bb1b31f9bef7fc98ae38a1ee",
    ),
    (
        "text",
        {"prompt": "ein rotes Haus 🏠", "model": "kling-v2", "n": 4, "seed": 2**64 - 1},
        {},
        "41179a62c1137de70cbba6ee25a36730a80fb06def397196b2d91586aea43ede",
    ),
    (
        "text",
        {"prompt": "a", "aspect_ratio": "1:1", "resolution": "2k", "negative_prompt": "rain"},
        {},
        "1daf6851373305105425de71b37510f1e6f130951ea7188c5997a6ec44bd4583",
    ),
    (
        "image",
        {"prompt": "a red house"},
        {"image": [A]},
        "1932dad9ec2b1f62f9257df219a8aa4b31b36aed405d867e96fac92eea523e9c",
    ),
    (
        "image",
        {"prompt": "a", "image_reference": "face", "image_fidelity": 0.6, "human_fidelity": 0.1},
        {"image": [A]},
        "506f63f82a0bfe93c3f8d05b3b0f7b32720d936504b14695e37f0d388bb5e23f",
    ),
    (
        "edit",
        {"prompt": "@Image1 on @Image2", "output_format": "webp"},
        {"image_1": [A], "image_2": [B]},
        "13eccb9cb2fc3fb0f8f1a489e5d5466a6b27bc20de41e0a42094c8d06f13acdb",
    ),
    (
        "multi-image",
        {},
        {"subject_image_1": [A, B], "style_image": [C]},
        "3c6a35f5a82bfbca93dac6622bc5779dca07a183b39744b621f19c8f926b3e86",
    ),
    (
        "expand",
        {"right_expansion_ratio": 0.5},
        {"image": [A]},
        "a985cc77ed0d7bb82ccec917ee4f339f19eaecef4f23933ca18ca0fc34fcff39",
    ),
    (
        "expand",
        {"target_aspect": "16:9", "anchor": "top"},
        {"image": [A]},
        "08b0f1ee409563ca50a424718720ff947d42bfcfb03f8108be5abc73e76e0fbf",
    ),
]


def the_only(name: str, given: dict[str, object], sockets: dict[str, list[Picture]]) -> Request:
    (request,) = build_requests(operation(name), given, sockets)
    return request


# Every ledger out there holds these digests. One that changes means that a picture somebody has paid for is
# not found again: raise IDENTITY_RULE together with it, and say in the changelog what is paid again.
@pytest.mark.parametrize(("name", "given", "sockets", "identity"), GOLDEN)
def test_identities_stay_what_they_are(
    name: str, given: dict[str, object], sockets: dict[str, list[Picture]], identity: str
) -> None:
    assert IDENTITY_RULE == 1
    assert the_only(name, given, sockets).identity == identity


BASE: dict[str, dict[str, object]] = {
    "text": {},
    "image": {},
    "edit": {},
    "multi-image": {},
    "expand": {"right_expansion_ratio": 0.5},
}
SOCKETS: dict[str, dict[str, list[Picture]]] = {
    "text": {},
    "image": {"image": [A]},
    "edit": {"image_1": [A], "image_2": [B]},
    "multi-image": {"subject_image_1": [A], "subject_image_2": [B]},
    "expand": {"image": [A]},
}
CHANGES: list[tuple[str, dict[str, object]]] = [
    ("text", {"prompt": "a house."}),
    ("text", {"prompt": "a house "}),
    ("text", {"model": "kling-v2"}),
    ("text", {"aspect_ratio": "1:1"}),
    ("text", {"resolution": "2k"}),
    ("text", {"n": 2}),
    ("text", {"negative_prompt": "rain"}),
    ("text", {"seed": 1}),
    ("image", {"image_reference": "none"}),
    ("image", {"image_reference": "face"}),
    ("image", {"image_fidelity": 0.51}),
    ("image", {"human_fidelity": 0.5}),
    ("image", {"aspect_ratio": "16:9"}),
    ("edit", {"output_format": "jpeg"}),
    ("multi-image", {"model": "kling-v2"}),
    ("expand", {"up_expansion_ratio": 0.1}),
    ("expand", {"down_expansion_ratio": 0.1}),
    ("expand", {"left_expansion_ratio": 0.1}),
    ("expand", {"right_expansion_ratio": 0.6}),
    ("expand", {"target_aspect": "1:1"}),
]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_every_field_the_model_and_the_seed_make_another_request(name: str, change: dict[str, object]) -> None:
    before = the_only(name, {"prompt": "a house", **BASE[name]}, SOCKETS[name])
    after = the_only(name, {"prompt": "a house", **BASE[name], **change}, SOCKETS[name])
    assert before.identity != after.identity


def test_every_field_of_every_operation_is_among_those_changes() -> None:
    changed = {name for _, change in CHANGES for name in change}
    fields = {field.name for name in BASE for field in operation(name).fields}
    assert fields - {"anchor"} <= changed


def test_the_anchor_matters_where_a_shape_is_reached_and_only_there() -> None:
    def identity(**given: object) -> str:
        return the_only("expand", {"right_expansion_ratio": 0.5, **given}, {"image": [A]}).identity

    assert identity(target_aspect="16:9", anchor="left") != identity(target_aspect="16:9", anchor="right")
    assert identity(anchor="left") == identity(anchor="right")
    assert identity(target_aspect="16:9", anchor="top") == identity(target_aspect="16:9", anchor="bottom")


def test_a_shape_and_the_ratios_that_reach_it_are_the_same_request() -> None:
    square = {"image": [Picture(1000, 1000, "d" * 64)]}
    by_shape = the_only("expand", {"target_aspect": "16:9", "anchor": "left"}, square)
    by_ratio = the_only("expand", {"right_expansion_ratio": 0.7777}, square)
    assert by_shape.identity == by_ratio.identity


@pytest.mark.parametrize(
    "sockets",
    [
        {"image_1": [C], "image_2": [B]},
        {"image_1": [B], "image_2": [A]},
        {"image_1": [A]},
        {"image_1": [A], "image_2": [B], "image_3": [B]},
    ],
)
def test_pixels_order_and_number_of_pictures_make_another_request(sockets: dict[str, list[Picture]]) -> None:
    before = the_only("edit", {"prompt": "a house"}, SOCKETS["edit"])
    assert before.identity != the_only("edit", {"prompt": "a house"}, sockets).identity


def test_the_role_of_a_picture_makes_another_request() -> None:
    scene = the_only("multi-image", {}, {"subject_image_1": [A], "scene_image": [B]})
    style = the_only("multi-image", {}, {"subject_image_1": [A], "style_image": [B]})
    subject = the_only("multi-image", {}, {"subject_image_1": [A, B]})
    assert len({scene.identity, style.identity, subject.identity}) == 3


def test_the_operation_makes_another_request() -> None:
    given: dict[str, object] = {"prompt": "a house", "model": "kling-image-o1"}
    assert the_only("edit", given, {"image_1": [A]}).identity != the_only("text", given, {}).identity


@pytest.mark.parametrize(
    "same",
    [
        {"provider": "eachlabs"},
        {"provider": "sandbox"},
        {"wait": False},
        {"n": 1, "resolution": "1k", "aspect_ratio": "auto", "seed": 0, "model": "kling-v1-5"},
        {"image_reference": "subject", "image_fidelity": 0.5, "human_fidelity": 0.45, "negative_prompt": ""},
        {"n": 1.0},
    ],
)
def test_provider_wait_and_defaults_spelled_out_make_no_other_request(same: dict[str, object]) -> None:
    before = the_only("image", {"prompt": "a house"}, SOCKETS["image"])
    after = the_only("image", {"prompt": "a house", **same}, SOCKETS["image"])
    assert before.identity == after.identity


def test_numbers_are_one_value_however_they_are_written() -> None:
    def identity(value: float) -> str:
        return the_only("image", {"prompt": "a", "image_fidelity": value}, SOCKETS["image"]).identity

    assert identity(1) == identity(1.0)
    assert identity(0) == identity(0.0) == identity(-0.0)


def test_sockets_and_batches_with_the_same_pictures_in_the_same_order_are_the_same_request() -> None:
    batch = the_only("edit", {"prompt": "a"}, {"image_1": [A, B, C]})
    sockets = the_only("edit", {"prompt": "a"}, {"image_3": [C], "image_1": [A], "image_2": [B]})
    with_a_gap = the_only("edit", {"prompt": "a"}, {"image_1": [A], "image_5": [B, C]})
    assert batch.identity == sockets.identity == with_a_gap.identity


SAFE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0@"), min_size=1, max_size=60)


@given_by_hypothesis(SAFE, SAFE, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_equal_identities_mean_equal_requests(one: str, other: str, seed: int, other_seed: int) -> None:
    def identity(text: str, number: int) -> str:
        return the_only("text", {"prompt": "x" + text, "seed": number}, {}).identity

    equal = (one, seed) == (other, other_seed)
    assert (identity(one, seed) == identity(other, other_seed)) is equal
