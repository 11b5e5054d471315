"""Links, reasons and amounts in answers of any shape."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kling_pack.providers.reading import LONGEST_REASON, amount_in, code_in, links_in, reason_in, text_at

A, B = "https://cdn.example.com/a.png", "http://cdn.example.com/b.png"


@pytest.mark.parametrize(
    ("value", "links"),
    [
        (A, (A,)),
        ([A, B], (A, B)),
        ([{"url": A}, {"URL": B}], (A, B)),
        ({"url": A}, (A,)),
        ({"images": [{"index": 0, "url": A}, {"index": 1, "url": B}]}, (A, B)),
        ({"result": {"resources": [A]}}, (A,)),
        ({"result_urls": [A]}, (A,)),
        ([[A], [[B]]], (A, B)),
        ([A, None, 3, {"x": 1}, "no link", B], (A, B)),
        ({"watermark_url": A}, ()),
        ({"image_url": A}, ()),
        ("ftp://example.com/a.png", ()),
        ("data:image/png;base64,QUJD", ()),
        ("", ()),
        (None, ()),
        (7, ()),
    ],
)
def test_links_are_found_in_order(value: object, links: tuple[str, ...]) -> None:
    assert links_in(value) == links


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"message": "no"}, "no"),
        ({"error": {"message": "inner"}}, "inner"),
        ({"error": "short", "details": "long"}, "long"),
        ({"message": "success", "data": {"failMsg": "policy"}}, "policy"),
        ({"message": "", "error": "e"}, "e"),
        ({"message": None, "detail": [{"loc": ["n"], "msg": "too big"}]}, "too big"),
        ({"error_message": "one"}, "one"),
        ({"errorMessage": "one"}, "one"),
        ({"Fail_Reason": "one"}, "one"),
        ({"task_status_msg": " padded "}, "padded"),
        ({"a": {"b": {"c": {"reason": "deep"}}}}, "deep"),
        ([{"x": 1}, {"reason": "listed"}], "listed"),
        ({"message": 5, "status": "failed"}, "no reason was given"),
        (None, "no reason was given"),
        ("text alone", "no reason was given"),
    ],
)
def test_a_reason_is_the_first_text_under_a_plausible_name(value: object, reason: str) -> None:
    assert reason_in(value) == reason


def test_a_long_reason_is_cut() -> None:
    assert len(reason_in({"message": "x" * 10_000})) == LONGEST_REASON


def test_nesting_without_end_is_not_followed() -> None:
    nested: object = A
    for _ in range(50_000):
        nested = [nested]
    assert links_in(nested) == ()
    assert reason_in(nested) == "no reason was given"
    assert amount_in(nested) is None


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0.028, Decimal("0.028")),
        ("0.028", Decimal("0.028")),
        (0, Decimal(0)),
        (9999, Decimal(9999)),
        (10_000, None),
        (-0.1, None),
        ("free", None),
        (True, None),
        (None, None),
        (float("inf"), None),
        ("sNaN", None),
        ({}, None),
    ],
)
def test_an_amount_is_a_sensible_number_or_none(value: object, amount: Decimal | None) -> None:
    assert amount_in(value) == amount


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {"b": " x "}}, "x"),
        ({"a": {"b": 7}}, "7"),
        ({"a": {"b": True}}, None),
        ({"a": {"b": ""}}, None),
        ({"a": {"b": 1.5}}, None),
        ({"a": []}, None),
        ({"a": None}, None),
        (None, None),
        ([1], None),
    ],
)
def test_a_text_at_a_path(value: object, text: str | None) -> None:
    assert text_at(value, "a", "b") == text


@pytest.mark.parametrize(
    ("value", "code"),
    [({"code": 0}, 0), ({"code": True}, None), ({"code": "0"}, None), ({}, None), ([], None)],
)
def test_a_body_s_code(value: object, code: int | None) -> None:
    assert code_in(value) == code


def test_details_beside_a_message_are_told_too() -> None:
    assert reason_in({"message": "Prediction failed", "details": "NSFW input"}) == "Prediction failed: NSFW input"
    assert reason_in({"message": "too long", "details": "too long"}) == "too long"
    assert reason_in({"details": "only this"}) == "only this"
