"""Inputs of the generating nodes: names, order, defaults and ranges that saved workflows rely on."""

from __future__ import annotations

import pytest

from kling_pack.catalog.fields import Choice, Number, Text
from kling_pack.catalog.models import MODELS
from kling_pack.catalog.operations import OPERATIONS, SEED, operation
from kling_pack.catalog.request import PROVIDER_CHOICES

EIGHT = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
EXPANSIONS = ("up_expansion_ratio", "down_expansion_ratio", "left_expansion_ratio", "right_expansion_ratio")

INPUTS = {
    "KlingT2I": (
        "prompt model aspect_ratio provider resolution n negative_prompt seed wait",
        ("kling-v3", "kling-v2-1", "kling-v2", "kling-image-o1"),
    ),
    "KlingI2I": (
        (
            "image prompt model image_reference image_fidelity human_fidelity aspect_ratio "
            "provider resolution n negative_prompt seed wait"
        ),
        ("kling-v1-5", "kling-v2", "kling-v2-new", "kling-v3"),
    ),
    "KlingO1Edit": (
        (
            "prompt image_1 image_2 image_3 image_4 image_5 image_6 image_7 image_8 image_9 image_10 "
            "model aspect_ratio output_format provider resolution n seed wait"
        ),
        ("kling-image-o1",),
    ),
    "KlingMultiImage": (
        (
            "prompt subject_image_1 subject_image_2 subject_image_3 subject_image_4 scene_image style_image "
            "model aspect_ratio provider n seed wait"
        ),
        ("kling-v2-1", "kling-v2"),
    ),
    "KlingExpand": (
        (
            "image prompt up_expansion_ratio down_expansion_ratio left_expansion_ratio right_expansion_ratio "
            "target_aspect anchor model provider n seed wait"
        ),
        ("kling-expand",),
    ),
}

CHOICES = {
    ("text", "aspect_ratio"): (EIGHT, "16:9"),
    ("image", "aspect_ratio"): (("auto", *EIGHT), "auto"),
    ("edit", "aspect_ratio"): (("auto", *EIGHT), "auto"),
    ("multi-image", "aspect_ratio"): (EIGHT, "16:9"),
    ("image", "image_reference"): (("none", "subject", "face"), "subject"),
    ("edit", "output_format"): (("png", "jpeg", "webp"), "png"),
    ("expand", "target_aspect"): (("off", *EIGHT), "off"),
    ("expand", "anchor"): (("center", "top", "bottom", "left", "right"), "center"),
    ("text", "resolution"): (("1k", "2k"), "1k"),
    ("image", "resolution"): (("1k", "2k"), "1k"),
    ("edit", "resolution"): (("1k", "2k"), "1k"),
}

NUMBERS = {
    ("image", "image_fidelity"): (0, 1, 0.5),
    ("image", "human_fidelity"): (0, 1, 0.45),
    **{(name, "n"): (1, 9, 1) for name in ("text", "image", "edit", "multi-image", "expand")},
    **{("expand", name): (0, 2, 0) for name in EXPANSIONS},
}

TEXTS = {
    ("text", "prompt"): True,
    ("image", "prompt"): True,
    ("edit", "prompt"): True,
    ("multi-image", "prompt"): False,
    ("expand", "prompt"): False,
    ("text", "negative_prompt"): False,
    ("image", "negative_prompt"): False,
}


@pytest.mark.parametrize("node_id", INPUTS)
def test_a_node_has_these_inputs_in_this_order_and_these_models(node_id: str) -> None:
    op = next(op for op in OPERATIONS if op.node_id == node_id)
    inputs, models = INPUTS[node_id]
    assert op.inputs == tuple(inputs.split())
    assert op.models == models


def test_there_are_no_other_nodes() -> None:
    assert [op.node_id for op in OPERATIONS] == list(INPUTS)


def test_the_fields_of_all_operations_are_these() -> None:
    fields = {(op.name, field.name): field for op in OPERATIONS for field in op.fields}
    assert set(fields) == {*CHOICES, *NUMBERS, *TEXTS}
    choices = {key: (f.options, f.default) for key, f in fields.items() if isinstance(f, Choice)}
    numbers = {key: (f.low, f.high, f.default) for key, f in fields.items() if isinstance(f, Number)}
    texts = {key: f.required for key, f in fields.items() if isinstance(f, Text)}
    assert (choices, numbers, texts) == (CHOICES, NUMBERS, TEXTS)


def test_texts_hold_2500_characters_and_start_empty() -> None:
    texts = [field for op in OPERATIONS for field in op.fields if isinstance(field, Text)]
    assert {(text.longest, text.default) for text in texts} == {(2500, "")}


def test_a_seed_is_any_number_of_64_bits() -> None:
    assert (SEED.low, SEED.high, SEED.default) == (0, 18446744073709551615, 0)
    assert SEED.check(18446744073709551615) == 18446744073709551615


def test_a_provider_may_be_left_open_or_named() -> None:
    assert PROVIDER_CHOICES == ("auto", "eachlabs", "modellix", "apimodels", "sandbox")


def test_pictures_of_each_operation() -> None:
    roles = {
        op.name: {role.name: (role.at_least, role.at_most, role.each_is_a_task) for role in op.pictures}
        for op in OPERATIONS
    }
    assert roles == {
        "text": {},
        "image": {"image": (1, 1, True)},
        "edit": {"image": (1, 10, False)},
        "multi-image": {
            "subject_image": (1, 4, False),
            "scene_image": (0, 1, False),
            "style_image": (0, 1, False),
        },
        "expand": {"image": (1, 1, True)},
    }


def test_only_expand_has_a_mask() -> None:
    assert [op.name for op in OPERATIONS if op.has_mask] == ["expand"]


def test_ratios_that_follow_the_picture_are_offered_where_there_is_one_to_follow() -> None:
    assert [op.name for op in OPERATIONS if op.has_auto_ratio] == ["image", "edit"]


def test_every_model_of_an_operation_has_its_row_and_every_row_its_place() -> None:
    rows = [(row.operation, row.name) for row in MODELS]
    assert sorted(rows) == sorted((op.name, model) for op in OPERATIONS for model in op.models)


def test_an_unknown_operation_is_a_mistake_in_the_pack() -> None:
    with pytest.raises(StopIteration):
        operation("video")
