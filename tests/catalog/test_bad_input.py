"""Everything a node's inputs can get wrong, each with the whole message that the user sees.

A refused run has no request, so there is nothing that could be sent or paid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from kling_pack.catalog.operations import EXPANSION_RATIOS
from kling_pack.errors import InputError

BIG = "1024x768"
N = "Nothing was sent and nothing was paid"
EIGHT = "16:9, 9:16, 1:1, 4:3, 3:4, 3:2, 2:3, 21:9"
PROVIDERS = "auto, eachlabs, modellix, apimodels, sandbox"
TEXT_MODELS = "kling-v3, kling-v2-1, kling-v2, kling-image-o1"

Case = tuple[str, dict[str, Any], dict[str, Any], str]
TEXTS: list[Case] = [
    ("text", {"prompt": ""}, {}, f"prompt is ''; it must be a text of 1 to 2500 characters. {N}."),
    (
        "text",
        {"prompt": "  \n\t"},
        {},
        f"prompt is '  \\n\\t'; it must be a text of 1 to 2500 characters. {N}.",
    ),
    ("text", {"prompt": None}, {}, f"prompt is None; it must be a text of 1 to 2500 characters. {N}."),
    ("text", {"prompt": 5}, {}, f"prompt is 5; it must be a text of 1 to 2500 characters. {N}."),
    (
        "text",
        {"prompt": ["a", "b"]},
        {},
        f"prompt is ['a', 'b']; it must be a text of 1 to 2500 characters. {N}.",
    ),
    (
        "text",
        {"prompt": "x" * 2501},
        {},
        f"prompt has 2501 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
    (
        "text",
        {"prompt": "half \ud83d"},
        {},
        f"prompt has the broken character U+D83D at place 6. {N}: take it out and run again.",
    ),
    (
        "text",
        {"prompt": "a\0b"},
        {},
        f"prompt has the broken character U+0000 at place 2. {N}: take it out and run again.",
    ),
    (
        "text",
        {"negative_prompt": "x" * 2501},
        {},
        (f"negative_prompt has 2501 characters; at most 2500 are allowed. {N}: shorten it and run again."),
    ),
    (
        "text",
        {"negative_prompt": 1.5},
        {},
        f"negative_prompt is 1.5; it must be a text of at most 2500 characters. {N}.",
    ),
    ("image", {"prompt": " "}, {}, f"prompt is ' '; it must be a text of 1 to 2500 characters. {N}."),
    ("edit", {"prompt": ""}, {}, f"prompt is ''; it must be a text of 1 to 2500 characters. {N}."),
    (
        "multi-image",
        {"prompt": "x" * 2600},
        {},
        f"prompt has 2600 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
    (
        "expand",
        {"prompt": False, "up_expansion_ratio": 1},
        {},
        f"prompt is False; it must be a text of at most 2500 characters. {N}.",
    ),
]
CHOICES: list[Case] = [
    ("text", {"aspect_ratio": "auto"}, {}, f"aspect_ratio is 'auto'; it must be one of {EIGHT}. {N}."),
    ("text", {"aspect_ratio": "5:4"}, {}, f"aspect_ratio is '5:4'; it must be one of {EIGHT}. {N}."),
    ("text", {"aspect_ratio": 1.78}, {}, f"aspect_ratio is 1.78; it must be one of {EIGHT}. {N}."),
    ("text", {"resolution": "4k"}, {}, f"resolution is '4k'; it must be one of 1k, 2k. {N}."),
    ("text", {"resolution": "1K"}, {}, f"resolution is '1K'; it must be one of 1k, 2k. {N}."),
    ("image", {"aspect_ratio": "16x9"}, {}, f"aspect_ratio is '16x9'; it must be one of auto, {EIGHT}. {N}."),
    (
        "image",
        {"image_reference": "Subject"},
        {},
        f"image_reference is 'Subject'; it must be one of none, subject, face. {N}.",
    ),
    (
        "image",
        {"image_reference": ""},
        {},
        f"image_reference is ''; it must be one of none, subject, face. {N}.",
    ),
    (
        "edit",
        {"output_format": "jpg"},
        {},
        f"output_format is 'jpg'; it must be one of png, jpeg, webp. {N}.",
    ),
    ("edit", {"aspect_ratio": None}, {}, f"aspect_ratio is None; it must be one of auto, {EIGHT}. {N}."),
    ("multi-image", {"aspect_ratio": "auto"}, {}, f"aspect_ratio is 'auto'; it must be one of {EIGHT}. {N}."),
    (
        "expand",
        {"target_aspect": "auto"},
        {},
        f"target_aspect is 'auto'; it must be one of off, {EIGHT}. {N}.",
    ),
    (
        "expand",
        {"anchor": "middle", "target_aspect": "16:9"},
        {},
        f"anchor is 'middle'; it must be one of center, top, bottom, left, right. {N}.",
    ),
]
NUMBERS: list[Case] = [
    ("text", {"n": 0}, {}, f"n is 0; it must be a whole number from 1 to 9. {N}."),
    ("text", {"n": 10}, {}, f"n is 10; it must be a whole number from 1 to 9. {N}."),
    ("text", {"n": 1.5}, {}, f"n is 1.5; it must be a whole number from 1 to 9. {N}."),
    ("text", {"n": "2"}, {}, f"n is '2'; it must be a whole number from 1 to 9. {N}."),
    ("text", {"n": True}, {}, f"n is True; it must be a whole number from 1 to 9. {N}."),
    ("text", {"n": math.nan}, {}, f"n is nan; it must be a whole number from 1 to 9. {N}."),
    (
        "text",
        {"n": 10**400},
        {},
        (
            "n is 100000000000000000000000000000000000000000000000000000000...; it must be a whole "
            f"number from 1 to 9. {N}."
        ),
    ),
    ("text", {"seed": -1}, {}, f"seed is -1; it must be a whole number from 0 to 18446744073709551615. {N}."),
    (
        "text",
        {"seed": 2**64},
        {},
        (f"seed is 18446744073709551616; it must be a whole number from 0 to 18446744073709551615. {N}."),
    ),
    (
        "text",
        {"seed": "fixed"},
        {},
        f"seed is 'fixed'; it must be a whole number from 0 to 18446744073709551615. {N}.",
    ),
    (
        "image",
        {"image_fidelity": -0.01},
        {},
        f"image_fidelity is -0.01; it must be a number from 0 to 1. {N}.",
    ),
    ("image", {"image_fidelity": 1.01}, {}, f"image_fidelity is 1.01; it must be a number from 0 to 1. {N}."),
    (
        "image",
        {"image_fidelity": math.nan},
        {},
        f"image_fidelity is nan; it must be a number from 0 to 1. {N}.",
    ),
    (
        "image",
        {"human_fidelity": math.inf},
        {},
        f"human_fidelity is inf; it must be a number from 0 to 1. {N}.",
    ),
    (
        "image",
        {"human_fidelity": False},
        {},
        f"human_fidelity is False; it must be a number from 0 to 1. {N}.",
    ),
    ("image", {"human_fidelity": None}, {}, f"human_fidelity is None; it must be a number from 0 to 1. {N}."),
    (
        "expand",
        {"up_expansion_ratio": 2.01},
        {},
        f"up_expansion_ratio is 2.01; it must be a number from 0 to 2. {N}.",
    ),
    (
        "expand",
        {"left_expansion_ratio": -0.5},
        {},
        f"left_expansion_ratio is -0.5; it must be a number from 0 to 2. {N}.",
    ),
    (
        "expand",
        {"down_expansion_ratio": "1"},
        {},
        f"down_expansion_ratio is '1'; it must be a number from 0 to 2. {N}.",
    ),
]
MODELS_AND_PROVIDERS: list[Case] = [
    ("text", {"model": "kling-v1-5"}, {}, f"model is 'kling-v1-5'; it must be one of {TEXT_MODELS}. {N}."),
    ("text", {"model": "Kling-V3"}, {}, f"model is 'Kling-V3'; it must be one of {TEXT_MODELS}. {N}."),
    (
        "image",
        {"model": "kling-image-o1"},
        {},
        (f"model is 'kling-image-o1'; it must be one of kling-v1-5, kling-v2, kling-v2-new, kling-v3. {N}."),
    ),
    ("edit", {"model": "kling-v3"}, {}, f"model is 'kling-v3'; it must be kling-image-o1. {N}."),
    ("multi-image", {"model": None}, {}, f"model is None; it must be one of kling-v2-1, kling-v2. {N}."),
    (
        "expand",
        {"model": "x" * 500, "up_expansion_ratio": 1},
        {},
        (f"model is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...; it must be kling-expand. {N}."),
    ),
    ("text", {"provider": "fal"}, {}, f"provider is 'fal'; it must be one of {PROVIDERS}. {N}."),
    ("image", {"provider": "EachLabs"}, {}, f"provider is 'EachLabs'; it must be one of {PROVIDERS}. {N}."),
    (
        "edit",
        {"provider": ["eachlabs"]},
        {},
        f"provider is ['eachlabs']; it must be one of {PROVIDERS}. {N}.",
    ),
]
PICTURES: list[Case] = [
    ("image", {}, {"image": None}, f"image has no picture; it needs one. {N}: connect it."),
    ("image", {}, {"image": []}, f"image has no picture; it needs one. {N}: connect it."),
    ("edit", {}, {"image_1": None}, f"image_1 has no picture; it needs one. {N}: connect it."),
    (
        "edit",
        {},
        {"image_1": None, "image_2": [BIG]},
        f"image_1 has no picture; it needs one. {N}: connect it.",
    ),
    (
        "multi-image",
        {},
        {"subject_image_1": None, "scene_image": [BIG]},
        f"subject_image_1 has no picture; it needs one. {N}: connect it.",
    ),
    (
        "expand",
        {"up_expansion_ratio": 1},
        {"image": None},
        f"image has no picture; it needs one. {N}: connect it.",
    ),
    (
        "image",
        {},
        {"image": ["299x1000"]},
        f"image is 299×1000 pixels; each side must be at least 300. {N}: scale it up first.",
    ),
    (
        "image",
        {},
        {"image": ["1000x64"]},
        f"image is 1000×64 pixels; each side must be at least 300. {N}: scale it up first.",
    ),
    (
        "image",
        {},
        {"image": [BIG, "2000x799"]},
        f"image is 2000×799 pixels; its ratio must be from 1:2.5 to 2.5:1. {N}: crop it first.",
    ),
    (
        "edit",
        {},
        {"image_3": ["400x1001"]},
        f"image_3 is 400×1001 pixels; its ratio must be from 1:2.5 to 2.5:1. {N}: crop it first.",
    ),
    (
        "multi-image",
        {},
        {"style_image": ["8x8"]},
        f"style_image is 8×8 pixels; each side must be at least 300. {N}: scale it up first.",
    ),
    (
        "multi-image",
        {},
        {"scene_image": ["3000x1000"]},
        (f"scene_image is 3000×1000 pixels; its ratio must be from 1:2.5 to 2.5:1. {N}: crop it first."),
    ),
    (
        "edit",
        {},
        {"image_1": [BIG] * 11},
        (
            "image_1 to image_10 hold 11 pictures, with every picture of a batch counted; at most 10 "
            f"are allowed. {N}: use fewer."
        ),
    ),
    (
        "edit",
        {},
        {"image_1": [BIG] * 6, "image_7": [BIG] * 6},
        (
            "image_1 to image_10 hold 12 pictures, with every picture of a batch counted; at most 10 "
            f"are allowed. {N}: use fewer."
        ),
    ),
    (
        "multi-image",
        {},
        {"subject_image_1": [BIG] * 5},
        (
            "subject_image_1 to subject_image_4 hold 5 pictures, with every picture of a batch counted; "
            f"at most 4 are allowed. {N}: use fewer."
        ),
    ),
    (
        "multi-image",
        {},
        {"scene_image": [BIG] * 2},
        f"scene_image has a batch of 2 pictures; it takes one. {N}: choose one of them.",
    ),
    (
        "multi-image",
        {},
        {"style_image": [BIG] * 3},
        f"style_image has a batch of 3 pictures; it takes one. {N}: choose one of them.",
    ),
]
NAMES: list[Case] = [
    (
        "text",
        {"prompt": "as in @Image1"},
        {},
        f"prompt names @Image1, but no picture is sent with it. {N}: leave the name out.",
    ),
    (
        "text",
        {"prompt": "as in @image"},
        {},
        f"prompt names @image, but no picture is sent with it. {N}: leave the name out.",
    ),
    (
        "image",
        {"prompt": "@Image2"},
        {},
        (f"prompt names @Image2, but there is only @Image1. {N}: correct the name or connect the picture."),
    ),
    (
        "edit",
        {"prompt": "@Image2 as a cat"},
        {},
        (f"prompt names @Image2, but there is only @Image1. {N}: correct the name or connect the picture."),
    ),
    (
        "edit",
        {"prompt": "@Image1 and @image4"},
        {"image_2": [BIG], "image_3": [BIG]},
        (f"prompt names @image4, but there are only @Image1 to @Image3. {N}: correct the name or connect the picture."),
    ),
    (
        "edit",
        {"prompt": "@Image0"},
        {},
        (f"prompt names @Image0, but there is only @Image1. {N}: correct the name or connect the picture."),
    ),
    (
        "edit",
        {"prompt": "paint @Image"},
        {"image_2": [BIG]},
        (
            f"prompt names @Image, which stands for a single picture, but 2 are connected. {N}: write "
            "@Image1 to @Image2."
        ),
    ),
    (
        "edit",
        {"prompt": "@Image2"},
        {"image_3": [BIG]},
        (
            "prompt names @Image2, but image_2 is empty while a later socket is connected, so the "
            f"numbers would not match the sockets. {N}: connect the pictures without a gap."
        ),
    ),
    (
        "multi-image",
        {"prompt": "@Image1 there"},
        {"subject_image_4": [BIG]},
        (
            "prompt names @Image1, but subject_image_2 is empty while a later socket is connected, so "
            f"the numbers would not match the sockets. {N}: connect the pictures without a gap."
        ),
    ),
    (
        "multi-image",
        {"prompt": "@Image3"},
        {"scene_image": [BIG]},
        (f"prompt names @Image3, but there are only @Image1 to @Image2. {N}: correct the name or connect the picture."),
    ),
]
EXPANSIONS: list[Case] = [
    (
        "expand",
        {},
        {},
        (
            f"All four expansion ratios are 0, so there is nothing to paint. {N}: set "
            "up_expansion_ratio, down_expansion_ratio, left_expansion_ratio or right_expansion_ratio "
            "above 0, at most 2, or choose a target_aspect."
        ),
    ),
    (
        "expand",
        {"up_expansion_ratio": 0, "anchor": "top"},
        {},
        (
            f"All four expansion ratios are 0, so there is nothing to paint. {N}: set "
            "up_expansion_ratio, down_expansion_ratio, left_expansion_ratio or right_expansion_ratio "
            "above 0, at most 2, or choose a target_aspect."
        ),
    ),
    (
        "expand",
        {"up_expansion_ratio": 2, "left_expansion_ratio": 0.01},
        {},
        (
            "The expansion ratios (up 2, down 0, left 0.01, right 0) make the new area 3.03 times the "
            f"original; at most 3 times is allowed. {N}: lower a ratio."
        ),
    ),
    (
        "expand",
        dict.fromkeys(EXPANSION_RATIOS, 2),
        {},
        (
            "The expansion ratios (up 2, down 2, left 2, right 2) make the new area 25 times the "
            f"original; at most 3 times is allowed. {N}: lower a ratio."
        ),
    ),
    (
        "expand",
        {"up_expansion_ratio": 1, "down_expansion_ratio": 1.0001},
        {},
        (
            "The expansion ratios (up 1, down 1.0001, left 0, right 0) make the new area 3.0001 times "
            f"the original; at most 3 times is allowed. {N}: lower a ratio."
        ),
    ),
    (
        "expand",
        {"target_aspect": "4:3"},
        {},
        (
            "target_aspect is 4:3, which the picture of 1024×768 has already, so there is nothing to "
            f"paint. {N}: choose another shape, or off and the four expansion ratios."
        ),
    ),
    (
        "expand",
        {"target_aspect": "16:9"},
        {"image": ["1366x768"]},
        (
            "target_aspect is 16:9, which the picture of 1366×768 has already, so there is nothing to "
            f"paint. {N}: choose another shape, or off and the four expansion ratios."
        ),
    ),
    (
        "expand",
        {"target_aspect": "21:9"},
        {"image": ["400x1000"]},
        (
            "target_aspect 21:9 would make the new area 5.8332 times the picture of 400×1000; at most 3 "
            f"times is allowed. {N}: choose a shape nearer to the picture's."
        ),
    ),
    (
        "expand",
        {"target_aspect": "9:16"},
        {"image": [BIG, "1000x400"]},
        (
            "target_aspect 9:16 would make the new area 4.4444 times the picture of 1000×400; at most 3 "
            f"times is allowed. {N}: choose a shape nearer to the picture's."
        ),
    ),
]


@pytest.mark.parametrize(
    ("operation", "given", "sockets", "message"),
    [*TEXTS, *CHOICES, *NUMBERS, *MODELS_AND_PROVIDERS, *PICTURES, *NAMES, *EXPANSIONS],
    ids=lambda value: value[:70] if isinstance(value, str) else "",
)
def test_bad_input_is_refused_with_this_message(
    operation: str, given: dict[str, Any], sockets: dict[str, Any], message: str, ask: Callable[..., object]
) -> None:
    with pytest.raises(InputError) as caught:
        ask(operation, given, **sockets)
    assert str(caught.value) == message
    assert N in message
