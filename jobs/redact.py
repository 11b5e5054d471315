"""Takes keys, tokens, signed links and Base64 out of whatever is logged, raised, shown or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"
_BASE64 = re.compile(r"(?:data:[\w/+.-]+;base64,)?[A-Za-z0-9+/_-]{120,}={0,2}")
_TOKEN = re.compile(
    r"(?i)\b(bearer|x-api-key|api[_-]?key|authorization|access[_-]?token|secret)(\W{1,4})[\w.~+/=-]{6,}"
)
_QUERY = re.compile(r"(https?://[^\s\"'<>?#]+)[?#][^\s\"'<>]*")
_LOGIN = re.compile(r"(\w+://)[^\s/@]+@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets, without anything that looks like one, and links without their query."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1?{HIDDEN}", text)
    text = _TOKEN.sub(rf"\1\2{HIDDEN}", text)
    return _BASE64.sub(lambda found: f"[{len(found[0])} characters of Base64]", text)


def redact_json(value: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for every text inside a JSON value; nesting deeper than 50 is cut off."""
    return _redact_below(value, tuple(secrets), 0)


def _redact_below(value: Any, secrets: tuple[str, ...], depth: int) -> Any:
    if depth > 50:
        return "[nested too deeply]"
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {
            redact(str(name), secrets): _redact_below(item, secrets, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact_below(item, secrets, depth + 1) for item in value]
    return value
