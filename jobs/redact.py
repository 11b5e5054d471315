"""Takes keys, tokens, signed links and Base64 out of whatever is logged, raised, shown or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"

# An answer may be long and made to be slow to search: no pattern may read the same stretch again and again.
_BASE64 = re.compile(r"(?:data:[\w/+.-]+;base64,)?[A-Za-z0-9+/_-]{120,}={0,2}")
_TOKEN = re.compile(
    r"(?i)\b(\w*(?:api[_-]?key|authorization|(?:access|auth)[_-]?token|(?:client[_-]?)?secret(?:[_-]?key)?|password))"
    r"""(["']?\s*[:=]\s*["']?(?:(?:bearer|basic|key)\s+)?)[\w.~+/=-]{6,}"""
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}")
_SECRET_NAME = re.compile(r"(?i)[\w-]*api[_-]?key|authorization|(?:access|auth)[_-]?token|client[_-]?secret|password")
_LINK = re.compile(r"https?://[^\s\"'<>]+")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Half of a surrogate pair has no UTF-8, PostgreSQL has no NUL."""
_LOGIN = re.compile(r"://[^\s/@]+@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets, without anything that looks like one, and links without their query."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    # Links first: Base64 would swallow a long path and leave its signature standing. What is short then is quick.
    text = _LINK.sub(_without_query, text)
    text = _BASE64.sub(lambda found: f"[{len(found[0])} characters of Base64]", text)
    text = _LOGIN.sub(f"://{HIDDEN}@", text)
    text = _TOKEN.sub(rf"\1\2{HIDDEN}", text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _without_query(link: re.Match[str]) -> str:
    end = min((at for at in map(link[0].find, "?#") if at >= 0), default=None)
    return link[0] if end is None else f"{link[0][:end]}?{HIDDEN}"


def redact_json(value: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for every text in a JSON value, and for what is named as a key; nesting beyond 50 is cut off."""
    return _redact_below(value, tuple(secrets), 0)


def _redact_below(value: Any, secrets: tuple[str, ...], depth: int) -> Any:
    if depth > 50:
        return "[nested too deeply]"
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {
            redact(str(name), secrets): HIDDEN
            if isinstance(item, str) and _SECRET_NAME.fullmatch(str(name))
            else _redact_below(item, secrets, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact_below(item, secrets, depth + 1) for item in value]
    return value
