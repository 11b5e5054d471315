"""Uploads and signed links: put as offered, fetched as inputs, gone when deleted or over."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from kling_pack.sandbox.behaviour import Behaviour
from kling_pack.sandbox.refusal import Refused
from kling_pack.sandbox.uploads import Uploads

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def offer(client: Any) -> dict[str, Any]:
    body = {"content_type": "image/png", "file_type": "image", "expires_in_seconds": 3600}
    return dict(client.call("POST", "eachlabs", "/upload/presign", json=body).json())


def edit_of(link: str) -> dict[str, Any]:
    return {"model": "kling-o1", "input": {"prompt": "a", "image_urls": [link]}}


class TestEachlabs:
    def test_offer(self, client: Any, offer: dict[str, Any]) -> None:
        assert set(offer) == {"id", "presigned_url", "public_url", "expires_at", "required_headers"}
        assert offer["required_headers"] == {"x-amz-meta-file-id": offer["id"]}
        assert offer["public_url"].endswith(f"/uploads/{offer['id']}.png")

    def test_put_then_fetch(self, client: Any, picture: Any) -> None:
        link = client.upload("eachlabs", picture())
        assert client.download(link).content == picture()
        counts = client.stats("eachlabs")
        assert (counts["uploads"], counts["puts"]) == (1, 1)

    def test_put_needs_every_required_header(self, client: Any, picture: Any, offer: dict[str, Any]) -> None:
        assert requests.put(offer["presigned_url"], picture(), headers=PNG, timeout=9).status_code == 403

    def test_put_needs_the_content_type_that_was_signed(self, client: Any, picture: Any, offer: dict[str, Any]) -> None:
        headers = offer["required_headers"] | {"Content-Type": "image/jpeg"}
        assert requests.put(offer["presigned_url"], picture(), headers=headers, timeout=9).status_code == 403

    def test_put_needs_the_signature(self, client: Any, picture: Any, offer: dict[str, Any]) -> None:
        headers = offer["required_headers"] | PNG
        bare = offer["presigned_url"].partition("?")[0]
        assert requests.put(bare, picture(), headers=headers, timeout=9).status_code == 403

    @pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
    def test_a_key_does_not_belong_on_a_signed_link(
        self, client: Any, picture: Any, offer: dict[str, Any], name: str
    ) -> None:
        headers = offer["required_headers"] | PNG | {name: "Bearer key"}
        assert requests.put(offer["presigned_url"], picture(), headers=headers, timeout=9).status_code == 400
        assert client.stats("eachlabs")["keys_leaked"] == 1

    def test_an_offer_without_a_file_is_no_input(self, client: Any, offer: dict[str, Any]) -> None:
        answer = client.create("eachlabs", edit_of(offer["public_url"]))
        assert answer.status_code == 400 and "failed to download" in answer.json()["details"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"content_type": "image/png", "expires_in_seconds": 59},
            {"content_type": "image/png", "file_type": "x"},
        ],
    )
    def test_offers_that_are_refused(self, client: Any, body: dict[str, Any]) -> None:
        assert client.call("POST", "eachlabs", "/upload/presign", json=body).status_code == 400

    def test_delete(self, client: Any, picture: Any) -> None:
        link = client.upload("eachlabs", picture())
        file_id = link.rpartition("/")[2].removesuffix(".png")
        for _ in range(2):
            answer = client.call("DELETE", "eachlabs", f"/files/{file_id}")
            assert (answer.status_code, answer.content) == (204, b"")
        assert client.create("eachlabs", edit_of(link)).status_code == 400

    @pytest.mark.parametrize(
        ("file_id", "status", "error"),
        [("x", 400, "invalid argument"), ("0dce0f44-b8a5-4f30-91d4-5f6b0c221bf0", 404, "file not found")],
    )
    def test_delete_of_nothing(self, client: Any, file_id: str, status: int, error: str) -> None:
        answer = client.call("DELETE", "eachlabs", f"/files/{file_id}")
        assert (answer.status_code, answer.json()) == (status, {"error": error})

    def test_delete_before_the_put(self, client: Any, offer: dict[str, Any]) -> None:
        answer = client.call("DELETE", "eachlabs", f"/files/{offer['id']}")
        assert (answer.status_code, answer.json()) == (409, {"error": "conflict"})

    def test_a_task_fails_when_its_input_is_deleted_under_it(self, client: Any, picture: Any) -> None:
        client.behave(seconds=0.4)
        link = client.upload("eachlabs", picture())
        task = client.created("eachlabs", edit_of(link))
        client.call("DELETE", "eachlabs", f"/files/{link.rpartition('/')[2].removesuffix('.png')}")
        while (answer := client.poll("eachlabs", task).json())["status"] in ("starting", "processing"):
            pass
        assert answer["output"]["error_code"] == "INPUT_DOWNLOAD_ERROR"

    def test_a_task_fails_when_its_input_does_not_live_as_long(
        self, own: Any, client_of: Any, picture: Any, sandboxes: Any, tmp_path: Path
    ) -> None:
        """Two minutes pass here by setting back the time in the task's file."""
        link = own.upload("eachlabs", picture(), expires_in_seconds=60)
        own.behave(seconds=120)
        task = own.created("eachlabs", edit_of(link))
        own.sandbox.stop()
        path = tmp_path / "home" / "tasks" / f"{task}.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"created": record["created"] - 121}))
        answer = client_of(sandboxes()).poll("eachlabs", task).json()
        assert (answer["status"], answer["output"]["error_code"]) == ("error", "INPUT_DOWNLOAD_ERROR")


