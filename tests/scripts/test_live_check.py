"""The live check, against the sandbox: what it says, what it asks, what it finds, and what it leaves behind."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import live_check
import pytest
import recording
import requests
from environment import ROOT

from kling_pack.providers import ADAPTERS
from kling_pack.sandbox.behaviour import Behaviour, Limit
from kling_pack.sandbox.server import Sandbox

FIXTURES = ROOT / "tests" / "providers" / "fixtures"
KEY = "sk-live-0123456789-secret"
PROVIDERS = tuple(ADAPTERS)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    behaviour = Behaviour({"*": 0.2}, {name: Limit() for name in PROVIDERS}, {name: (KEY,) for name in PROVIDERS})
    with Sandbox(tmp_path_factory.mktemp("sandbox"), behaviour=behaviour) as started:
        yield started


@dataclass(frozen=True)
class Ran:
    """How the command ended and what it said."""

    code: object
    told: str


def check(sandbox: Sandbox | None, provider: str, *more: str, answer: str = "", key: str = KEY) -> Ran:
    """Runs the command; `answer` is what is typed."""
    name, told = provider.upper(), io.StringIO()
    with pytest.MonkeyPatch.context() as changed, redirect_stdout(told):
        changed.setenv(f"{name}_API_KEY", key)
        changed.delenv("KLING_HOME", raising=False)
        if sandbox:
            changed.setenv(f"{name}_BASE_URL", sandbox.base_url(provider))
        changed.setattr("sys.argv", ["live_check.py", provider, *more])
        changed.setattr("sys.stdin", io.StringIO(answer))
        try:
            code: object = live_check.main()
        except SystemExit as ended:
            code = ended.code
    return Ran(code, told.getvalue())


@contextmanager
def fault(sandbox: Sandbox, **rule: Any) -> Iterator[None]:
    """Lets the sandbox do something else for a while."""
    control = f"http://127.0.0.1:{sandbox.port}/sandbox/behaviour"
    before = requests.get(control, timeout=10).json()
    requests.put(control, json={**before, "faults": [{"times": 1, **rule}]}, timeout=10).raise_for_status()
    yield
    requests.put(control, json=before, timeout=10).raise_for_status()


def paid(sandbox: Sandbox) -> int:
    told = requests.get(f"http://127.0.0.1:{sandbox.port}/sandbox/stats", timeout=10).json()["providers"]
    return sum(one["creates_accepted"] for one in told.values())


@pytest.fixture(scope="module")
def checked(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Ran]]:
    """Each provider, checked once with every operation of every model."""
    folders = {provider: tmp_path_factory.mktemp("answers") / provider / "live" for provider in PROVIDERS}
    more = ("--yes", "--every-operation", "--every", "0.1", "--out")
    return {name: (out, check(sandbox, name, *more, str(out))) for name, out in folders.items()}


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_fact_holds_at_the_sandbox(checked: dict[str, tuple[Path, Ran]], provider: str) -> None:
    out, done = checked[provider]
    assert done.code == 0, done.told
    assert "WRONG" not in done.told
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["provider_itself"] is False
    assert all(fact["held"] for fact in report["facts"].values())
    wanted = {"wrong key", "unknown task", "created", "word running", "word done", "links", "result"}
    assert {f"{provider} {fact}" for fact in wanted} <= set(report["facts"])


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_are_stored_without_a_secret_and_are_read_alike_again(
    checked: dict[str, tuple[Path, Ran]], provider: str
) -> None:
    out, done = checked[provider]
    stored = {file.stem: file.read_text("utf-8") for file in out.glob("*.json")}
    assert len([name for name in stored if name.endswith("-create")]) == done.told.count("is paid for")
    for name, text in stored.items():
        assert KEY not in text and len(max(text.split(), key=len)) < 400, name
        assert "signature=" not in text and "token=" not in text, name
    assert list(recording.differences(out, ADAPTERS[provider])) == []


def test_what_is_stored_in_the_repository_is_read_as_it_was() -> None:
    folders = [FIXTURES / provider / "live" for provider in PROVIDERS]
    told = [line for folder in folders for line in recording.differences(folder, ADAPTERS[folder.parent.name])]
    assert told == []


@pytest.mark.slow
def test_an_answer_that_is_read_in_another_way_is_told(checked: dict[str, tuple[Path, Ran]], tmp_path: Path) -> None:
    folder = tmp_path / "modellix" / "live"
    folder.mkdir(parents=True)
    (recorded,) = checked["modellix"][0].glob("text-kling-v3-poll-success.json")
    changed = json.loads(recorded.read_text("utf-8"))
    changed["read"]["links"] = []
    (folder / recorded.name).write_text(json.dumps(changed), "utf-8")
    (told,) = recording.differences(folder, ADAPTERS["modellix"])
    assert told.startswith("modellix/text-kling-v3-poll-success.json was read as ")


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["", "n\n", "\n", "no\n", "yes please\n"])
def test_nothing_is_paid_before_somebody_says_yes(sandbox: Sandbox, answer: str) -> None:
    before = paid(sandbox)
    done = check(sandbox, "eachlabs", answer=answer)
    assert done.code == 2
    assert "Go on? [y/N]" in done.told and "Nothing was sent and nothing was paid." in done.told
    assert paid(sandbox) == before


@pytest.mark.slow
def test_it_says_first_what_it_will_cost(sandbox: Sandbox) -> None:
    told = check(sandbox, "eachlabs").told
    assert told.startswith("This makes 2 paid calls, one picture each, at EachLabs (http://127.0.0.1:")
    assert "  price unknown  image kling-v1-5\n" in told
    assert "Together: $0.028 and 1 price that no page gives.\n" in told
    told = check(sandbox, "apimodels").told
    assert told.startswith("This makes 7 paid calls") and "Together: 2.707 credits.\n" in told
    assert "Together: 9 prices that no page gives.\n" in check(sandbox, "modellix").told


@pytest.mark.parametrize("address", [None, "https://api.modellix.ai./api/v1", "https://gateway.example.com/modellix"])
def test_where_somebody_may_be_paid_nobody_can_skip_the_question(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if address:
        monkeypatch.setenv("MODELLIX_BASE_URL", address)
    done = check(None, "modellix", "--yes", answer="n\n")
    assert done.code == 2
    assert "--yes is taken only at an address of this machine." in done.told
    assert "Nothing was sent and nothing was paid." in done.told


@pytest.mark.slow
def test_yes_at_the_prompt_goes_on_and_a_fault_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    # The first two looks are at a task that is none.
    with fault(sandbox, fault="unknown_status", on="poll", after=2):
        done = check(sandbox, "eachlabs", "--every", "0.1", "--out", str(tmp_path), answer="y\n")
    assert done.code == 1, done.told
    assert "WRONG eachlabs word running" in done.told
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["facts"]["eachlabs word running"]["held"] is False


@pytest.mark.slow
def test_a_lost_answer_to_a_paid_call_is_not_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    before = paid(sandbox)
    with fault(sandbox, fault="drop_after", on="create"):
        done = check(sandbox, "eachlabs", "--yes", "--every", "0.1", "--out", str(tmp_path))
    assert done.code == 1
    assert "no answer" in done.told and "It may be paid for: look for it at the provider." in done.told
    assert paid(sandbox) == before + 2


def test_without_a_key_it_says_which_one_is_missing() -> None:
    assert check(None, "eachlabs", key="").code == "EachLabs has no key: set EACHLABS_API_KEY."


@pytest.mark.slow
def test_the_command_starts_by_itself() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "live_check.py"), "--help"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0 and "Costs money: it says how much, and asks." in ran.stdout
