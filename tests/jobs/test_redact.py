"""What never reaches a log, an error, the ledger or a picture."""

from __future__ import annotations

import base64
import time

import pytest

from kling_pack.jobs.redact import HIDDEN, redact, redact_json

KEY = "sk-live-9f8e7d6c5b4a"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {KEY}",
        f"'authorization': 'Bearer {KEY}'",
        f"bearer {KEY}",
        f"X-API-Key: {KEY}",
        f'{{"api_key":"{KEY}"}}',
        f'"apiKey": "{KEY}"',
        f"EACHLABS_API_KEY={KEY}",
        f"access_token={KEY}&x=1",
        f"client_secret: {KEY}",
        f"password={KEY}",
        f"postgresql+psycopg://kling:{KEY}@db.example/ledger",
        f"https://cdn.example/a.png?X-Amz-Signature={KEY}",
        f"see https://cdn.example/{'long/' * 40}a.png?X-Amz-Signature={KEY}, it is there",
        f"https://cdn.example/a.png#token={KEY}",
    ],
)
def test_a_key_is_hidden_wherever_it_looks_like_one(text: str) -> None:
    assert KEY not in redact(text)
    assert HIDDEN in redact(text)


def test_a_known_key_is_hidden_wherever_it_stands() -> None:
    assert redact(f"key {KEY} was refused", [KEY]) == f"key {HIDDEN} was refused"


def test_what_a_person_wrote_stays() -> None:
    prompt = "a secret garden, a standard bearer carrying the key: oak, password-like runes, 16:9"
    assert redact(prompt) == prompt


def test_the_rest_of_a_link_stays() -> None:
    assert redact("https://cdn.example/results/a.png?token=1") == f"https://cdn.example/results/a.png?{HIDDEN}"


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_pictures_become_their_length(prefix: str) -> None:
    picture = prefix + base64.b64encode(bytes(range(256)) * 4).decode()
    assert redact(f"image={picture}.") == f"image=[{len(picture)} characters of Base64]."


def test_a_digest_is_no_picture() -> None:
    assert redact("sha256:" + "ab" * 32) == "sha256:" + "ab" * 32


def test_nested_json_is_searched_and_what_is_named_a_key_is_hidden() -> None:
    value = {
        "outer": [{"url": "https://x.example/y?sig=1"}, {"api_key": "short"}, {KEY: 1}, 3, None, True],
        "Authorization": "Basic abc",
        "secret": "garden",
    }
    assert redact_json(value, [KEY]) == {
        "outer": [{"url": f"https://x.example/y?{HIDDEN}"}, {"api_key": HIDDEN}, {HIDDEN: 1}, 3, None, True],
        "Authorization": HIDDEN,
        "secret": "garden",
    }


def test_json_nested_without_end_is_cut() -> None:
    value: object = "deep"
    for _ in range(60):
        value = [value]
    assert "nested too deeply" in str(redact_json(value))


def test_what_no_database_stores_is_replaced() -> None:
    assert redact("a\0b\ud800c") == "a\ufffdb\ufffdc"


def test_a_long_answer_is_searched_quickly() -> None:
    began = time.perf_counter()
    redact(base64.urlsafe_b64encode(bytes(range(256)) * 12_000).decode() + "-" * 10_000 + "x" * 1_000_000)
    assert time.perf_counter() - began < 2


SLOW = (
    "é",
    "é_",
    "x_é",
    "https://a/",
    "https://é",
    "a?https://",
    "api_key",
    "api_key=",
    "api_key:  ",
    "bearer ",
    "bearer.",
)
SLOWER = (
    "é://",
    "é://é",
    "://@",
    "data:é/",
    "data:",
    "data:image/",
    "A" * 119 + " ",
    "token ",
    "password",
    " ",
    ".",
    "1",
)


@pytest.mark.parametrize("unit", [*SLOW, *SLOWER])
def test_a_long_text_takes_no_more_than_its_length(unit: str) -> None:
    for text in (unit * (300_000 // len(unit)), "bearer " + unit * (300_000 // len(unit)) + "password"):
        begun = time.process_time()
        redact(text)
        assert time.process_time() - begun < 2