class TestApimodels:
    def test_offer(self, client: Any) -> None:
        body = {"filename": "a.png", "contentType": "image/png", "fileSize": 1000}
        answer = client.call("POST", "apimodels", "/files", json=body).json()
        assert (answer["code"], answer["msg"]) == (200, "success")
        assert set(answer["data"]) == {"uploadUrl", "publicUrl", "expiresAt"}

    def test_put_needs_the_announced_size(self, client: Any, picture: Any) -> None:
        body = {"filename": "a.png", "contentType": "image/png", "fileSize": 1000}
        link = client.call("POST", "apimodels", "/files", json=body).json()["data"]["uploadUrl"]
        assert requests.put(link, picture(), headers=PNG, timeout=9).status_code == 403

    @pytest.mark.parametrize("missing", ["filename", "contentType", "fileSize"])
    def test_offers_that_are_refused(self, client: Any, missing: str) -> None:
        body = {"filename": "a.png", "contentType": "image/png", "fileSize": 1000}
        del body[missing]
        answer = client.call("POST", "apimodels", "/files", json=body)
        assert answer.status_code == 400 and missing in answer.json()["msg"]


class TestLife:
    def test_a_link_to_put_ends(self, tmp_path: Path) -> None:
        uploads = Uploads(tmp_path)
        upload = uploads.offer("apimodels", "image/png", None, put_within=-1, life=60)
        with pytest.raises(Refused, match="expired"):
            uploads.store(upload, "image/png", b"x")

    def test_a_file_ends(self, tmp_path: Path) -> None:
        uploads = Uploads(tmp_path)
        upload = uploads.offer("apimodels", "image/png", None, put_within=60, life=60)
        uploads.store(upload, "image/png", b"x")
        assert uploads.at(upload.public_path)
        uploads.store(replace(upload, expires=time.time() - 1), "image/png", b"x")
        assert uploads.at(upload.public_path) is None
        uploads.clean(time.time())
        assert list(tmp_path.iterdir()) == []


class TestTheUsersOwnStorage:
    def test_a_listed_prefix_is_really_fetched(
        self, client: Any, client_of: Any, sandboxes: Any, picture: Any, tmp_path: Path
    ) -> None:
        """Another sandbox stands in for the bucket: its links are foreign here."""
        other = client_of(sandboxes(Behaviour(), tmp_path / "bucket"))
        link = other.upload("apimodels", picture())
        foreign = {"model": "kling-v2", "prompt": "a", "image_url": link}
        assert client.create("apimodels", foreign).status_code == 400
        client.behave(reachable=[other.sandbox.origin + "/apimodels/cdn/"])
        assert client.create("apimodels", foreign).status_code == 200
        missing = foreign | {"image_url": other.sandbox.origin + "/apimodels/cdn/uploads/nothing.png"}
        assert "answered 404" in client.create("apimodels", missing).json()["msg"]
