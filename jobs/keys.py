"""Keys saved from the editor: written so that nobody else reads them, and tried without paying."""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import SecretStr

from ..errors import InputError
from ..providers import ADAPTERS
from ..providers.base import Refusal, Refused, Status
from .http import AnswerLostError, Http, NotSentError
from .redact import redact
from .settings import KEYS_FILE, Endpoint, saved_keys

LONGEST_KEY = 512
SHORTEST_SHOWN = 12
"""Of a shorter key, four characters would tell too much."""

NOT_A_TASK = {
    "eachlabs": "00000000-0000-4000-8000-000000000000",
    "modellix": "modellix-task-00000000000000000000000000000000",
    "apimodels": "00000000000000000000000000",
}
"""Ids in the form that each provider gives, of tasks that do not exist: what the answer to such a question means is
the same at all three. EachLabs (docs, errors): 401 "Invalid or missing API key", 404 "Prediction not found". Modellix
(docs, API): `code` 401 and 404. apimodels (docs, kling-image): 401 "Invalid API key", 404 "Task ID not found"."""

_writing = threading.Lock()


class Verdict(str, Enum):
    """What a provider said of a key."""

    GOOD = "good"
    REFUSED = "refused"
    NO_CREDIT = "no_credit"
    UNREACHABLE = "unreachable"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Tried:
    """The outcome of a test; `reason` is the provider's own text, or why there was none."""

    verdict: Verdict
    reason: str = ""


def save_key(home: Path, provider: str, key: str) -> None:
    """Writes a key to `home`/keys.json, whole or not at all, readable by its owner alone.

    Raises InputError for what cannot be a key, SetupError when the file there cannot be read.
    """
    stripped = key.strip()
    if not re.fullmatch(r"[!-~]+", stripped) or len(stripped) > LONGEST_KEY:
        raise InputError(
            f"A key has at most {LONGEST_KEY} plain characters and no space in it; this one was not saved. Copy it "
            f"anew from {ADAPTERS[provider].title}."
        )
    _change(home, provider, stripped)


def remove_key(home: Path, provider: str) -> None:
    """Forgets the saved key; one in the environment stays. Raises SetupError."""
    _change(home, provider, None)


def last_four(key: SecretStr | None) -> str:
    """The end of a key for a person to know it by; nothing of a short one."""
    value = key.get_secret_value() if key else ""
    return value[-4:] if len(value) >= SHORTEST_SHOWN else ""


def try_key(endpoint: Endpoint) -> Tried:
    """Asks the provider how a task stands that does not exist: whoever is told that it is unknown was let in.

    Costs nothing. Blocks for the length of one call. Raises InputError where there is no key to try.
    """
    if endpoint.key is None:
        raise InputError(f"There is no key for {endpoint.name} to test. Nothing was asked.")
    adapter, key = ADAPTERS[endpoint.name], endpoint.key.get_secret_value()
    try:
        reply = Http().send(adapter.poll(NOT_A_TASK[endpoint.name]), endpoint.base_url, adapter.authorize(key))
    except (NotSentError, AnswerLostError) as error:
        return Tried(Verdict.UNREACHABLE, str(error))
    answer = adapter.status(reply)
    if isinstance(answer, Status):
        return Tried(Verdict.GOOD)
    verdict = _MEANS.get(answer.kind, Verdict.UNCLEAR) if isinstance(answer, Refused) else Verdict.UNCLEAR
    return Tried(verdict, redact(answer.reason, (key,)))


_MEANS: Mapping[Refusal, Verdict] = {
    Refusal.UNKNOWN: Verdict.GOOD,
    Refusal.KEY: Verdict.REFUSED,
    Refusal.CREDIT: Verdict.NO_CREDIT,
}
"""Being full (429) or finding fault with the id (400) may come before the key is looked at."""


def _change(home: Path, provider: str, key: str | None) -> None:
    with _writing:
        kept = {name: value for name, value in saved_keys(home / KEYS_FILE).items() if name != provider}
        _write(home / KEYS_FILE, kept if key is None else {**kept, provider: key})


def _write(file: Path, keys: Mapping[str, str]) -> None:
    """A file of `mkstemp` has mode 0600 from its first moment, and takes the old one's place in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            json.dump(keys, written)
            written.flush()
            os.fsync(written.fileno())
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
