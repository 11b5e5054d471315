"""What each dialect refuses, and in which words: nothing that its page does not offer gets through."""

from __future__ import annotations

from typing import Any

import pytest

O1 = {"prompt": "a", "image_urls": ["PICTURE"]}
V15 = {"prompt": "a", "image": "PICTURE", "model": "kling-v1-5"}
SIDES = {f"{side}_expansion_ratio": 0.1 for side in ("up", "down", "left", "right")}

EACHLABS = [
    ("kling-o1", O1 | {"seed": 1}, "seed: unknown field"),
    ("kling-o1", O1 | {"negative_prompt": "b"}, "negative_prompt: unknown field"),
    ("kling-o1", {"image_urls": ["PICTURE"]}, "prompt: is required"),
    ("kling-o1", {"prompt": "a"}, "image_urls: is required"),
    ("kling-o1", O1 | {"prompt": ""}, "prompt: must have 1 to 2500 characters"),
    ("kling-o1", O1 | {"prompt": "x" * 2501}, "prompt: must have 1 to 2500 characters"),
    ("kling-o1", O1 | {"image_urls": []}, "image_urls: must have 1 to 10 items"),
    ("kling-o1", O1 | {"image_urls": ["x"] * 11}, "image_urls: must have 1 to 10 items"),
    ("kling-o1", O1 | {"image_urls": "x"}, "image_urls: must be an array"),
    ("kling-o1", O1 | {"num_images": "1"}, "num_images: must be a number, not a string"),
    ("kling-o1", O1 | {"num_images": 10}, "num_images: must be 1 to 9"),
    ("kling-o1", O1 | {"num_images": True}, "num_images: must be a number, not a boolean"),
    ("kling-o1", O1 | {"num_images": 1.0}, "num_images: must be an integer"),
    ("kling-o1", O1 | {"resolution": "1k"}, "resolution: must be one of 1K, 2K"),
    ("kling-o1", O1 | {"aspect_ratio": "5:4"}, "aspect_ratio: must be one of auto, 16:9"),
    ("kling-o1", O1 | {"output_format": "gif"}, "output_format: must be one of"),
    (
        "kling-o1",
        O1 | {"image_urls": ["data:image/png;base64,AAAA"]},
        "image_urls[0]: must be a publicly reachable URL",
    ),
    ("kling-o1", O1 | {"image_urls": ["https://example.com/a.png"]}, "failed to download the input"),
    ("kling-o1", O1 | {"image_urls": ["http://127.0.0.1:1/a.png"]}, "failed to download the input"),
    ("kling-v1-5-img-to-img", V15 | {"aspect_ratio": "auto"}, "aspect_ratio: must be one of"),
    ("kling-v1-5-img-to-img", V15 | {"image_fidelity": 1.1}, "image_fidelity: must be 0 to 1"),
    (
        "kling-v1-5-img-to-img",
        V15 | {"image_reference": "none"},
        "image_reference: must be one of face, subject",
    ),
    ("kling-v1-5-img-to-img", V15 | {"resolution": "1K"}, "resolution: unknown field"),
    ("kling-v1-5-img-to-img", {"prompt": "a", "image": "PICTURE"}, "model: is required"),
]

