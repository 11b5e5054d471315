"""Keys over HTTP: in once, never out, and only from this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from comfyui import ComfyUI
from graphs import WORKFLOW, graph, records
from truth import behave

from kling_pack.sandbox.server import Sandbox

KEY = "sk-recognisable-key-1234567890"
OTHER = "sk-of-the-environment-abcdefgh"


@pytest.fixture(scope="module")
def keyless(with_keys: dict[str, str]) -> Iterator[ComfyUI]:
    """ComfyUI whose only key is that of apimodels, in the environment."""
    variables = {name: value for name, value in with_keys.items() if not name.endswith("_API_KEY")}
    with ComfyUI(variables | {"APIMODELS_API_KEY": OTHER}) as started:
        yield started


@pytest.fixture(autouse=True)
def no_saved_keys(keyless: ComfyUI) -> None:
    (keyless.base / "kling" / "keys.json").unlink(missing_ok=True)


def put(comfyui: ComfyUI, provider: str = "modellix", body: Any = None, **headers: str) -> requests.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"key": KEY} if body is None else body
    return requests.put(f"{comfyui.address}/kling/keys/{provider}", json=sent, headers=given, timeout=10)


def delete(comfyui: ComfyUI, provider: str = "modellix") -> requests.Response:
    return requests.delete(f"{comfyui.address}/kling/keys/{provider}", json={}, timeout=10)


def test_keys_are_missing_or_from_the_environment_at_first(keyless: ComfyUI) -> None:
    told = keyless.get("/kling/keys")
    assert told["keys"]["modellix"] == {
        "title": "Modellix",
        "state": "missing",
        "last_four": "",
        "variable": "MODELLIX_API_KEY",
    }
    assert (told["keys"]["apimodels"]["state"], told["keys"]["apimodels"]["last_four"]) == ("environment", OTHER[-4:])
    assert told["changeable"]
    assert not told["auto_is_sandbox"]


def test_a_key_is_set_used_and_removed_and_never_seen_again(keyless: ComfyUI) -> None:
    answer = put(keyless)
    assert answer.json()["keys"]["modellix"]["state"] == "saved"
    entry = keyless.run(graph("text", prompt="with a saved key", provider="modellix"), workflow=WORKFLOW)
    assert records(entry)[0]["provider"] == "modellix"
    seen = [answer.text, json.dumps(keyless.get("/kling/keys")), json.dumps(keyless.get("/kling/catalog"))]
    seen += [json.dumps(keyless.get("/kling/tasks")), json.dumps(keyless.get("/history")), keyless.log_text()]
    assert not any(KEY in text for text in seen)
    assert delete(keyless).json()["keys"]["modellix"]["state"] == "missing"
    assert KEY not in (keyless.base / "kling" / "keys.json").read_text("utf-8")


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_IP", "CF_Connecting_IP"])
def test_nobody_changes_a_key_through_a_proxy(keyless: ComfyUI, header: str) -> None:
    assert put(keyless, **{header: "127.0.0.1"}).status_code == 403
    assert keyless.get("/kling/keys")["keys"]["modellix"]["state"] == "missing"


def test_nobody_changes_a_key_by_another_name_of_this_machine(keyless: ComfyUI) -> None:
    foreign = f"rebound.example:{keyless.port}"
    assert put(keyless, Host=foreign, Origin=f"http://{foreign}").status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec_Fetch_Site": "cross-site"}])
def test_foreign_pages_change_no_key(keyless: ComfyUI, headers: dict[str, str]) -> None:
    assert put(keyless, **headers).status_code == 403


def test_only_json_changes_a_key(keyless: ComfyUI) -> None:
    where = f"{keyless.address}/kling/keys/modellix"
    assert requests.put(where, data=json.dumps({"key": KEY}), timeout=10).status_code == 400
    assert requests.delete(where, timeout=10).status_code == 400
    assert requests.get(where, timeout=10).status_code in (404, 405)


@pytest.mark.parametrize("body", [{}, {"key": 5}, {"key": ""}, {"key": "two words"}, [KEY]])
def test_what_is_no_key_is_refused_and_not_repeated(keyless: ComfyUI, body: Any) -> None:
    answer = put(keyless, body=body)
    assert answer.status_code == 400
    assert "two words" not in answer.text


def test_only_providers_have_keys(keyless: ComfyUI) -> None:
    assert put(keyless, provider="sandbox").status_code == 400
    assert put(keyless, provider="..%2Fetc").status_code == 400


def test_a_key_is_tried_without_paying(keyless: ComfyUI, sandbox: Sandbox) -> None:
    def tried(provider: str) -> str:
        verdict: str = keyless.post(f"/kling/keys/{provider}/test", {}).json()["verdict"]
        return verdict

    behave(sandbox, keys={"modellix": [KEY], "apimodels": ["another"]})
    put(keyless)
    assert (tried("modellix"), tried("apimodels")) == ("good", "refused")
    assert keyless.post("/kling/keys/eachlabs/test", {}).status_code == 400
