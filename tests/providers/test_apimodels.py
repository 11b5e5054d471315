"""apimodels, held against its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kling_pack.catalog.order import Order
from kling_pack.providers.apimodels import ApiModels
from kling_pack.providers.base import (
    Call,
    Created,
    Limits,
    Phase,
    Place,
    Refusal,
    Refused,
    Reply,
    Status,
    Unclear,
)

APIMODELS = ApiModels()
Page = Callable[[str], dict[str, Any]]
Answer = Callable[..., Reply]
MakeOrder = Callable[..., Order]
A, B, C = (f"https://r2.example.com/{letter}.png" for letter in "abc")


def test_facts() -> None:
    assert APIMODELS.base_url == "https://apimodels.app/api/v1"
    assert APIMODELS.limits == Limits(in_flight=10, per_minute=60)
    assert APIMODELS.inline_pictures is False
    assert APIMODELS.cancel("task") is None
    assert APIMODELS.discard("file") is None


def test_the_key_goes_as_the_page_shows(page: Page) -> None:
    assert APIMODELS.authorize("YOUR_API_KEY") == page("apimodels/create_v3")["request"]["headers"]


def test_the_v3_example_is_sent_exactly_as_on_the_page(page: Page, order: MakeOrder) -> None:
    shown = page("apimodels/create_v3")["request"]
    prompt = shown["json"]["prompt"]
    call = APIMODELS.create(order("text", "apimodels", {"prompt": prompt, "resolution": "2k"}), {})
    assert (call.method, APIMODELS.base_url + call.url) == (shown["method"], shown["url"])
    assert call.json == shown["json"]


def test_a_webhook_goes_along_where_there_is_one(order: MakeOrder) -> None:
    call = APIMODELS.create(order("text", "apimodels", {}), {}, "https://example.com/hook")
    assert (call.json or {})["callback_url"] == "https://example.com/hook"


@pytest.mark.parametrize(
    ("operation", "given", "sockets", "body"),
    [
        (
            "image",
            {"model": "kling-v2", "image_reference": "face", "negative_prompt": "rain"},
            {"image": ["a"]},
            {
                "model": "kling-v2",
                "prompt": "a red house",
                "negative_prompt": "rain",
                "image_url": A,
                "image_reference": "face",
                "image_fidelity": 0.5,
                "human_fidelity": 0.45,
                "aspect_ratio": "1:1",
                "resolution": "1k",
                "n": 1,
            },
        ),
        (
            "image",
            {"model": "kling-v2-new", "image_reference": "none", "n": 2},
            {"image": ["a"]},
            {
                "model": "kling-v2-new",
                "prompt": "a red house",
                "image_url": A,
                "image_fidelity": 0.5,
                "human_fidelity": 0.45,
                "n": 2,
            },
        ),
        (
            "edit",
            {"prompt": "@Image at night", "resolution": "2k"},
            {"image_1": ["a"]},
            {
                "model": "kling-image-o1",
                "prompt": "<<<image_1>>> at night",
                "image_url": A,
                "aspect_ratio": "1:1",
                "resolution": "2k",
                "n": 1,
            },
        ),
        (
            "multi-image",
            {"model": "kling-v2", "prompt": ""},
            {"subject_image_1": ["a"], "subject_image_3": ["b"], "scene_image": ["c"]},
            {
                "model": "kling-multi-image",
                "multi_model_name": "kling-v2",
                "subject_image_list": [{"subject_image": A}, {"subject_image": B}],
                "scene_image": C,
                "aspect_ratio": "16:9",
                "n": 1,
            },
        ),
        (
            "expand",
            {"up_expansion_ratio": 0.5, "right_expansion_ratio": 0.25},
            {"image": ["a"]},
            {
                "model": "kling-expand",
                "prompt": "a red house",
                "image_url": A,
                "up_expansion_ratio": 0.5,
                "down_expansion_ratio": 0.0,
                "left_expansion_ratio": 0.0,
                "right_expansion_ratio": 0.25,
                "n": 1,
            },
        ),
    ],
    ids=["image", "restyle", "edit", "multi-image", "expand"],
)
def test_every_operation_is_sent_by_the_page_s_parameters(
    operation: str,
    given: dict[str, object],
    sockets: dict[str, list[str]],
    body: dict[str, object],
    order: MakeOrder,
) -> None:
    call = APIMODELS.create(order(operation, "apimodels", given, **sockets), {"a": A, "b": B, "c": C})
    assert call == Call("POST", "/images/generations", body)


def test_the_task_s_id(answer: Answer) -> None:
    assert APIMODELS.created(answer("apimodels/create_v3")) == Created("clxxx...")


def test_polling(page: Page) -> None:
    shown = page("apimodels/get_success")["request"]
    call = APIMODELS.poll("xxx")
    assert (call.method, APIMODELS.base_url + call.url, call.json) == (shown["method"], shown["url"], None)
    assert APIMODELS.poll("a&b=c").url == "/images/generations?task_id=a%26b%3Dc"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("create_v3", Status(Phase.RUNNING, "pending")),
        ("get_success", Status(Phase.DONE, "completed", ("https://...image.png",))),
        ("get_failed", Status(Phase.FAILED, "failed", reason="Content policy violation")),
    ],
)
def test_how_a_task_stands(what: str, status: Status, answer: Answer) -> None:
    assert APIMODELS.status(answer(f"apimodels/{what}")) == status


@pytest.mark.parametrize(
    "data",
    [{"resultUrls": A}, {"resultUrls": [{"url": A}]}, {"images": [{"url": A}]}, {"result": {"url": A}}],
)
def test_results_of_another_shape(data: dict[str, object], answer: Answer) -> None:
    body = {"code": 200, "msg": "success", "data": {"taskId": "t", "state": "completed", **data}}
    assert APIMODELS.status(answer(body=body)) == Status(Phase.DONE, "completed", (A,))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, Refusal.INVALID),
        (401, Refusal.KEY),
        (402, Refusal.CREDIT),
        (404, Refusal.UNKNOWN),
        (429, Refusal.FULL),
    ],
)
@pytest.mark.parametrize("http_too", [True, False])
def test_a_refusal_is_one_by_http_or_by_its_code(code: int, kind: Refusal, http_too: bool, answer: Answer) -> None:
    reply = answer(status=code if http_too else 200, body={"code": code, "msg": "no", "data": None})
    assert APIMODELS.created(reply) == Refused(kind, "no")
    assert APIMODELS.status(reply) == Refused(kind, "no")
    assert APIMODELS.place(reply, "image/png") == Refused(kind, "no")


def test_success_without_an_id_is_unclear(answer: Answer) -> None:
    reply = answer(body={"code": 200, "msg": "success", "data": {}})
    assert APIMODELS.created(reply) == Unclear("the answer has no taskId: no text")


def test_asking_for_a_place_for_a_picture(page: Page) -> None:
    shown = page("apimodels/files")["request"]
    call = APIMODELS.upload("0123456789abcdef", "image/png", 204800)
    assert call is not None
    assert (call.method, APIMODELS.base_url + call.url, call.json) == (
        shown["method"],
        shown["url"],
        shown["json"],
    )
    jpeg = APIMODELS.upload("f" * 64, "image/jpeg", 1)
    assert jpeg is not None
    assert (jpeg.json or {})["filename"] == "f" * 32 + ".jpg"


def test_the_place_that_is_given(answer: Answer) -> None:
    assert APIMODELS.place(answer("apimodels/files"), "image/png") == Place(
        Call("PUT", "https://upload.example.com/1?signature=1", headers={"Content-Type": "image/png"}),
        "https://r2.apimodels.app/1.png",
    )


def test_a_place_without_an_address_is_unclear(answer: Answer) -> None:
    reply = answer(body={"code": 200, "msg": "success", "data": {"uploadUrl": "https://u.example.com"}})
    assert isinstance(APIMODELS.place(reply, "image/png"), Unclear)
