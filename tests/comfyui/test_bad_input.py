"""What users get wrong in real ComfyUI: the message they see, and that nothing of it ever reached a provider.

The whole table of what a value can be is in `tests/catalog/test_bad_input.py`; here ComfyUI stands in between. What
its own validation refuses carries its words and never reaches the pack.
"""

from __future__ import annotations

from typing import Any

import pytest
from comfyui import ComfyUI
from graphs import Graph, graph, node
from truth import error_of, stats, until

from kling_pack.catalog.models import PROVIDERS
from kling_pack.sandbox.server import Sandbox

N = "Nothing was sent and nothing was paid"
ASKED = "Nothing was asked"
EIGHT = "16:9, 9:16, 1:1, 4:3, 3:4, 3:2, 2:3, 21:9"
TEXT_MODELS = "kling-v3, kling-v2-1, kling-v2, kling-image-o1"
OFFERERS = "auto, eachlabs, modellix, apimodels, sandbox"
CORE = "ComfyUI: "
"""Stands before a message that ComfyUI's own validation gives when the prompt is queued."""

WIDE, TALL, SQUARE, TINY = (["wide", 0], ["tall", 0], ["square", 0], ["tiny", 0])


def picture(width: int, height: int, batch: int = 1) -> dict[str, Any]:
    return node("EmptyImage", width=width, height=height, batch_size=batch, color=0)


PICTURES: Graph = {
    **{name: node("LoadImage", image=f"{name}.png") for name in ("wide", "tall", "square", "tiny")},
    "two": picture(512, 512, 2),
    "three": picture(512, 512, 3),
    "five": picture(512, 512, 5),
    "six": picture(512, 512, 6),
    "eleven": picture(512, 512, 11),
    "narrow": picture(299, 600),
    "low": picture(600, 128),
    "panorama": picture(1001, 400),
    "tower": picture(400, 1001),
    "mask": node("SolidMask", value=1.0, width=512, height=512),
    "number": node("PrimitiveInt", value=10),
    "nothing": node("PrimitiveString", value=""),
    "words": node("PrimitiveStringMultiline", value="x" * 2501),
    "fraction": node("PrimitiveFloat", value=1.5),
}

Case = tuple[str, dict[str, Any], str]
"""Operation, inputs that differ from a good graph's (None takes one away), what the user sees."""

