"""Every fault that can be ordered, seen from outside, and the truth about what was paid."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from PIL import Image

from kling_pack.sandbox.behaviour import FAULTS, Behaviour, Fault
from kling_pack.sandbox.faults import Dice

PROVIDERS = ["eachlabs", "modellix", "apimodels"]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def state_of(answer: requests.Response) -> str:
    record = answer.json()
    data = record.get("data", record)
    return str(data.get("status") or data.get("state"))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 500, 502, 503, 504])
def test_refusals_by_code_create_nothing(client: Any, provider: str, status: int) -> None:
    body, model = client.simple(provider)
    client.fault(f"http_{status}", times=1)
    answer = client.create(provider, body, model)
    assert answer.status_code == status
    assert answer.json().get("code", status) == status
    assert client.stats(provider)["creates_accepted"] == 0
    assert client.create(provider, body, model).status_code == 200


def test_no_credit_in_each_shape(client: Any) -> None:
    bodies = {provider: client.simple(provider) for provider in PROVIDERS}
    client.fault("no_credit")
    answers = {provider: client.create(provider, *bodies[provider]) for provider in PROVIDERS}
    assert {answer.status_code for answer in answers.values()} == {402}
    assert answers["eachlabs"].json()["status"] == 402
    assert answers["eachlabs"].json()["error"] == "payment required"
    assert answers["modellix"].json()["message"].startswith("Insufficient balance: ")
    assert answers["apimodels"].json()["msg"].startswith("Payment Required")


def test_rate_limited_says_when(client: Any) -> None:
    bodies = {provider: client.simple(provider) for provider in PROVIDERS}
    client.fault("rate_limited", retry_after=7)
    each, modellix, apimodels = (client.create(provider, *bodies[provider]) for provider in PROVIDERS)
    assert (each.status_code, each.headers["Retry-After"]) == (429, "7")
    assert each.json() == {"error": "Rate limit exceeded. Please retry after 7 seconds."}
    assert modellix.status_code == 429 and int(modellix.headers["X-RateLimit-Reset"]) > 1_700_000_000
    assert apimodels.json()["code"] == 429
    assert client.stats("modellix")["given_429"] == 1


@pytest.mark.parametrize(("fault", "paid"), [("drop_before", 0), ("drop_after", 1), ("cut", 1)])
def test_connections_that_break(client: Any, fault: str, paid: int) -> None:
    client.fault(fault)
    with pytest.raises(BROKEN):
        client.create("modellix", {"prompt": "a"}, "kling-v2-t2i")
    assert client.stats("modellix")["creates_accepted"] == paid
    assert len(client.tasks()) == paid


def test_error_after_is_paid(client: Any) -> None:
    client.fault("error_after")
    assert client.create("modellix", {"prompt": "a"}, "kling-v2-t2i").status_code == 502
    counts = client.stats("modellix")
    assert (counts["creates_accepted"], counts["creates_refused"]) == (1, 0)


def test_hang_is_paid_and_never_answers(client: Any) -> None:
    client.fault("hang", seconds=3600)
    with pytest.raises(requests.Timeout):
        client.call("POST", "modellix", "/kling/kling-v2-t2i/async", json={"prompt": "a"}, timeout=0.3)
    assert client.stats("modellix")["creates_accepted"] == 1


def test_slow_answers_arrive_whole(client: Any) -> None:
    client.fault("slow", seconds=0.2)
    answer = client.create("modellix", {"prompt": "a"}, "kling-v2-t2i")
    assert answer.elapsed.total_seconds() < 0.2
    assert answer.json()["code"] == 0


def test_html_and_broken_json(client: Any) -> None:
    client.fault("html")
    answer = client.create("modellix", {"prompt": "a"}, "kling-v2-t2i")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    client.fault("not_json")
    answer = client.create("modellix", {"prompt": "a"}, "kling-v2-t2i")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert client.stats("modellix")["creates_accepted"] == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_id(client: Any, provider: str) -> None:
    body, model = client.simple(provider)
    client.fault("no_id")
    answer = client.create(provider, body, model)
    assert answer.status_code == 200
    assert client.tasks()[0]["id"] not in answer.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_unknown_status_for_a_while(client: Any, provider: str) -> None:
    body, model = client.simple(provider)
    task = client.created(provider, body, model)
    client.fault("unknown_status", on="poll", times=2)
    assert [state_of(client.poll(provider, task)) for _ in range(2)] == ["warming_up"] * 2
    assert len(client.links(provider, task)) == 1


class TestFailedTasks:
    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ("", {"status": "error"}),
            ("failed", {"status": "failed"}),
            ("dispatch", {"status": "error", "output": {"error": "not allowed"}}),
            (
                "message",
                {"status": "error", "output": None, "message": "Prediction failed", "details": "not allowed"},
            ),
        ],
    )
    def test_eachlabs(self, client: Any, shape: str, expected: dict[str, Any]) -> None:
        body, _ = client.simple("eachlabs")
        client.fault("task_failed", reason="not allowed", shape=shape)
        answer = client.poll("eachlabs", client.created("eachlabs", body))
        assert answer.status_code == 200
        assert expected.items() <= answer.json().items()
        if "output" not in expected:
            output = answer.json()["output"]
            assert (output["error_code"], output["error_message"]) == ("PROVIDER_REJECTED", "not allowed")

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ("", {"error": {"code": "task_failed", "message": "not allowed"}}),
            ("message", {"message": "not allowed"}),
            ("none", {}),
        ],
    )
    def test_modellix(self, client: Any, shape: str, expected: dict[str, Any]) -> None:
        client.fault("task_failed", reason="not allowed", shape=shape)
        task = client.created("modellix", {"prompt": "a"}, "kling-v2-t2i")
        data = {"status": "failed", "task_id": task, "model_id": "kling-v2-t2i"} | expected
        assert client.poll("modellix", task).json() == {"code": 0, "message": "success", "data": data}

    def test_apimodels(self, client: Any) -> None:
        client.fault("task_failed", reason="Content policy violation")
        task = client.created("apimodels", {"model": "kling-v3-image", "prompt": "a"})
        data = {"taskId": task, "state": "failed", "model": "kling-image-gen/kling-v3"}
        assert client.poll("apimodels", task).json() == {
            "code": 200,
            "msg": "success",
            "data": data | {"failMsg": "Content policy violation"},
        }

    def test_struck_at_a_poll_it_stays_failed(self, client: Any) -> None:
        task = client.created("modellix", {"prompt": "a"}, "kling-v2-t2i")
        client.fault("task_failed", on="poll", times=1)
        assert [state_of(client.poll("modellix", task)) for _ in range(2)] == ["failed", "failed"]


@pytest.mark.parametrize("status", [403, 404])
def test_expired_link_until_asked_again(client: Any, status: int) -> None:
    task = client.created("modellix", {"prompt": "a", "n": 2}, "kling-v2-t2i")
    client.fault("expired_link", on="download", times=1, status=status)
    first, second = client.links("modellix", task)
    assert requests.get(first, timeout=9).status_code == status
    assert requests.get(first, timeout=9).status_code == requests.get(second, timeout=9).status_code == 403
    assert [requests.get(link, timeout=9).status_code for link in client.links("modellix", task)] == [
        200,
        200,
    ]


def test_wrong_sizes(client: Any) -> None:
    client.fault("wrong_sizes")
    task = client.created("modellix", {"prompt": "a", "n": 3}, "kling-v2-t2i")
    assert len({image.size for image in client.results("modellix", task)}) == 3


@pytest.mark.parametrize(("shape", "kind"), [("string", str), ("list", list), ("object", dict), ("objects", list)])
def test_eachlabs_output_shapes(client: Any, shape: str, kind: Any) -> None:
    body, _ = client.simple("eachlabs", n=2)
    client.fault(f"shape:{shape}")
    output = client.poll("eachlabs", client.created("eachlabs", body)).json()["output"]
    assert isinstance(output, kind)
    if shape == "objects":
        assert [set(item) for item in output] == [{"url"}] * 2


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("jpeg", ("JPEG", "RGB")),
        ("webp", ("WEBP", "RGB")),
        ("png", ("PNG", "RGB")),
        ("palette", ("PNG", "P")),
        ("png16", ("PNG", "I;16")),
    ],
)
def test_pictures_in_other_forms(client: Any, form: str, expected: tuple[str, str]) -> None:
    client.fault(f"picture:{form}")
    image = client.results("modellix", client.created("modellix", {"prompt": "a"}, "kling-v2-t2i"))[0]
    assert (image.format, image.mode) == expected


def test_truncated_pictures_break_off(client: Any) -> None:
    client.fault("picture:truncated", on="download")
    task = client.created("modellix", {"prompt": "a"}, "kling-v2-t2i")
    with pytest.raises(OSError, match=r"truncated|incomplete"):
        client.results("modellix", task)


def test_a_bomb_is_small_until_it_is_opened(client: Any) -> None:
    client.fault("picture:bomb", on="download")
    task = client.created("modellix", {"prompt": "a"}, "kling-v2-t2i")
    data = client.download(client.links("modellix", task)[0]).content
    assert len(data) < 1_000_000
    with pytest.raises(Image.DecompressionBombError):
        client.results("modellix", task)


@pytest.mark.parametrize("fault", ["cut", "drop_before", "drop_after"])
def test_downloads_that_break(client: Any, fault: str) -> None:
    task = client.created("modellix", {"prompt": "a"}, "kling-v2-t2i")
    client.fault(fault, on="download", times=1)
    link = client.links("modellix", task)[0]
    with pytest.raises(BROKEN):
        requests.get(link, timeout=9)
    assert requests.get(link, timeout=9).status_code == 200


class TestRules:
    def test_after_and_times(self) -> None:
        dice = Dice((Fault("http_500", after=1, times=2),), seed=0)
        assert [bool(dice.draw("modellix", "create")) for _ in range(5)] == [False, True, True, False, False]

    def test_only_the_named_provider_and_operation(self) -> None:
        dice = Dice((Fault("http_500", on="poll", provider="eachlabs"),), seed=0)
        assert dice.draw("modellix", "poll") == dice.draw("eachlabs", "create") == []
        assert dice.draw("eachlabs", "poll") == [Fault("http_500", on="poll", provider="eachlabs")]

    def test_share_is_seeded(self) -> None:
        dice, again = (Dice((Fault("http_500", share=0.2),), seed=3) for _ in range(2))
        struck = [len(dice.draw("modellix", "create")) for _ in range(500)]
        assert struck == [len(again.draw("modellix", "create")) for _ in range(500)]
        assert 70 < sum(struck) < 130

    def test_one_loud_fault_at_a_time_the_next_keeps_its_turn(self) -> None:
        dice = Dice((Fault("http_500", times=1), Fault("no_credit", times=1)), seed=0)
        assert [dice.draw("modellix", "create")[0].fault for _ in range(2)] == ["http_500", "no_credit"]

    def test_behaviours_go_through_json(self) -> None:
        behaviour = Behaviour.from_json(
            {
                "seconds": {"eachlabs": [1, 3], "*": 2},
                "limits": {"eachlabs": {"in_flight": 2}},
                "keys": {"modellix": ["k"]},
                "faults": [{"fault": name, "on": "poll"} for name in FAULTS],
            }
        )
        assert Behaviour.from_json(behaviour.to_json()) == behaviour

    @pytest.mark.parametrize(
        "raw",
        [
            {"colour": 1},
            {"faults": [{"fault": "rain"}]},
            {"faults": [{"fault": "cut", "on": "monday"}]},
            {"faults": [{"fault": "cut", "provider": "acme"}]},
            {"seconds": "soon"},
        ],
    )
    def test_unknown_behaviour_is_refused(self, client: Any, raw: dict[str, Any]) -> None:
        answer = client.control("PUT", "/behaviour", json=raw)
        assert answer.status_code == 400 and answer.json()["error"]