MODELLIX = [
    ("kling-v2-t2i", {}, "prompt: is required"),
    ("kling-v2-t2i", {"prompt": "a", "seed": 1}, "seed: unknown field"),
    ("kling-v2-t2i", {"prompt": "a", "negative_prompt": ""}, "negative_prompt: must have 1 to 2500"),
    ("kling-v2-t2i", {"prompt": "a", "aspect_ratio": "auto"}, "aspect_ratio: must be one of"),
    ("kling-v2-t2i", {"prompt": "a", "resolution": "1K"}, "resolution: must be one of 1k, 2k"),
    ("kling-v2-t2i", {"prompt": None}, "prompt: must be a string, not null"),
    (
        "kling-v1.5-i2i",
        {"prompt": "a", "image": "PICTURE", "resolution": "2k"},
        "resolution: must be one of 1k",
    ),
    (
        "kling-v1.5-i2i",
        {"prompt": "a", "image": "PICTURE", "human_fidelity": 0.5},
        "only available when image_reference",
    ),
    ("kling-v1.5-i2i", {"prompt": "a", "image": "data:image/png;base64,AAAA"}, "without the 'data:' prefix"),
    ("kling-v1.5-i2i", {"prompt": "a", "image": "not Base64!"}, "neither a URL nor Base64"),
    ("kling-v1.5-i2i", {"prompt": "a", "image": "AAAA"}, "not a readable .jpg"),
    (
        "kling-v1.5-i2i",
        {"prompt": "a", "image": "https://example.com/portrait.jpg"},
        "failed to download the input",
    ),
    (
        "kling-v3-i2i",
        {"prompt": "a", "image": "PICTURE", "negative_prompt": "b"},
        "negative_prompt: unknown field",
    ),
    (
        "kling-v3-i2i",
        {"prompt": "a", "image": "PICTURE", "image_fidelity": 0.5},
        "image_fidelity: unknown field",
    ),
    ("kling-v2-mi2i", {"prompt": "a"}, "at least one of subject_images"),
    ("kling-v2-mi2i", {"subject_images": ["PICTURE"] * 5}, "subject_images: must have 1 to 4 items"),
    ("kling-v2-mi2i", {"subject_images": [{"subject_image": "PICTURE"}]}, "item 0 must be a string"),
    ("kling-v2-mi2i", {"subject_images": ["PICTURE"], "resolution": "1k"}, "resolution: unknown field"),
    (
        "kling-image-o1",
        {"prompt": "a", "image_list": ["PICTURE"]},
        "item 0 must be an object with the one field image",
    ),
    ("kling-image-o1", {"prompt": "a", "image_list": [{"image": "x"}] * 11}, "must have 1 to 10 items"),
    ("kling-image-o1", {"prompt": "a", "aspect_ratio": "auto"}, "auto is not supported in text-to-image"),
    ("kling-image-expansion", {"image": "PICTURE"}, "up_expansion_ratio: is required"),
    ("kling-image-expansion", {"image": "PICTURE"} | SIDES | {"up_expansion_ratio": 2.1}, "must be 0 to 2"),
    ("kling-image-expansion", {"image": "PICTURE"} | SIDES | {"up_expansion_ratio": "0"}, "must be a number"),
    (
        "kling-image-expansion",
        {"image": "PICTURE"} | SIDES | {"left_expansion_ratio": 1.7},
        "must not exceed 3x",
    ),
    (
        "kling-image-expansion",
        {"image": "PICTURE", "aspect_ratio": "1:1"} | SIDES,
        "aspect_ratio: unknown field",
    ),
]

APIMODELS = [
    ({"prompt": "a"}, "model: is required"),
    ({"model": "kling-v9", "prompt": "a"}, "model: kling-v9 is not supported"),
    ({"model": "kling-v2-1"}, "prompt: is required"),
    ({"model": "kling-v2-1", "prompt": "a", "image_url": "PICTURE"}, "image_url: unknown field"),
    ({"model": "kling-v2", "prompt": "a", "image_reference": "face"}, "need image_url"),
    ({"model": "kling-v2", "prompt": "a", "n": 0}, "n: must be 1 to 9"),
    ({"model": "kling-v3-image", "prompt": "a", "aspect_ratio": "auto"}, "aspect_ratio: must be one of"),
    ({"model": "kling-v3-image", "prompt": "a", "resolution": "2K"}, "resolution: must be one of"),
    ({"model": "kling-v2-new", "prompt": "a"}, "image_url: is required"),
    (
        {"model": "kling-v2-new", "prompt": "a", "image_url": "PICTURE", "resolution": "1k"},
        "resolution: unknown field",
    ),
    ({"model": "kling-image-o1", "prompt": "a", "image_urls": ["PICTURE"]}, "image_urls: unknown field"),
    ({"model": "kling-image-o1", "prompt": "a", "image_url": ["PICTURE"]}, "image_url: must be a string"),
    (
        {"model": "kling-v2", "prompt": "a", "image_url": "data:image/png;base64,AA"},
        "data URIs and Base64 are rejected",
    ),
    ({"model": "kling-v2", "prompt": "a", "image_url": "https://example.com/a.png"}, "failed to download"),
    ({"model": "kling-multi-image", "prompt": "a"}, "subject_image_list: is required"),
    ({"model": "kling-multi-image", "subject_image_list": ["PICTURE"]}, "one field subject_image"),
    (
        {
            "model": "kling-multi-image",
            "multi_model_name": "kling-v3",
            "subject_image_list": [{"subject_image": "x"}],
        },
        "multi_model_name: must be one of",
    ),
    (
        {"model": "kling-expand", "image_url": "PICTURE"}
        | SIDES
        | {"up_expansion_ratio": 1, "left_expansion_ratio": 1},
        "must not exceed 3x",
    ),
    (
        {"model": "kling-expand", "image_url": "PICTURE", "negative_prompt": "b"} | SIDES,
        "negative_prompt: unknown field",
    ),
]