TEXTS: list[Case] = [
    ("text", {"prompt": ""}, f"prompt is ''; it must be a text of 1 to 2500 characters. {N}."),
    ("text", {"prompt": " \n\t"}, f"prompt is ' \\n\\t'; it must be a text of 1 to 2500 characters. {N}."),
    ("text", {"prompt": ["nothing", 0]}, f"prompt is ''; it must be a text of 1 to 2500 characters. {N}."),
    (
        "text",
        {"prompt": "x" * 2501},
        f"prompt has 2501 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
    (
        "multi-image",
        {"prompt": ["words", 0]},
        f"prompt has 2501 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
    (
        "text",
        {"negative_prompt": "x" * 2600},
        f"negative_prompt has 2600 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
    ("text", {"prompt": "a\0b"}, f"prompt has the broken character U+0000 at place 2. {N}: take it out and run again."),
    ("image", {"prompt": ""}, f"prompt is ''; it must be a text of 1 to 2500 characters. {N}."),
    ("edit", {"prompt": "  "}, f"prompt is '  '; it must be a text of 1 to 2500 characters. {N}."),
    ("text", {"prompt": None}, f"{CORE}Required input is missing: prompt"),
    (
        "expand",
        {"prompt": "y" * 3000},
        f"prompt has 3000 characters; at most 2500 are allowed. {N}: shorten it and run again.",
    ),
]
CHOICES: list[Case] = [
    ("text", {"aspect_ratio": "auto"}, f"aspect_ratio is 'auto'; it must be one of {EIGHT}. {N}."),
    ("text", {"aspect_ratio": "5:4"}, f"aspect_ratio is '5:4'; it must be one of {EIGHT}. {N}."),
    ("text", {"aspect_ratio": 1.78}, f"aspect_ratio is 1.78; it must be one of {EIGHT}. {N}."),
    ("text", {"resolution": "4k"}, f"resolution is '4k'; it must be one of 1k, 2k. {N}."),
    ("text", {"resolution": "2K"}, f"resolution is '2K'; it must be one of 1k, 2k. {N}."),
    (
        "text",
        {"resolution": ["nothing", 0]},
        f"{CORE}Return type mismatch between linked nodes: resolution, "
        "received_type(STRING) mismatch input_type(COMBO)",
    ),
    ("image", {"aspect_ratio": "16x9"}, f"aspect_ratio is '16x9'; it must be one of auto, {EIGHT}. {N}."),
    (
        "image",
        {"image_reference": "Face"},
        f"image_reference is 'Face'; it must be one of none, subject, face. {N}.",
    ),
    ("edit", {"output_format": "jpg"}, f"output_format is 'jpg'; it must be one of png, jpeg, webp. {N}."),
    ("edit", {"resolution": True}, f"resolution is True; it must be one of 1k, 2k. {N}."),
    ("multi-image", {"aspect_ratio": "auto"}, f"aspect_ratio is 'auto'; it must be one of {EIGHT}. {N}."),
    ("expand", {"target_aspect": "auto"}, f"target_aspect is 'auto'; it must be one of off, {EIGHT}. {N}."),
    (
        "expand",
        {"target_aspect": "16:9", "anchor": "middle"},
        f"anchor is 'middle'; it must be one of center, top, bottom, left, right. {N}.",
    ),
    ("text", {"model": "kling-v1-5"}, f"model is 'kling-v1-5'; it must be one of {TEXT_MODELS}. {N}."),
    ("text", {"model": "Kling-V3"}, f"model is 'Kling-V3'; it must be one of {TEXT_MODELS}. {N}."),
    (
        "image",
        {"model": "kling-image-o1"},
        f"model is 'kling-image-o1'; it must be one of kling-v1-5, kling-v2, kling-v2-new, kling-v3. {N}.",
    ),
    ("edit", {"model": "kling-v3"}, f"model is 'kling-v3'; it must be kling-image-o1. {N}."),
    ("multi-image", {"model": "kling-v3"}, f"model is 'kling-v3'; it must be one of kling-v2-1, kling-v2. {N}."),
    ("expand", {"model": ""}, f"model is ''; it must be kling-expand. {N}."),
    ("text", {"provider": "fal"}, f"provider is 'fal'; it must be one of {OFFERERS}. {N}."),
    ("image", {"provider": "EachLabs"}, f"provider is 'EachLabs'; it must be one of {OFFERERS}. {N}."),
]
NUMBERS: list[Case] = [
    ("text", {"n": 0}, f"{CORE}Value 0 smaller than min of 1: n"),
    ("text", {"n": 10}, f"{CORE}Value 10 bigger than max of 9: n"),
    (
        "text",
        {"n": "two"},
        f"{CORE}Failed to convert an input value to a INT value: n, two, invalid literal for int() with base 10: 'two'",
    ),
    ("text", {"n": ["number", 0]}, f"n is 10; it must be a whole number from 1 to 9. {N}."),
    (
        "text",
        {"n": ["fraction", 0]},
        f"{CORE}Return type mismatch between linked nodes: n, received_type(FLOAT) mismatch input_type(INT)",
    ),
    ("text", {"seed": -1}, f"{CORE}Value -1 smaller than min of 0: seed"),
    ("text", {"seed": 2**64}, f"{CORE}Value 18446744073709551616 bigger than max of 18446744073709551615: seed"),
    ("image", {"image_fidelity": -0.01}, f"{CORE}Value -0.01 smaller than min of 0.0: image_fidelity"),
    ("image", {"image_fidelity": "nan"}, f"image_fidelity is nan; it must be a number from 0 to 1. {N}."),
    ("image", {"image_fidelity": "inf"}, f"{CORE}Value inf bigger than max of 1.0: image_fidelity"),
    ("image", {"human_fidelity": ["fraction", 0]}, f"human_fidelity is 1.5; it must be a number from 0 to 1. {N}."),
    ("expand", {"up_expansion_ratio": 2.01}, f"{CORE}Value 2.01 bigger than max of 2.0: up_expansion_ratio"),
    ("expand", {"left_expansion_ratio": "nan"}, f"left_expansion_ratio is nan; it must be a number from 0 to 2. {N}."),
]
CONNECTIONS: list[Case] = [
    ("image", {"image": None}, f"{CORE}Required input is missing: image"),
    ("edit", {"image_1": None}, f"{CORE}Required input is missing: image_1"),
    ("edit", {"image_1": None, "image_2": WIDE}, f"{CORE}Required input is missing: image_1"),
    ("multi-image", {"subject_image_1": None}, f"{CORE}Required input is missing: subject_image_1"),
    ("expand", {"image": None}, f"{CORE}Required input is missing: image"),
    (
        "image",
        {"image": ["mask", 0]},
        f"{CORE}Return type mismatch between linked nodes: image, received_type(MASK) mismatch input_type(IMAGE)",
    ),
    (
        "image",
        {"image": "wide.png"},
        f"image is a str; it must be an IMAGE, a float tensor [batch, height, width, "
        f"channels] with 1, 3 or 4 channels. {N}.",
    ),
    ("image", {"image": TINY}, f"image is 200×200 pixels; each side must be at least 300. {N}: scale it up first."),
    (
        "image",
        {"image": ["narrow", 0]},
        f"image is 299×600 pixels; each side must be at least 300. {N}: scale it up first.",
    ),
    (
        "edit",
        {"image_2": ["low", 0]},
        f"image_2 is 600×128 pixels; each side must be at least 300. {N}: scale it up first.",
    ),
    (
        "expand",
        {"image": ["panorama", 0]},
        f"image is 1001×400 pixels; its ratio must be from 1:2.5 to 2.5:1. {N}: crop it first.",
    ),
    (
        "multi-image",
        {"style_image": ["tower", 0]},
        f"style_image is 400×1001 pixels; its ratio must be from 1:2.5 to 2.5:1. {N}: crop it first.",
    ),
    (
        "multi-image",
        {"scene_image": ["two", 0]},
        f"scene_image has a batch of 2 pictures; it takes one. {N}: choose one of them.",
    ),
    (
        "multi-image",
        {"style_image": ["three", 0]},
        f"style_image has a batch of 3 pictures; it takes one. {N}: choose one of them.",
    ),
    (
        "multi-image",
        {"subject_image_1": ["five", 0]},
        "subject_image_1 to subject_image_4 hold 5 pictures, with every picture of a batch counted; at most 4 are "
        f"allowed. {N}: use fewer.",
    ),
    (
        "edit",
        {"image_1": ["eleven", 0]},
        "image_1 to image_10 hold 11 pictures, with every picture of a batch counted; at most 10 are allowed. "
        f"{N}: use fewer.",
    ),
    (
        "edit",
        {"image_1": ["six", 0], "image_7": ["six", 0]},
        "image_1 to image_10 hold 12 pictures, with every picture of a batch counted; at most 10 are allowed. "
        f"{N}: use fewer.",
    ),
]
NAMES: list[Case] = [
    (
        "text",
        {"prompt": "as in @Image1"},
        f"prompt names @Image1, but no picture is sent with it. {N}: leave the name out.",
    ),
    (
        "image",
        {"prompt": "@Image2"},
        f"prompt names @Image2, but there is only @Image1. {N}: correct the name or connect the picture.",
    ),
    (
        "edit",
        {"prompt": "@Image0"},
        f"prompt names @Image0, but there is only @Image1. {N}: correct the name or connect the picture.",
    ),
    (
        "edit",
        {"prompt": "@Image1 and @image4", "image_2": TALL, "image_3": SQUARE},
        f"prompt names @image4, but there are only @Image1 to @Image3. {N}: correct the name or connect the picture.",
    ),
    (
        "edit",
        {"prompt": "paint @Image", "image_2": TALL},
        f"prompt names @Image, which stands for a single picture, but 2 are connected. {N}: write @Image1 to @Image2.",
    ),
    (
        "edit",
        {"prompt": "@Image2", "image_3": TALL},
        "prompt names @Image2, but image_2 is empty while a later socket is connected, so the numbers would not match "
        f"the sockets. {N}: connect the pictures without a gap.",
    ),
    (
        "multi-image",
        {"prompt": "@Image1 there", "subject_image_4": TALL},
        "prompt names @Image1, but subject_image_2 is empty while a later socket is connected, so the numbers would "
        f"not match the sockets. {N}: connect the pictures without a gap.",
    ),
]
NOTHING_TO_PAINT = (
    f"All four expansion ratios are 0, so there is nothing to paint. {N}: set up_expansion_ratio, "
    "down_expansion_ratio, left_expansion_ratio or right_expansion_ratio above 0, at most 2, or choose a target_aspect."
)
EXPANSIONS: list[Case] = [
    ("expand", {"right_expansion_ratio": 0}, NOTHING_TO_PAINT),
    (
        "expand",
        {"up_expansion_ratio": 1, "left_expansion_ratio": 1},
        "The expansion ratios (up 1, down 0, left 1, right 0.5) make the new area 5 times the original; at most 3 "
        f"times is allowed. {N}: lower a ratio.",
    ),
    (
        "expand",
        {"image": SQUARE, "target_aspect": "1:1"},
        "target_aspect is 1:1, which the picture of 512×512 has already, so there is nothing to paint. "
        f"{N}: choose another shape, or off and the four expansion ratios.",
    ),
    (
        "expand",
        {"image": TALL, "target_aspect": "21:9"},
        "target_aspect 21:9 would make the new area 3.7332 times the picture of 400×640; at most 3 times is allowed. "
        f"{N}: choose a shape nearer to the picture's.",
    ),
]
ROUTES: list[Case] = [
    (
        "text",
        {"provider": "eachlabs"},
        f"provider is eachlabs, which does not offer kling-v3 for text; modellix and apimodels do. {N}. "
        "Choose one of them, auto or another model.",
    ),
    (
        "image",
        {"model": "kling-v2", "provider": "modellix"},
        f"provider is modellix, which does not offer kling-v2 for image; apimodels does. {N}. "
        "Choose one of them, auto or another model.",
    ),
    (
        "edit",
        {"provider": "apimodels", "image_2": TALL},
        f"2 pictures are connected as image; kling-image-o1 at apimodels takes at most 1. {N}: use fewer pictures or "
        "another provider.",
    ),
]
WRONG_LINE = "it must be provider:id, as eachlabs:abc123, with a provider of eachlabs, modellix, apimodels, sandbox."
HANDLES: list[Case] = [
    ("poll", {"task": ""}, f"task is empty; it must hold one handle a line, such as eachlabs:abc123. {ASKED}."),
    ("poll", {"task": " \n "}, f"task is empty; it must hold one handle a line, such as eachlabs:abc123. {ASKED}."),
    ("poll", {"task": "abc123"}, f"task has the line 'abc123'; {WRONG_LINE} {ASKED}."),
    ("poll", {"task": "fal:abc123"}, f"task has the line 'fal:abc123'; {WRONG_LINE} {ASKED}."),
    ("poll", {"task": "eachlabs:../../key"}, f"task has the line 'eachlabs:../../key'; {WRONG_LINE} {ASKED}."),
    ("poll", {"task": "eachlabs:ok\nmodellix:"}, f"task has the line 'modellix:'; {WRONG_LINE} {ASKED}."),
    ("poll", {"task": "modellix:a?x=1"}, f"task has the line 'modellix:a?x=1'; {WRONG_LINE} {ASKED}."),
    (
        "poll",
        {"task": "eachlabs:~999999"},
        f"task is eachlabs:~999999, which is not in this ledger. {ASKED} and nothing was paid.",
    ),
    ("poll", {"task": "sandbox:abc"}, f"task is sandbox:abc, which no sandbox gave out. {ASKED} and nothing was paid."),
    ("poll", {"task": "eachlabs:abc", "timeout": -1}, f"{CORE}Value -1 smaller than min of 0: timeout"),
    ("poll", {"task": "eachlabs:abc", "timeout": 86401}, f"{CORE}Value 86401 bigger than max of 86400: timeout"),
]
CASES = [*TEXTS, *CHOICES, *NUMBERS, *CONNECTIONS, *NAMES, *EXPANSIONS, *ROUTES, *HANDLES]


@pytest.fixture(scope="module", autouse=True)
def quiet(comfyui: ComfyUI) -> None:
    """No task of another test is still being asked for."""
    until(lambda: not comfyui.get("/kling/tasks?state=accepted")["tasks"])


@pytest.mark.parametrize(("operation", "inputs", "message"), CASES, ids=[f"{c[0]}-{'-'.join(c[1])}" for c in CASES])
def test_the_user_is_told_and_nothing_reaches_a_provider(
    comfyui: ComfyUI, sandbox: Sandbox, operation: str, inputs: dict[str, Any], message: str
) -> None:
    assert seen(comfyui, prompt_with(operation, inputs)) == message
    counts = stats(sandbox)["providers"]
    assert [counts[name]["requests"] for name in PROVIDERS] == [0, 0, 0]
    assert stats(sandbox)["tasks"] == []


def test_the_table_is_long_and_says_everything_once() -> None:
    assert len(CASES) >= 60
    assert len({repr(case) for case in CASES}) == len(CASES)


def prompt_with(operation: str, inputs: dict[str, Any]) -> Graph:
    """A good graph but for `inputs`, with the nodes that they are linked to."""
    if operation == "poll":
        return {"1": node("KlingPoll", **inputs), "report": node("PreviewAny", source=["1", 2])}
    prompt = graph(operation)
    changed = {**prompt["1"]["inputs"], **inputs}
    prompt["1"]["inputs"] = {name: value for name, value in changed.items() if value is not None}
    linked = {value[0] for value in changed.values() if isinstance(value, list)}
    return {**prompt, **{name: made for name, made in PICTURES.items() if name in linked}}


def seen(comfyui: ComfyUI, prompt: Graph) -> str:
    """What the user is told when the prompt is queued, or when it has run."""
    answer = comfyui.post("/prompt", {"prompt": prompt})
    if answer.ok:
        error = error_of(comfyui.wait(answer.json()["prompt_id"]))
        return error.get("exception_message", "nothing").rstrip("\n")
    (error,) = answer.json()["node_errors"]["1"]["errors"]
    return f"{CORE}{error['message']}: {error['details']}"
