"""Modellix, held against its pages and its own command line tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kling_pack.catalog.models import MODELS
from kling_pack.catalog.order import Order
from kling_pack.providers.base import Call, Created, Limits, Phase, Refusal, Refused, Reply, Status, Unclear
from kling_pack.providers.modellix import Modellix

MODELLIX = Modellix()
Page = Callable[[str], dict[str, Any]]
Answer = Callable[..., Reply]
MakeOrder = Callable[..., Order]
A, B = "https://cdn.example.com/a.png", "https://cdn.example.com/b.png"

PATHS = {
    "kling-v2-t2i": "/kling/kling-v2-t2i/async",
    "kling-v2.1-t2i": "/kling/kling-v2.1-t2i/async",
    "kling-v3-t2i": "/kling/kling-v3-t2i/async",
    "kling-image-o1": "/kling/kling-image-o1/async",
    "kling-v1.5-i2i": "/image-to-image/kling/kling-v1.5-i2i/async",
    "kling-v3-i2i": "/kling/kling-v3-i2i/async",
    "kling-v2-mi2i": "/kling/kling-v2-mi2i/async",
    "kling-v2.1-mi2i": "/kling/kling-v2.1-mi2i/async",
    "kling-image-expansion": "/kling/kling-image-expansion/async",
}


def test_facts() -> None:
    assert MODELLIX.base_url == "https://api.modellix.ai/api/v1"
    assert MODELLIX.limits == Limits(in_flight=10, per_minute=100)
    assert MODELLIX.inline_pictures is True
    assert MODELLIX.upload("digest", "image/png", 1) is None
    assert MODELLIX.cancel("task") is None
    assert MODELLIX.discard("file") is None


def test_the_key_goes_as_the_page_shows(page: Page) -> None:
    assert MODELLIX.authorize("<token>") == page("modellix/create_v1_5")["request"]["headers"]


def test_the_v1_5_example_is_sent_as_on_the_page_with_the_documented_defaults(page: Page, order: MakeOrder) -> None:
    shown = page("modellix/create_v1_5")["request"]
    example = order(
        "image",
        "modellix",
        {"prompt": "Portrait in cyberpunk style", "image_reference": "none", "aspect_ratio": "16:9"},
        image=["one"],
    )
    call = MODELLIX.create(example, {"one": "https://example.com/portrait.jpg"})
    assert (call.method, MODELLIX.base_url + call.url) == (shown["method"], shown["url"])
    # The page gives each of these as its default; human_fidelity goes only with a subject.
    defaults = {"image_fidelity": 0.5, "aspect_ratio": "16:9", "resolution": "1k", "n": 1}
    assert call.json == {**shown["json"], **defaults}


@pytest.mark.parametrize("wire_model", PATHS)
def test_each_model_has_its_path(wire_model: str, order: MakeOrder) -> None:
    row = next(row for row in MODELS for offer in row.offers if offer.wire_model == wire_model)
    sockets = {"text": [], "edit": ["image_1"], "multi-image": ["subject_image_1"]}.get(row.operation, ["image"])
    ratio = {"right_expansion_ratio": 0.5} if row.operation == "expand" else {}
    made = order(row.operation, "modellix", {"model": row.name, **ratio}, **{name: ["x"] for name in sockets})
    assert MODELLIX.create(made, {"x": "QUJD"}).url == PATHS[made.offer.wire_model]


def test_there_is_no_model_without_a_path_here() -> None:
    offered = {offer.wire_model for row in MODELS for offer in row.offers if offer.provider == "modellix"}
    assert offered == set(PATHS)


def test_an_edit_sends_a_list_of_objects_and_kling_s_names(order: MakeOrder) -> None:
    made = order("edit", "modellix", {"prompt": "Put @Image1 on @Image2"}, image_1=["one"], image_2=["two", "one"])
    assert MODELLIX.create(made, {"one": "QUJD", "two": "REVG"}) == Call(
        "POST",
        "/kling/kling-image-o1/async",
        {
            "prompt": "Put <<<image_1>>> on <<<image_2>>>",
            "image_list": [{"image": "QUJD"}, {"image": "REVG"}, {"image": "QUJD"}],
            "aspect_ratio": "auto",
            "resolution": "1k",
            "n": 1,
        },
    )


def test_several_subjects_go_as_a_flat_list(order: MakeOrder) -> None:
    made = order(
        "multi-image",
        "modellix",
        {"prompt": ""},
        subject_image_1=["one"],
        subject_image_2=["two"],
        style_image=["three"],
    )
    assert MODELLIX.create(made, {"one": "QQ==", "two": "Qg==", "three": "Qw=="}) == Call(
        "POST",
        "/kling/kling-v2.1-mi2i/async",
        {
            "subject_images": ["QQ==", "Qg=="],
            "style_image": "Qw==",
            "aspect_ratio": "16:9",
            "n": 1,
        },
    )


def test_an_expansion_sends_all_four_ratios(order: MakeOrder) -> None:
    made = order("expand", "modellix", {"prompt": "", "left_expansion_ratio": 0.25}, image=["one"])
    assert MODELLIX.create(made, {"one": "QUJD"}).json == {
        "image": "QUJD",
        "up_expansion_ratio": 0.0,
        "down_expansion_ratio": 0.0,
        "left_expansion_ratio": 0.25,
        "right_expansion_ratio": 0.0,
        "n": 1,
    }


@pytest.mark.parametrize(("what", "task"), [("create_v1_5", "task-i2i-def456"), ("create_get_result", "...")])
def test_the_task_s_id(what: str, task: str, answer: Answer) -> None:
    assert MODELLIX.created(answer(f"modellix/{what}")) == Created(task)


def test_polling(page: Page) -> None:
    shown = page("modellix/get_success")["request"]
    call = MODELLIX.poll("task-abc123")
    assert (call.method, MODELLIX.base_url + call.url, call.json) == (shown["method"], shown["url"], None)


def test_a_finished_task(answer: Answer) -> None:
    assert MODELLIX.status(answer("modellix/get_success")) == Status(Phase.DONE, "success", (A,))


@pytest.mark.parametrize(
    "data",
    [
        {"result": {"resources": [{"type": "image", "url": A, "width": 1}, {"url": B}]}},
        {"result": {"resources": [A, B]}},
        {"resources": [{"url": A}, {"url": B}]},
        {"resources": [A, B]},
        {"result": [A, B]},
        {"result": {"images": [{"index": 0, "url": A}, {"index": 1, "url": B}]}},
    ],
)
def test_results_wherever_its_own_tool_looks_for_them(data: dict[str, object], answer: Answer) -> None:
    body = {"code": 0, "message": "success", "data": {"status": "success", "task_id": "t", **data}}
    assert MODELLIX.status(answer(body=body)) == Status(Phase.DONE, "success", (A, B))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"error": {"code": 7, "message": "blocked by policy"}}, "blocked by policy"),
        ({"error": "blocked by policy"}, "blocked by policy"),
        ({"result": {"fail_reason": "blocked by policy"}}, "blocked by policy"),
        ({"errorMessage": "blocked by policy", "message": "success"}, "blocked by policy"),
        ({}, "no reason was given"),
    ],
)
def test_a_failure_s_reason_is_undocumented_and_found_by_its_name(
    data: dict[str, object], reason: str, answer: Answer
) -> None:
    body = {"code": 0, "message": "success", "data": {"status": "failed", "task_id": "t", **data}}
    assert MODELLIX.status(answer(body=body)) == Status(Phase.FAILED, "failed", reason=reason)


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        ("error_400", Refusal.INVALID, "Invalid parameters: n must be from 1 to 9"),
        ("error_429", Refusal.FULL, "Too many requests"),
    ],
)
def test_refusals(what: str, kind: Refusal, reason: str, answer: Answer) -> None:
    reply = answer(f"modellix/{what}")
    assert MODELLIX.created(reply) == Refused(kind, reason)
    assert MODELLIX.status(reply) == Refused(kind, reason)


def test_a_refusal_inside_an_answer_of_200_is_a_refusal(answer: Answer) -> None:
    body = {"code": 402, "message": "Payment required: top up", "data": None}
    assert MODELLIX.created(answer(body=body)) == Refused(Refusal.CREDIT, "Payment required: top up")


def test_any_other_code_inside_an_answer_of_200_is_unclear(answer: Answer) -> None:
    body = {"code": 500, "message": "Internal error: try later"}
    assert MODELLIX.created(answer(body=body)) == Unclear("Internal error: try later (code 500)")


def test_success_without_an_id_is_unclear(answer: Answer) -> None:
    body = {"code": 0, "message": "success", "data": {"status": "pending"}}
    assert MODELLIX.created(answer(body=body)) == Unclear("the answer has no task_id: no text")


def test_there_is_no_place_to_upload_to(answer: Answer) -> None:
    assert MODELLIX.place(answer(body={}), "image/png") == Unclear("this provider has no upload")
