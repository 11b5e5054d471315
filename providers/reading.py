"""Finding links, reasons and refusals in answers of any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from .base import Refusal, Refused, Reply, Unclear

REASONS = (
    "errormessage",
    "errormsg",
    "failmsg",
    "failmessage",
    "taskstatusmsg",
    "statusmsg",
    "message",
    "msg",
    "details",
    "detail",
    "reason",
    "failreason",
    "failurereason",
    "error",
    "description",
)
"""Plausible names of a failure's text, best first, in lower case without `_`; several failures' shapes are
undocumented."""

LONGEST_REASON = 500
DEEPEST = 8
"""Levels that are searched; an answer may be nested deeper than Python can follow."""
_LINKS = ("url", "images", "resources", "result", "results", "output", "outputs", "urls", "resulturls")
_KINDS = {401: Refusal.KEY, 402: Refusal.CREDIT, 403: Refusal.KEY, 404: Refusal.UNKNOWN, 429: Refusal.FULL}
_PLEASANTRIES = ("", "success", "ok", "none", "null")


def links_in(value: Any, levels: int = DEEPEST) -> tuple[str, ...]:
    """Result links in a string, a list of strings or objects, or an object that holds one of these."""
    if isinstance(value, str):
        return (value,) if value.startswith(("https://", "http://")) else ()
    if levels and isinstance(value, list):
        return tuple(link for item in value for link in links_in(item, levels - 1))
    if levels and isinstance(value, Mapping):
        plain = _plain(value)
        for name in _LINKS:
            if found := links_in(plain.get(name), levels - 1):
                return found
    return ()


def reason_in(value: Any, default: str = "no reason was given") -> str:
    """The first text under a plausible name, nearest to the top first, with the details that stand beside it."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        for item in level:
            if isinstance(item, Mapping):
                plain = _plain(item)
                for name in REASONS:
                    text = plain.get(name)
                    if _says_something(text):
                        return _with_details(str(text).strip(), plain)[:LONGEST_REASON]
        level = [below for item in level for below in _below(item)]
    return default


def _says_something(text: object) -> bool:
    return isinstance(text, str) and text.strip().lower() not in _PLEASANTRIES


def _with_details(text: str, plain: Mapping[str, Any]) -> str:
    """EachLabs' model page says: read `message` / `details`; the first alone may be as bare as "Invalid input"."""
    details = next((plain[name] for name in ("details", "detail") if _says_something(plain.get(name))), "").strip()
    return text if not details or details in text else f"{text}: {details}"


def refusal(reply: Reply, code: int | None = None) -> Refused | Unclear:
    """An answer that is no success: a refusal where its code says so, else unclear.

    `code` is the body's own code where it has one. 4xx means nothing was created; 408 and 5xx may come
    after the task was.
    """
    status, kind = (reply.status, "HTTP") if code is None or not reply.ok else (code, "code")
    text = reason_in(reply.json(), "")
    if 400 <= status < 500 and status not in (408, 499):
        return Refused(_KINDS.get(status, Refusal.INVALID), text or f"{kind} {status}")
    return Unclear(f"{text} ({kind} {status})" if text else f"{kind} {status}")


def text_at(value: Any, *path: str) -> str | None:
    """The non-empty text (or number, as text) at `path`, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def code_in(value: Any) -> int | None:
    """The body's `code` as a number, or None."""
    code = value.get("code") if isinstance(value, Mapping) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def amount_in(value: Any) -> Decimal | None:
    """A cost in USD, or None where there is no sensible number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10_000 else None


def _plain(value: Mapping[Any, Any]) -> dict[str, Any]:
    """The same with names in lower case and without `_`: `error_message` and `errorMessage` are one."""
    return {str(name).lower().replace("_", ""): item for name, item in value.items()}


def _below(item: Any) -> Iterator[Any]:
    if isinstance(item, Mapping):
        yield from item.values()
    elif isinstance(item, list):
        yield from item[:20]