@pytest.mark.parametrize(("model", "inputs", "reason"), EACHLABS)
def test_eachlabs_refuses_inputs(client: Any, model: str, inputs: dict[str, Any], reason: str) -> None:
    answer = client.create("eachlabs", client.filled("eachlabs", {"model": model, "input": inputs}))
    assert answer.status_code == 400
    record = answer.json()
    assert (record["status"], record["message"]) == ("error", "Invalid input")
    assert reason in record["details"]
    assert client.tasks() == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"seed": 1}, "seed: unknown field"),
        ({"version": 1}, "version: must be a string"),
        ({"input": "{}"}, "input:"),
    ],
)
def test_eachlabs_refuses_bodies(client: Any, more: dict[str, Any], reason: str) -> None:
    body, _ = client.simple("eachlabs")
    answer = client.create("eachlabs", body | more)
    assert answer.status_code == 400 and reason in answer.json()["details"]


@pytest.mark.parametrize(("model", "body", "reason"), MODELLIX)
def test_modellix_refuses_bodies(client: Any, model: str, body: dict[str, Any], reason: str) -> None:
    answer = client.create("modellix", client.filled("modellix", body), model)
    assert answer.status_code == 400
    record = answer.json()
    assert record["code"] == 400 and record["message"].startswith("Invalid parameters: ")
    assert reason in record["message"]
    assert client.tasks() == []


@pytest.mark.parametrize(("body", "reason"), APIMODELS)
def test_apimodels_refuses_bodies(client: Any, body: dict[str, Any], reason: str) -> None:
    answer = client.create("apimodels", client.filled("apimodels", body))
    assert answer.status_code == 400
    record = answer.json()
    assert record["code"] == 400 and reason in record["msg"]
    assert client.tasks() == []


@pytest.mark.parametrize(
    ("size", "form", "reason"),
    [
        ((299, 400), "PNG", "too small"),
        ((400, 299), "JPEG", "too small"),
        ((1000, 399), "PNG", "outside the ratios"),
        ((399, 1000), "PNG", "outside the ratios"),
        ((400, 400), "WEBP", "not a readable"),
        ((400, 400), "GIF", "not a readable"),
        ((2100, 2100), "BMP", "more than 10MB"),
    ],
)
@pytest.mark.parametrize("provider", ["eachlabs", "modellix", "apimodels"])
def test_pictures_out_of_the_rules(
    client: Any, picture: Any, provider: str, size: tuple[int, int], form: str, reason: str
) -> None:
    bodies = {
        "eachlabs": ({"model": "kling-o1", "input": O1}, ""),
        "modellix": ({"prompt": "a", "image": "PICTURE"}, "kling-v3-i2i"),
        "apimodels": ({"model": "kling-v2", "prompt": "a", "image_url": "PICTURE"}, ""),
    }
    body, model = bodies[provider]
    answer = client.create(provider, client.filled(provider, body, picture(*size, form)), model)
    assert answer.status_code == 400 and reason in answer.text
    assert client.stats(provider)["creates_refused"] == 1


