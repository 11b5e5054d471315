"""A real sandbox for each test, and a client that knows nothing but HTTP."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from kling_pack.sandbox.behaviour import Behaviour, Limit
from kling_pack.sandbox.server import Sandbox

NO_LIMITS: dict[str, dict[str, int]] = {"eachlabs": {}, "modellix": {}, "apimodels": {}}
UNLIMITED = {provider: Limit() for provider in NO_LIMITS}
TIMEOUT = 20


@lru_cache
def picture_of(width: int = 400, height: int = 320, form: str = "PNG", seed: int = 1) -> bytes:
    """A picture with a gradient, a disc and some grain; other seeds, other pictures."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width]
    pixels = np.stack([xs * 255 // width, ys * 255 // height, (xs + ys) % 256], axis=2).astype(np.float64)
    away = (xs - width * rng.uniform(0.3, 0.7)) ** 2 + (ys - height / 2) ** 2
    pixels[away < (min(width, height) / 4) ** 2] = rng.integers(0, 255, 3)
    pixels += rng.normal(0, 4, pixels.shape)
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, form)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class Client:
    """Requests to one sandbox, with the headers that each provider's page shows."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def headers(self, provider: str) -> dict[str, str]:
        return {"X-API-Key": "key"} if provider == "eachlabs" else {"Authorization": "Bearer key"}

    def call(self, method: str, provider: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers(provider))
        timeout = options.pop("timeout", TIMEOUT)
        return requests.request(method, self.sandbox.base_url(provider) + path, timeout=timeout, **options)

    def create(self, provider: str, body: dict[str, Any], model: str = "") -> requests.Response:
        paths = {"eachlabs": "/prediction/", "apimodels": "/images/generations"}
        old = "/image-to-image" if model == "kling-v1.5-i2i" else ""
        return self.call("POST", provider, paths.get(provider, f"{old}/kling/{model}/async"), json=body)

    def created(self, provider: str, body: dict[str, Any], model: str = "") -> str:
        """The new task's id."""
        answer = self.create(provider, body, model)
        assert answer.status_code == 200, answer.text
        record = answer.json()
        return str(record.get("predictionID") or record["data"].get("task_id") or record["data"]["taskId"])

    def poll(self, provider: str, task: str) -> requests.Response:
        paths = {
            "eachlabs": f"/prediction/{task}",
            "modellix": f"/tasks/{task}",
            "apimodels": f"/images/generations?task_id={task}",
        }
        return self.call("GET", provider, paths[provider])

    def links(self, provider: str, task: str) -> list[str]:
        """The result links of a task that is done."""
        answer = self.poll(provider, task).json()
        if provider == "eachlabs":
            assert answer["status"] == "success", answer
            return answer["output"] if isinstance(answer["output"], list) else [answer["output"]]
        if provider == "modellix":
            assert answer["data"]["status"] == "success", answer
            return [resource["url"] for resource in answer["data"]["result"]["resources"]]
        assert answer["data"]["state"] == "completed", answer
        return list(answer["data"]["resultUrls"])

    def results(self, provider: str, task: str) -> list[Image.Image]:
        return [opened(self.download(link).content) for link in self.links(provider, task)]

    def download(self, link: str) -> requests.Response:
        answer = requests.get(link, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer

    def upload(self, provider: str, data: bytes, content_type: str = "image/png", **more: Any) -> str:
        """Puts ``data`` by a signed link and returns the public one."""
        if provider == "eachlabs":
            offer = self.call("POST", provider, "/upload/presign", json={"content_type": content_type, **more}).json()
            target, public, extra = offer["presigned_url"], offer["public_url"], offer["required_headers"]
        else:
            body = {"filename": "a.png", "contentType": content_type, "fileSize": len(data)}
            offer = self.call("POST", provider, "/files", json=body).json()["data"]
            target, public, extra = offer["uploadUrl"], offer["publicUrl"], {}
        put = requests.put(target, data=data, headers={"Content-Type": content_type, **extra}, timeout=TIMEOUT)
        assert put.status_code == 200, put.text
        return str(public)

    def inline(self, data: bytes) -> str:
        return base64.b64encode(data).decode()

    def given(self, provider: str, data: bytes) -> str:
        """``data`` as this provider takes pictures."""
        return self.inline(data) if provider == "modellix" else self.upload(provider, data)

    def simple(self, provider: str, n: int = 1) -> tuple[dict[str, Any], str]:
        """Body and model of a request that is in order: text, or one picture where there is no text."""
        if provider == "modellix":
            return {"prompt": "a lake", "n": n}, "kling-v2-t2i"
        if provider == "apimodels":
            return {"model": "kling-v2-1", "prompt": "a lake", "n": n}, ""
        inputs = {"prompt": "a lake", "image_urls": [self.upload("eachlabs", picture_of())], "num_images": n}
        return {"model": "kling-o1", "input": inputs}, ""

    def filled(self, provider: str, body: Any, data: bytes | None = None) -> Any:
        """``body`` with every ``PICTURE`` in it as this provider takes pictures."""
        if isinstance(body, dict):
            return {name: self.filled(provider, value, data) for name, value in body.items()}
        if isinstance(body, list):
            return [self.filled(provider, value, data) for value in body]
        return self.given(provider, data or picture_of()) if body == "PICTURE" else body

    def stats(self, provider: str) -> dict[str, Any]:
        return dict(self.control("GET", "/stats").json()["providers"][provider])

    def tasks(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "/stats").json()["tasks"])

    def control(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, f"{self.sandbox.origin}/sandbox{path}", timeout=TIMEOUT, **options)

    def behave(self, **behaviour: Any) -> None:
        answer = self.control("PUT", "/behaviour", json={"seconds": 0, "limits": NO_LIMITS} | behaviour)
        assert answer.status_code == 200, answer.text

    def fault(self, name: str, on: str = "create", **rule: Any) -> None:
        self.behave(faults=[{"fault": name, "on": on, **rule}])


@pytest.fixture
def sandboxes(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes on one home, or others, and stops them at the end."""
    started: list[Sandbox] = []

    def start(behaviour: Behaviour | None = None, home: Path = tmp_path / "home", port: int = 0) -> Sandbox:
        sandbox = Sandbox(home, port, behaviour or Behaviour(seconds={"*": 0}, limits=UNLIMITED)).start()
        started.append(sandbox)
        return sandbox

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return picture_of


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Tasks take no time and there are no limits."""
    with Sandbox(tmp_path_factory.mktemp("shared"), behaviour=Behaviour({"*": 0}, UNLIMITED)) as sandbox:
        yield sandbox


@pytest.fixture
def client(shared: Sandbox) -> Client:
    """A client of a sandbox that has forgotten everything before."""
    client = Client(shared)
    client.control("POST", "/reset")
    return client


@pytest.fixture
def own(sandboxes: Callable[..., Sandbox]) -> Client:
    """A client of a sandbox that this test may stop."""
    return Client(sandboxes())


@pytest.fixture
def client_of() -> type[Client]:
    return Client
