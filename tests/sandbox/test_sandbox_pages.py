"""The requests that the providers' pages print, answered in the shapes that the pages print."""

from __future__ import annotations

import re
from typing import Any

import pytest

RATIOS = ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]


class TestEachlabs:
    def test_image_to_image_of_its_page(self, client: Any) -> None:
        body = {
            "model": "kling-v1-5-img-to-img",
            "version": "0.0.1",
            "input": {
                "aspect_ratio": "16:9",
                "number_of_images": 1,
                "human_fidelity": 0.5,
                "image_fidelity": 0.5,
                "image_reference": "face",
                "image": "PICTURE",
                "prompt": "your prompt here",
                "model": "kling-v1-5",
            },
            "webhook_url": "",
        }
        created = client.create("eachlabs", client.filled("eachlabs", body)).json()
        assert created == {
            "status": "success",
            "message": "Prediction created successfully",
            "predictionID": created["predictionID"],
        }
        result = client.poll("eachlabs", created["predictionID"]).json()
        assert result["status"] == "success"
        assert isinstance(result["output"], str)
        assert set(result["metrics"]) == {"predict_time"}
        assert client.results("eachlabs", created["predictionID"])[0].format == "PNG"

    def test_o1_edit_of_its_page(self, client: Any) -> None:
        inputs = {"prompt": "Put @Image1 on the horse in @Image2", "image_urls": ["PICTURE", "PICTURE"]}
        task = client.created("eachlabs", client.filled("eachlabs", {"model": "kling-o1", "input": inputs}))
        answer = client.poll("eachlabs", task).json()
        assert answer["status"] == "success"
        assert answer["predictionID"] == answer["id"] == task
        assert isinstance(answer["output"], list) and len(answer["output"]) == 1
        assert answer["metrics"]["cost"] == 0.028
        assert answer["urls"]["cancel"] == answer["urls"]["get"] + "/cancel"
        assert answer["input"]["prompt"] == inputs["prompt"]

    def test_a_key_may_come_as_a_bearer_too(self, client: Any) -> None:
        body, _ = client.simple("eachlabs")
        answer = client.call("POST", "eachlabs", "/prediction", json=body, headers={"Authorization": "Bearer key"})
        assert answer.json()["status"] == "success"

    @pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
    def test_output_format(self, client: Any, form: str) -> None:
        inputs = {"prompt": "x", "image_urls": ["PICTURE"], "output_format": form, "num_images": 2}
        task = client.created("eachlabs", client.filled("eachlabs", {"model": "kling-o1", "input": inputs}))
        assert [image.format for image in client.results("eachlabs", task)] == [form.upper()] * 2

    def test_cancel(self, client: Any) -> None:
        client.behave(seconds=3600)
        body, _ = client.simple("eachlabs")
        task = client.created("eachlabs", body)
        answer = client.call("POST", "eachlabs", f"/prediction/{task}/cancel").json()
        assert answer == {
            "status": "cancelled",
            "message": "Prediction canceled successfully",
            "predictionID": task,
        }
        assert client.poll("eachlabs", task).json()["status"] == "cancelled"

    def test_running_words(self, client: Any) -> None:
        client.behave(seconds=3600)
        body, _ = client.simple("eachlabs")
        answer = client.poll("eachlabs", client.created("eachlabs", body)).json()
        assert answer["status"] == "starting" and answer["output"] is None


