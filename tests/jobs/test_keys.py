"""Saved keys: readable by their owner alone, whole or not there; and what a provider says of one."""

from __future__ import annotations

import json
import socket
import stat
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kling_pack.catalog.models import PROVIDERS
from kling_pack.errors import InputError, SetupError
from kling_pack.jobs import keys
from kling_pack.jobs.keys import LONGEST_KEY, Verdict, last_four, remove_key, save_key, try_key
from kling_pack.jobs.settings import KEYS_FILE, load_settings
from kling_pack.sandbox.behaviour import Fault

KEY = "sk-recognisable-key-1234567890"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "kling"


def test_a_saved_key_is_what_the_settings_read(home: Path) -> None:
    save_key(home, "modellix", f"  {KEY}\n")
    endpoint = load_settings(home).endpoints["modellix"]
    assert (endpoint.key, endpoint.saved) == (SecretStr(KEY), True)


def test_the_environments_key_goes_before_the_saved_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_key(home, "modellix", KEY)
    monkeypatch.setenv("MODELLIX_API_KEY", "another-key-of-the-environment")
    endpoint = load_settings(home).endpoints["modellix"]
    assert (endpoint.key, endpoint.saved) == (SecretStr("another-key-of-the-environment"), False)


def test_nobody_else_may_read_the_file(home: Path) -> None:
    """Windows has no modes; there the folder keeps others away."""
    save_key(home, "modellix", KEY)
    save_key(home, "eachlabs", KEY)
    assert sys.platform == "win32" or stat.S_IMODE((home / KEYS_FILE).stat().st_mode) == 0o600


def test_the_other_keys_stay(home: Path) -> None:
    for name in PROVIDERS:
        save_key(home, name, f"{KEY}-{name}")
    remove_key(home, "modellix")
    kept = json.loads((home / KEYS_FILE).read_text("utf-8"))
    assert kept == {name: f"{KEY}-{name}" for name in PROVIDERS if name != "modellix"}


def test_keys_saved_at_the_same_time_are_all_there(home: Path) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: save_key(home, name, KEY), PROVIDERS))
    assert set(json.loads((home / KEYS_FILE).read_text("utf-8"))) == set(PROVIDERS)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_key(home, "modellix", KEY)

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(keys.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_key(home, "modellix", "another-key-that-does-not-fit")
    assert json.loads((home / KEYS_FILE).read_text("utf-8")) == {"modellix": KEY}
    assert [file.name for file in home.iterdir()] == [KEYS_FILE]


@pytest.mark.parametrize("key", ["", "   ", "two words", "tab\tinside", "clé", "x" * (LONGEST_KEY + 1)])
def test_what_cannot_be_a_key_is_not_saved_and_not_repeated(home: Path, key: str) -> None:
    with pytest.raises(InputError) as told:
        save_key(home, "modellix", key)
    assert not (home / KEYS_FILE).exists()
    assert not key.strip() or key not in str(told.value)


def test_a_file_that_cannot_be_read_is_not_overwritten(home: Path) -> None:
    home.mkdir()
    (home / KEYS_FILE).write_text("not json", "utf-8")
    with pytest.raises(SetupError, match="remove the file"):
        save_key(home, "modellix", KEY)
    assert (home / KEYS_FILE).read_text("utf-8") == "not json"


@pytest.mark.parametrize(("key", "shown"), [(KEY, "7890"), ("eleven-char", ""), ("twelve-chars", "hars"), (None, "")])
def test_four_characters_of_a_long_key_may_be_seen(key: str | None, shown: str) -> None:
    assert last_four(SecretStr(key) if key else None) == shown


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_the_provider_takes_is_good(bench: Any, provider: str) -> None:
    bench.house.behave(keys={provider: [f"key-of-{provider}-123456"]})
    assert try_key(bench.settings.endpoints[provider]).verdict is Verdict.GOOD
    assert bench.house.paid() == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_the_provider_does_not_take_is_refused(bench: Any, provider: str) -> None:
    bench.house.behave(keys={provider: ["quite-another-key"]})
    tried = try_key(bench.settings.endpoints[provider])
    assert tried.verdict is Verdict.REFUSED
    assert "Invalid or missing API key" in tried.reason


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("http_403", Verdict.REFUSED),
        ("no_credit", Verdict.NO_CREDIT),
        ("rate_limited", Verdict.UNCLEAR),
        ("http_400", Verdict.UNCLEAR),
        ("http_503", Verdict.UNCLEAR),
        ("html", Verdict.UNCLEAR),
        ("drop_before", Verdict.UNREACHABLE),
    ],
)
def test_other_answers(bench: Any, provider: str, fault: str, verdict: Verdict) -> None:
    bench.house.behave(Fault(fault, on="poll"))
    assert try_key(bench.settings.endpoints[provider]).verdict is verdict


def test_a_provider_that_nobody_can_reach(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODELLIX_BASE_URL", f"http://127.0.0.1:{probe.getsockname()[1]}")
        assert try_key(bench.settings.endpoints["modellix"]).verdict is Verdict.UNREACHABLE


def test_a_provider_that_repeats_the_key_does_not_get_it_shown(
    line: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.dumps({"code": 401, "message": f"no such key: {KEY}"}).encode()
    head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n".encode()
    monkeypatch.setenv("MODELLIX_BASE_URL", line(lambda connection, _: connection.sendall(head + said)).url)
    save_key(home, "modellix", KEY)
    tried = try_key(load_settings(home).endpoints["modellix"])
    assert tried.verdict is Verdict.REFUSED
    assert KEY not in tried.reason


def test_without_a_key_nothing_is_asked(home: Path) -> None:
    with pytest.raises(InputError, match="no key for eachlabs"):
        try_key(load_settings(home).endpoints["eachlabs"])
