"""Runs of which only a part comes, pictures of different sizes, and runs that ask for too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comfyui import ComfyUI
from graphs import Graph, graph, node, records, text
from PIL import Image
from truth import behave, error_of, stats

from kling_pack.sandbox.server import Sandbox

Paid = Callable[[], int]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def batch(operation: str, count: int, **inputs: Any) -> Graph:
    """A graph whose `image` is a batch of so many pictures, each in its own grey."""
    prompt = graph(operation, **{"provider": "apimodels", **inputs})
    for number in range(1, count + 1):
        grey = 0x101010 * number
        prompt[f"one_{number}"] = node("EmptyImage", width=512, height=400, batch_size=1, color=grey)
        first = [f"all_{number - 1}" if number > 2 else "one_1", 0]
        prompt[f"all_{number}"] = node("ImageBatch", image1=first, image2=[f"one_{number}", 0])
    prompt["1"]["inputs"]["image"] = [f"all_{count}", 0]
    return prompt


def saved(comfyui: ComfyUI, entry: dict[str, Any], name: str = "save") -> list[Pixels]:
    pictures = []
    for told in entry["outputs"][name]["images"]:
        with Image.open(comfyui.output(told)) as picture:
            pictures.append(np.asarray(picture.convert("RGB")))
    return pictures


def test_the_tasks_that_came_are_returned_and_the_report_names_the_one_that_failed(
    comfyui: ComfyUI, sandbox: Sandbox, paid: Paid
) -> None:
    behave(sandbox, faults=[{"fault": "task_failed", "after": 1, "times": 1, "reason": "Too dark to see"}])
    entry = comfyui.run(batch("image", 3, model="kling-v2", prompt="one of three fails"))
    assert error_of(entry) == {}
    assert len(saved(comfyui, entry)) == 2
    assert paid() == 3
    states = [(record["state"], record["error"], record["cost"]) for record in records(entry)]
    assert sorted(states) == [("done", None, 0.151), ("done", None, 0.151), ("failed", "FailedError", 0.0)]
    lines = text(entry, "report").splitlines()
    (failed,) = [line for line in lines if "failed: " in line]
    assert len(lines) == 3
    assert failed.startswith("kling-v2 at apimodels · 0 images · ")
    assert "nothing paid" in failed
    assert "could not finish it: Too dark to see." in failed
    assert len(text(entry, "task").splitlines()) == 3


def test_the_pictures_keep_the_order_of_the_batch(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    behave(sandbox, seconds={"*": (0.1, 1.0)}, rng=3)
    entry = comfyui.run(batch("expand", 4, prompt="in order", left_expansion_ratio=0.2, right_expansion_ratio=0.2))
    middles = [int(picture[300, picture.shape[1] // 2, 0]) for picture in saved(comfyui, entry)]
    assert middles == [16, 32, 48, 64]


def test_when_all_fail_there_is_one_error_with_a_stable_name(comfyui: ComfyUI, sandbox: Sandbox) -> None:
    behave(sandbox, faults=[{"fault": "task_failed", "reason": "Content policy violation"}])
    entry = comfyui.run(batch("image", 2, model="kling-v2", prompt="all of them fail"))
    error = error_of(entry)
    assert error["exception_type"] == "kling.FailedError"
    assert error["exception_message"].count("could not finish it: Content policy violation.") == 2
    assert error["exception_message"].count("Providers do not usually charge") == 2
    assert [kind for kind, _ in entry["status"]["messages"]].count("execution_error") == 1
    assert "save" not in entry["outputs"]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("no_credit", "kling.RefusedError", "Add credit at apimodels or choose another provider"),
        ("http_401", "kling.RefusedError", "Check the key of apimodels"),
        ("drop_after", "kling.UncertainError", "It is not sent again, so that it is not paid twice."),
        ("picture:truncated", "kling.UnreadError", "nothing has to be paid again"),
    ],
)
def test_every_kind_of_error_has_a_stable_name_and_says_what_to_do(
    comfyui: ComfyUI, sandbox: Sandbox, fault: str, kind: str, said: str
) -> None:
    comfyui.run(graph("text", prompt="was read before", provider="apimodels"))
    behave(sandbox, faults=[{"fault": fault}])
    error = error_of(comfyui.run(graph("text", prompt=f"meets {fault}", provider="apimodels")))
    assert error["exception_type"] == kind
    assert said in error["exception_message"]
    assert stats(sandbox)["providers"]["apimodels"]["faults"][fault] >= 1


def test_pictures_of_other_sizes_are_fitted_to_the_first_and_the_report_says_so(
    comfyui: ComfyUI, sandbox: Sandbox
) -> None:
    behave(sandbox, faults=[{"fault": "wrong_sizes"}])
    entry = comfyui.run(graph("text", prompt="three sizes", n=3, provider="apimodels"))
    assert error_of(entry) == {}
    assert len({picture.shape for picture in saved(comfyui, entry)}) == 1
    assert "2 fitted to the first picture's size" in text(entry, "report")


def test_one_size_is_not_reported_as_fitted(comfyui: ComfyUI) -> None:
    assert "fitted" not in text(comfyui.run(graph("text", prompt="one size", n=2)), "report")


@pytest.mark.parametrize("fault", [[], [{"fault": "wrong_sizes"}]], ids=["one size", "three sizes"])
def test_the_mask_is_1_exactly_where_the_picture_is_new(
    comfyui: ComfyUI, sandbox: Sandbox, fault: list[dict[str, Any]]
) -> None:
    """The original gets redder to the right and greener to its bottom, and the sandbox mirrors it at its edges: red is
    least at the left edge and green most at the bottom."""
    behave(sandbox, faults=fault)
    prompt = graph("expand", prompt=f"masked {len(fault)}", n=3, provider="modellix", right_expansion_ratio=0.5)
    prompt["1"]["inputs"] |= {"down_expansion_ratio": 0.25, "left_expansion_ratio": 0.3}
    prompt["as_image"] = node("MaskToImage", mask=["1", 1])
    prompt["masks"] = node("SaveImage", images=["as_image", 0], filename_prefix="mask")
    entry = comfyui.run(prompt)
    assert error_of(entry) == {}
    pictures, masks = saved(comfyui, entry), saved(comfyui, entry, "masks")
    assert len(pictures) == len(masks) == 3
    assert ("fitted" in text(entry, "report")) == bool(fault)
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        assert picture.shape == mask.shape == (400 + 100, 192 + 640 + 320, 3)
        assert set(np.unique(mask)) == {0, 255}
        top, bottom, left, right = box(mask[..., 0] == 0)
        if not (fault and number):
            assert (top, bottom, left, right) == (0, 400, 192, 192 + 640)
        assert abs(extreme(picture[(top + bottom) // 2, :, 0], highest=False, near=left) - left) <= 1.5
        assert abs(extreme(picture[:, (left + right) // 2, 1], highest=True, near=bottom) - bottom) <= 1.5


def test_several_pictures_where_one_is_taken_are_refused(comfyui: ComfyUI, paid: Paid) -> None:
    prompt = graph("multi-image", prompt="two scenes", scene_image=["two", 0])
    prompt["two"] = node("EmptyImage", width=512, height=512, batch_size=2, color=0)
    error = error_of(comfyui.run(prompt))
    assert error["exception_type"] == "kling.InputError"
    assert error["exception_message"].strip() == (
        "scene_image has a batch of 2 pictures; it takes one. Nothing was sent and nothing was paid: choose one of "
        "them."
    )
    assert paid() == 0


def test_a_run_of_too_many_pictures_is_refused_with_its_price(comfyui: ComfyUI, sandbox: Sandbox, paid: Paid) -> None:
    error = error_of(comfyui.run(batch("image", 5, model="kling-v2", prompt="too many", n=8)))
    assert error["exception_type"] == "kling.SetupError"
    assert error["exception_message"].strip() == (
        "This run asks for 40 pictures (6.040 credits); KLING_MAX_IMAGES_PER_RUN allows 36. Nothing was sent and "
        "nothing was paid: lower n or the batch, or raise the setting."
    )
    assert [counts["requests"] for counts in stats(sandbox)["providers"].values()] == [0, 0, 0]
    assert paid() == 0


def box(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the one rectangle that is true. Fails when there is more than that."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    assert inside.sum() == (bottom - top) * (right - left)
    return top, bottom, left, right


def extreme(values: Pixels, highest: bool, near: int) -> float:
    """Where the values turn, at most 40 places from `near`; between two places where both are extreme."""
    window = values[near - 40 : near + 40].astype(int) * (-1 if highest else 1)
    return float(np.flatnonzero(window == window.min()).mean()) + 0.5 + near - 40