class TestModellix:
    def test_v1_5_of_its_page(self, client: Any, picture: Any) -> None:
        body = {"prompt": "Portrait in cyberpunk style", "image": client.inline(picture(form="JPEG"))}
        created = client.create("modellix", body, "kling-v1.5-i2i").json()
        task = created["data"]["task_id"]
        assert created == {
            "code": 0,
            "message": "success",
            "data": {
                "status": "pending",
                "task_id": task,
                "model_id": "kling-v1.5-i2i",
                "get_result": {
                    "method": "GET",
                    "url": client.sandbox.base_url("modellix") + f"/tasks/{task}",
                },
            },
        }
        done = client.poll("modellix", task).json()
        assert (done["code"], done["message"], done["data"]["status"]) == (0, "success", "success")
        resource = done["data"]["result"]["resources"][0]
        assert set(resource) == {"type", "url", "width", "height", "format"}
        assert (resource["type"], resource["width"], resource["height"]) == ("image", 1360, 768)

    @pytest.mark.parametrize(
        ("model", "body"),
        [
            (
                "kling-v2-t2i",
                {"prompt": "a", "negative_prompt": "b", "aspect_ratio": "9:16", "resolution": "2k"},
            ),
            ("kling-v2.1-t2i", {"prompt": "a", "n": 2}),
            ("kling-v3-t2i", {"prompt": "a", "negative_prompt": "b"}),
            ("kling-v3-i2i", {"prompt": "a", "image": "PICTURE", "aspect_ratio": "1:1", "resolution": "1k"}),
            ("kling-v2-mi2i", {"subject_images": ["PICTURE"] * 4, "aspect_ratio": "21:9", "n": 1}),
            ("kling-v2.1-mi2i", {"prompt": "a", "scene_image": "PICTURE", "style_image": "PICTURE"}),
            ("kling-image-o1", {"prompt": "<<<image_1>>>", "image_list": [{"image": "PICTURE"}], "n": 2}),
            ("kling-image-o1", {"prompt": "a", "aspect_ratio": "16:9"}),
            (
                "kling-image-expansion",
                {"image": "PICTURE", "n": 2} | {f"{s}_expansion_ratio": 0.2 for s in ("up", "down", "left", "right")},
            ),
        ],
    )
    def test_every_model(self, client: Any, model: str, body: dict[str, Any]) -> None:
        task = client.created("modellix", client.filled("modellix", body), model)
        assert re.fullmatch(r"modellix-task-[0-9a-f]{32}", task)
        assert len(client.results("modellix", task)) == body.get("n", 1)

    def test_key_and_balance(self, client: Any) -> None:
        assert client.call("GET", "modellix", "/apikey/validate").json()["data"]["is_valid"] is True
        assert client.call("GET", "modellix", "/team/balance").json()["data"]["balance"] > 0


class TestApimodels:
    def test_text_to_image_of_its_page(self, client: Any) -> None:
        body = {
            "model": "kling-v3-image",
            "prompt": "A majestic snow-capped mountain at sunrise with golden light",
            "aspect_ratio": "16:9",
            "resolution": "2k",
            "n": 1,
        }
        created = client.create("apimodels", body).json()
        task = created["data"]["taskId"]
        assert created == {
            "code": 200,
            "msg": "success",
            "data": {"taskId": task, "state": "pending", "model": "kling-image-gen/kling-v3"},
        }
        done = client.poll("apimodels", task).json()
        assert (done["code"], done["msg"]) == (200, "success")
        data = done["data"]
        assert set(data) == {"taskId", "state", "model", "resultUrls", "createTime", "completeTime"}
        assert (data["state"], data["model"]) == ("completed", "kling-image-gen/kling-v3")
        assert data["completeTime"] >= data["createTime"] > 1_700_000_000_000
        assert client.results("apimodels", task)[0].size == (2720, 1536)

    @pytest.mark.parametrize(
        "body",
        [
            {"model": "kling-v2", "prompt": "a", "negative_prompt": "b"},
            {
                "model": "kling-v2",
                "prompt": "a",
                "image_url": "PICTURE",
                "image_reference": "subject",
                "image_fidelity": 1,
                "human_fidelity": 0.45,
            },
            {"model": "kling-v2-1", "prompt": "a", "aspect_ratio": "2:3", "n": 2},
            {"model": "kling-v2-new", "prompt": "a", "image_url": "PICTURE"},
            {"model": "kling-image-o1", "prompt": "a", "image_url": "PICTURE", "resolution": "1k"},
            {
                "model": "kling-multi-image",
                "multi_model_name": "kling-v2",
                "prompt": "",
                "subject_image_list": [{"subject_image": "PICTURE"}] * 2,
                "scene_image": "PICTURE",
                "style_image": "PICTURE",
                "n": 2,
                "aspect_ratio": "9:16",
            },
            {
                "model": "kling-expand",
                "image_url": "PICTURE",
                "up_expansion_ratio": 0,
                "down_expansion_ratio": 0,
                "left_expansion_ratio": 1.0,
                "right_expansion_ratio": 1,
                "prompt": "more",
            },
        ],
    )
    def test_every_model(self, client: Any, body: dict[str, Any]) -> None:
        task = client.created("apimodels", client.filled("apimodels", body))
        assert re.fullmatch(r"apimodels-cl[0-9a-z]{23}", task)
        assert len(client.results("apimodels", task)) == body.get("n", 1)

    def test_restyle_has_the_size_of_its_input(self, client: Any, picture: Any) -> None:
        body = {
            "model": "kling-v2-new",
            "prompt": "a",
            "image_url": client.upload("apimodels", picture(411, 333)),
        }
        assert client.results("apimodels", client.created("apimodels", body))[0].size == (411, 333)