def test_a_picture_that_breaks_off_is_not_readable(client: Any, picture: Any) -> None:
    body = {"prompt": "a", "image": client.inline(picture()[:-4000])}
    assert "not a readable" in client.create("modellix", body, "kling-v3-i2i").json()["message"]


@pytest.mark.parametrize("size", [(300, 300), (1000, 400), (400, 1000)])
def test_pictures_at_the_edge_of_the_rules_pass(client: Any, picture: Any, size: tuple[int, int]) -> None:
    body = {"prompt": "a", "image": client.inline(picture(*size))}
    assert client.create("modellix", body, "kling-v3-i2i").status_code == 200


def test_the_largest_area_passes(client: Any) -> None:
    """The numbers of Kling's own example: 100x100 to 16:9 at three times the area."""
    sides = dict(zip(SIDES, (0.1495, 0.1495, 0.6547, 0.6547), strict=True))
    body = client.filled("modellix", {"image": "PICTURE"} | sides)
    assert client.create("modellix", body, "kling-image-expansion").status_code == 200


class TestUnknownModels:
    def test_eachlabs(self, client: Any) -> None:
        answer = client.create("eachlabs", {"model": "kling-o9", "input": {"prompt": "a"}})
        assert answer.status_code == 404
        assert answer.json()["message"] == "Unknown model"

    @pytest.mark.parametrize(
        "path",
        [
            "/kling/kling-v9/async",
            "/kling/kling-v2-t2i",
            "/kling/kling-v1.5-i2i/async",
            "/image-to-image/kling/kling-v3-i2i/async",
            "/kling/kling-v2-1-t2i/async",
        ],
    )
    def test_modellix(self, client: Any, path: str) -> None:
        answer = client.call("POST", "modellix", path, json={"prompt": "a"})
        assert answer.status_code == 404
        assert answer.json()["code"] == 404 and answer.json()["message"].startswith("Not found: ")


UNAUTHORIZED = {
    "eachlabs": {"error": "Invalid or missing API key"},
    "modellix": {"code": 401, "message": "Authentication failed: Invalid or missing API key"},
    "apimodels": {"code": 401, "msg": "Unauthorized - Invalid or missing API key"},
}


class TestKeys:
    @pytest.mark.parametrize("provider", UNAUTHORIZED)
    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "key"}])
    def test_without(self, client: Any, provider: str, headers: dict[str, str]) -> None:
        path = {"eachlabs": "/prediction/x", "modellix": "/tasks/x", "apimodels": "/images/generations"}[provider]
        answer = client.call("GET", provider, path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED[provider])

    @pytest.mark.parametrize("provider", UNAUTHORIZED)
    def test_not_among_those_listed(self, client: Any, provider: str) -> None:
        client.behave(keys={provider: ["other"]})
        assert client.create(provider, {"prompt": "a"}, "kling-v2-t2i").status_code == 401

    def test_the_key_header_of_eachlabs_is_its_own(self, client: Any) -> None:
        answer = client.call("GET", "modellix", "/team/balance", headers={"X-API-Key": "key"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("provider", "shape"),
    [
        ("eachlabs", {"error": "Prediction not found"}),
        ("modellix", {"code": 404, "message": "Not found: Task not found"}),
        ("apimodels", {"code": 404, "msg": "Not Found - Task not found"}),
    ],
)
def test_unknown_tasks(client: Any, provider: str, shape: dict[str, Any]) -> None:
    answer = client.poll(provider, f"{provider}-nothing")
    assert (answer.status_code, answer.json()) == (404, shape)


@pytest.mark.parametrize("provider", ["eachlabs", "modellix", "apimodels"])
@pytest.mark.parametrize("data", [b"{", b"[]", b'"a"', b""])
def test_bodies_that_are_no_json_object(client: Any, provider: str, data: bytes) -> None:
    path = {
        "eachlabs": "/prediction/",
        "modellix": "/kling/kling-v2-t2i/async",
        "apimodels": "/images/generations",
    }
    headers = client.headers(provider) | {"Content-Type": "application/json"}
    answer = client.call("POST", provider, path[provider], data=data, headers=headers)
    assert answer.status_code == 400 and "JSON" in answer.text
