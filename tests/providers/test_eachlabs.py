"""EachLabs, held against its pages."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kling_pack.catalog.order import Order
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
from kling_pack.providers.eachlabs import EachLabs

EACHLABS = EachLabs()
Page = Callable[[str], dict[str, Any]]
Answer = Callable[..., Reply]
MakeOrder = Callable[..., Order]
A, B = "https://cdn.example.com/a.png", "https://cdn.example.com/b.png"


def test_facts() -> None:
    assert EACHLABS.base_url == "https://api.eachlabs.ai/v1"
    assert EACHLABS.limits == Limits(in_flight=10, per_minute=60)
    assert EACHLABS.inline_pictures is False


def test_the_key_goes_as_the_page_shows(page: Page) -> None:
    assert EACHLABS.authorize("YOUR_API_KEY") == page("eachlabs/create_v1_5")["request"]["headers"]


def test_the_v1_5_example_is_sent_exactly_as_on_the_page(page: Page, order: MakeOrder) -> None:
    shown = page("eachlabs/create_v1_5")["request"]
    example = order(
        "image",
        "eachlabs",
        {
            "prompt": "your prompt here",
            "aspect_ratio": "16:9",
            "image_reference": "face",
            "human_fidelity": 0.5,
        },
        image=["one"],
    )
    call = EACHLABS.create(example, {"one": "your image here"})
    assert EACHLABS.base_url + call.url == shown["url"]
    # The page's webhook_url is empty: there is no webhook, so the field is left out.
    assert {**(call.json or {}), "webhook_url": ""} == shown["json"]
    with_webhook = EACHLABS.create(example, {"one": "your image here"}, "https://example.com/hook")
    assert with_webhook.json == {**shown["json"], "webhook_url": "https://example.com/hook"}


def test_the_o1_example_is_sent_as_on_the_page_with_the_documented_defaults(page: Page, order: MakeOrder) -> None:
    shown = page("eachlabs/create_o1")["request"]
    first, second = shown["json"]["input"]["image_urls"]
    example = order(
        "edit",
        "eachlabs",
        {"prompt": "Put @Image1 on the horse in @Image2"},
        image_1=["one"],
        image_2=["two"],
    )
    call = EACHLABS.create(example, {"one": first, "two": second})
    # The page's table gives each of these as its default.
    defaults = {"resolution": "1K", "num_images": 1, "aspect_ratio": "auto", "output_format": "png"}
    assert call == Call("POST", "/prediction/", {"model": "kling-o1", "input": {**shown["json"]["input"], **defaults}})


def test_names_of_pictures_are_spelled_as_on_the_page(order: MakeOrder) -> None:
    call = EACHLABS.create(order("edit", "eachlabs", {"prompt": "@image, brighter"}, image_1=["x"]), {"x": A})
    assert (call.json or {})["input"]["prompt"] == "@Image1, brighter"


@pytest.mark.parametrize("what", ["create_v1_5", "create_o1"])
def test_success_on_create_means_created(what: str, answer: Answer) -> None:
    assert EACHLABS.created(answer(f"eachlabs/{what}")) == Created("...")


def test_an_id_under_its_other_name_is_an_id(answer: Answer) -> None:
    assert EACHLABS.created(answer(body={"status": "success", "id": 17})) == Created("17")


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        ("error_400", Refusal.INVALID, "..."),
        ("error_401", Refusal.KEY, "Invalid or missing API key"),
        (
            "error_402",
            Refusal.CREDIT,
            "the estimated cost of your in-flight executions exceeds your current balance (...)",
        ),
        ("error_404", Refusal.UNKNOWN, "Prediction not found"),
        (
            "error_429",
            Refusal.FULL,
            (
                "Account rate limited: accounts with a balance of $10.00 or less are limited to 10 "
                "concurrent executions. ..."
            ),
        ),
    ],
)
def test_refusals_of_both_shapes(what: str, kind: Refusal, reason: str, answer: Answer) -> None:
    reply = answer(f"eachlabs/{what}")
    assert EACHLABS.created(reply) == Refused(kind, reason)
    assert EACHLABS.status(reply) == Refused(kind, reason)
    assert EACHLABS.place(reply, "image/png") == Refused(kind, reason)


def test_when_to_come_back(answer: Answer) -> None:
    assert answer("eachlabs/error_429").retry_after == "7"


def test_a_create_answered_without_an_id_is_unclear(answer: Answer) -> None:
    reply = answer(body={"status": "error", "message": "something went wrong"})
    assert EACHLABS.created(reply) == Unclear("the answer to the create call has no predictionID: something went wrong")


def test_polling(page: Page) -> None:
    call = EACHLABS.poll("PREDICTION_ID")
    shown = page("eachlabs/get_processing")["request"]
    assert (call.method, EACHLABS.base_url + call.url, call.json) == (shown["method"], shown["url"], None)
    assert EACHLABS.poll("../a b?c").url == "/prediction/..%2Fa%20b%3Fc"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("get_processing", Status(Phase.RUNNING, "processing")),
        ("get_success_string", Status(Phase.DONE, "success", (A,), cost=Decimal("0.028"))),
        ("get_success_list", Status(Phase.DONE, "success", (A, B))),
        ("get_success_objects", Status(Phase.DONE, "success", (A, B))),
        ("get_error_page", Status(Phase.FAILED, "error", reason="Prediction failed: Invalid input image")),
        ("get_error_envelope", Status(Phase.FAILED, "error", reason="The image is too small.")),
        ("get_error_dispatch", Status(Phase.FAILED, "error", reason="no worker could be reached")),
    ],
)
def test_how_a_prediction_stands(what: str, status: Status, answer: Answer) -> None:
    assert EACHLABS.status(answer(f"eachlabs/{what}")) == status


def test_a_failure_s_reason_is_never_taken_from_the_inputs(answer: Answer) -> None:
    body = {
        "status": "error",
        "input": {"message": "my prompt"},
        "logs": {"message": "step 1"},
        "output": None,
    }
    assert EACHLABS.status(answer(body=body)) == Status(Phase.FAILED, "error", reason="no reason was given")


def test_success_without_a_link_is_done_and_unread(answer: Answer) -> None:
    assert EACHLABS.status(answer(body={"status": "success", "output": {"x": 1}})) == Status(Phase.DONE, "success")


@pytest.mark.parametrize("cost", ["free", None, True, [], -1, 1e9, float("nan")])
def test_a_cost_that_is_no_amount_is_left_out(cost: object, answer: Answer) -> None:
    body = {"status": "success", "output": A, "metrics": {"cost": cost}}
    assert EACHLABS.status(answer(body=body)) == Status(Phase.DONE, "success", (A,))


def test_cancelling(page: Page, answer: Answer) -> None:
    call = EACHLABS.cancel("PREDICTION_ID")
    shown = page("eachlabs/cancel")["request"]
    assert call is not None
    assert (call.method, EACHLABS.base_url + call.url) == (shown["method"], shown["url"])
    assert EACHLABS.status(answer("eachlabs/cancel")) == Status(
        Phase.CANCELLED, "cancelled", reason="Prediction canceled successfully"
    )


def test_asking_for_a_place_for_a_picture(page: Page) -> None:
    shown = page("eachlabs/presign")["request"]
    call = EACHLABS.upload("digest", "image/png", 204800)
    assert call is not None
    assert EACHLABS.base_url + call.url == shown["url"]
    # expires_in_seconds is optional there; without it a picture stays for 180 days.
    assert call.json == {**shown["json"], "expires_in_seconds": 86400}


def test_the_place_that_is_given(answer: Answer) -> None:
    assert EACHLABS.place(answer("eachlabs/presign"), "image/png") == Place(
        Call(
            "PUT",
            "https://upload.example.com/file-1?signature=1",
            headers={"Content-Type": "image/png", "x-amz-tagging": "retention=1"},
        ),
        "https://cdn-us.eachlabs.ai/file-1.png",
        "file-1",
    )


def test_the_content_type_is_sent_also_where_no_headers_are_required(answer: Answer) -> None:
    body = {"id": "1", "presigned_url": "https://u.example.com", "public_url": "https://p.example.com"}
    place = EACHLABS.place(answer(body=body), "image/jpeg")
    assert isinstance(place, Place)
    assert place.put.headers == {"Content-Type": "image/jpeg"}


def test_a_place_without_an_address_is_unclear(answer: Answer) -> None:
    assert isinstance(EACHLABS.place(answer(body={"id": "1"}), "image/png"), Unclear)


def test_deleting_a_picture_again(page: Page) -> None:
    shown = page("eachlabs/delete")["request"]
    call = EACHLABS.discard("file-1")
    assert call is not None
    assert (call.method, EACHLABS.base_url + call.url) == (shown["method"], shown["url"])
