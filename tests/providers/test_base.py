"""Values that adapters share: replies, status words, and which answers say that nothing was created."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kling_pack.providers import ADAPTERS
from kling_pack.providers.base import Phase, Refusal, Refused, Reply, Status, Unclear

Answer = Callable[..., Reply]
LINK = "https://cdn.example.com/a.png"


def standing(provider: str, word: str) -> dict[str, object]:
    """A poll's answer with this status word, in the provider's own shape."""
    shapes: dict[str, dict[str, object]] = {
        "eachlabs": {"status": word, "output": [LINK]},
        "modellix": {"code": 0, "data": {"status": word, "result": {"resources": [{"url": LINK}]}}},
        "apimodels": {"code": 200, "data": {"state": word, "resultUrls": [LINK]}},
    }
    return shapes[provider]


WORDS = {
    "eachlabs": {
        "created": Phase.RUNNING,
        "starting": Phase.RUNNING,
        "processing": Phase.RUNNING,
        "success": Phase.DONE,
        "error": Phase.FAILED,
        "failed": Phase.FAILED,
        "cancelled": Phase.CANCELLED,
        "canceled": Phase.CANCELLED,
    },
    "modellix": {
        "pending": Phase.RUNNING,
        "processing": Phase.RUNNING,
        "success": Phase.DONE,
        "succeeded": Phase.DONE,
        "completed": Phase.DONE,
        "failed": Phase.FAILED,
        "error": Phase.FAILED,
        "cancelled": Phase.CANCELLED,
        "canceled": Phase.CANCELLED,
    },
    "apimodels": {
        "pending": Phase.RUNNING,
        "processing": Phase.RUNNING,
        "completed": Phase.DONE,
        "failed": Phase.FAILED,
    },
}


@pytest.mark.parametrize(
    ("provider", "word", "phase"),
    [(provider, word, phase) for provider, words in WORDS.items() for word, phase in words.items()],
)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title])
def test_every_documented_word(
    provider: str, word: str, phase: Phase, spelled: Callable[[str], str], answer: Answer
) -> None:
    status = ADAPTERS[provider].status(answer(body=standing(provider, spelled(word))))
    assert isinstance(status, Status)
    assert (status.phase, status.word) == (phase, spelled(word))
    assert status.links == ((LINK,) if phase is Phase.DONE else ())


@pytest.mark.parametrize("provider", ADAPTERS)
@pytest.mark.parametrize("word", ["moderating", "queued_2", "IN_REVIEW", "17", "успех"])
def test_an_unknown_word_keeps_the_task_running_and_is_kept(provider: str, word: str, answer: Answer) -> None:
    status = ADAPTERS[provider].status(answer(body=standing(provider, word)))
    assert status == Status(Phase.RUNNING, word)


@pytest.mark.parametrize("provider", ADAPTERS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refusal.INVALID),
        (401, Refusal.KEY),
        (402, Refusal.CREDIT),
        (403, Refusal.KEY),
        (404, Refusal.UNKNOWN),
        (409, Refusal.INVALID),
        (413, Refusal.INVALID),
        (422, Refusal.INVALID),
        (429, Refusal.FULL),
    ],
)
def test_a_4xx_created_nothing(provider: str, status: int, kind: Refusal, answer: Answer) -> None:
    adapter = ADAPTERS[provider]
    assert adapter.created(answer(status=status, body={"error": "no"})) == Refused(kind, "no")
    assert adapter.created(answer(status=status, body=b"<html>")) == Refused(kind, f"HTTP {status}")


@pytest.mark.parametrize("provider", ADAPTERS)
@pytest.mark.parametrize("status", [100, 301, 302, 408, 499, 500, 502, 503, 504, 520, 599])
def test_any_other_answer_may_have_created_something(provider: str, status: int, answer: Answer) -> None:
    adapter = ADAPTERS[provider]
    assert adapter.created(answer(status=status, body={"message": "oh"})) == Unclear(f"oh (HTTP {status})")
    assert adapter.created(answer(status=status, body=b"<html>")) == Unclear(f"HTTP {status}")
    assert isinstance(adapter.status(answer(status=status, body=b"")), Unclear)


@pytest.mark.parametrize("provider", ADAPTERS)
@pytest.mark.parametrize("body", [b"", b"<html>ok</html>", b"null", b"[]", b'"done"', b"{}", b"\xff\xfe", b"[" * 10**5])
def test_a_success_that_says_nothing_is_unclear(provider: str, body: bytes, answer: Answer) -> None:
    adapter = ADAPTERS[provider]
    assert isinstance(adapter.created(answer(body=body)), Unclear)
    assert isinstance(adapter.status(answer(body=body)), Unclear)
    assert isinstance(adapter.place(answer(body=body), "image/png"), Unclear)


def test_which_refusals_pass_with_time_and_which_another_provider_may_take() -> None:
    assert [kind for kind in Refusal if kind.passes] == [Refusal.FULL]
    assert [kind for kind in Refusal if not kind.elsewhere] == [Refusal.INVALID]


def test_a_body_is_json_or_none() -> None:
    assert Reply(200, b'{"a": 1}').json() == {"a": 1}
    assert Reply(200, b"{").json() is None
    assert Reply(200, b"[" * 10**6).json() is None


def test_ok_is_a_status_of_2xx() -> None:
    assert [status for status in (199, 200, 204, 299, 300, 404, 500) if Reply(status, b"").ok] == [
        200,
        204,
        299,
    ]


def test_when_to_come_back_is_kept_as_written() -> None:
    later = "Sat, 21 Nov 2026 10:00:00 GMT"
    assert Reply(429, b"", {"retry-after": later}).retry_after == later
    assert Reply(429, b"").retry_after is None


def test_adapters_are_listed_by_name() -> None:
    assert list(ADAPTERS) == ["eachlabs", "modellix", "apimodels"]
    assert all(adapter.name == name and adapter.title for name, adapter in ADAPTERS.items())
    assert all(adapter.base_url.startswith("https://") for adapter in ADAPTERS.values())
