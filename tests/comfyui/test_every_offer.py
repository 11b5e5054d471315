"""Every node at every provider that offers it, in real ComfyUI, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from comfyui import ComfyUI
from graphs import graph, records, text
from PIL import Image
from truth import counted, error_of, stats

from kling_pack.catalog.models import MODELS
from kling_pack.sandbox.server import Sandbox

OFFERS = [(row.operation, row.name, offer.provider) for row in MODELS for offer in row.offers]


@pytest.mark.parametrize(("operation", "model", "provider"), OFFERS)
def test_a_picture_comes_and_one_task_is_paid(
    comfyui: ComfyUI, sandbox: Sandbox, operation: str, model: str, provider: str
) -> None:
    entry = comfyui.run(graph(operation, model=model, provider=provider, prompt=f"{operation} {model} {provider}"))
    assert error_of(entry) == {}
    with Image.open(comfyui.output(entry["outputs"]["save"]["images"][0])) as picture:
        assert min(picture.size) >= 300
    assert {name: count for name, count in counted(sandbox).items() if count} == {provider: 1}
    told = stats(sandbox)["providers"][provider]
    assert (told["creates_refused"], told["reasons"], told["given_429"]) == (0, {}, 0)
    (record,) = records(entry)
    assert (record["state"], record["provider"], record["model"], record["count"]) == ("done", provider, model, 1)
    assert text(entry, "task") == record["handle"]
    assert text(entry, "report").startswith(f"{model} at {provider} · 1 image · ")


@pytest.mark.parametrize("operation", ["image", "expand"])
def test_a_batch_is_one_task_each_in_order_and_equal_pictures_share_one(
    comfyui: ComfyUI, sandbox: Sandbox, operation: str
) -> None:
    prompt: dict[str, Any] = graph(
        operation, prompt=f"a batch for {operation}", provider="apimodels", model=_at(operation)
    )
    prompt["other"] = {"class_type": "ImageInvert", "inputs": {"image": ["wide", 0]}}
    prompt["two"] = {"class_type": "ImageBatch", "inputs": {"image1": ["wide", 0], "image2": ["other", 0]}}
    prompt["three"] = {"class_type": "ImageBatch", "inputs": {"image1": ["two", 0], "image2": ["wide", 0]}}
    prompt["1"]["inputs"]["image"] = ["three", 0]
    entry = comfyui.run(prompt)
    assert error_of(entry) == {}
    assert counted(sandbox)["apimodels"] == 2
    first, second, third = (comfyui.output(picture).read_bytes() for picture in entry["outputs"]["save"]["images"])
    assert _pixels(first) == _pixels(third) != _pixels(second)
    assert len(records(entry)) == 2


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in OFFERS}))
def test_n_pictures_are_one_task(comfyui: ComfyUI, sandbox: Sandbox, operation: str) -> None:
    entry = comfyui.run(
        graph(operation, n=3, prompt=f"three for {operation}", provider="modellix", model=_at(operation))
    )
    assert error_of(entry) == {}
    assert len(entry["outputs"]["save"]["images"]) == 3
    assert counted(sandbox)["modellix"] == 1


def test_records_travel_in_the_workflow_of_saved_pictures(comfyui: ComfyUI) -> None:
    workflow = {"nodes": [], "links": [], "extra": {}}
    entry = comfyui.run(graph("text", prompt="a picture that tells"), workflow=workflow, labels={"project": "x"})
    with Image.open(comfyui.output(entry["outputs"]["save"]["images"][0])) as picture:
        saved = json.loads(picture.info["workflow"])
    assert saved["extra"]["kling"]["1"] == records(entry)


def _at(operation: str) -> str:
    """A model of this operation that both Modellix and apimodels offer."""
    both = {"modellix", "apimodels"}
    rows = [row for row in MODELS if row.operation == operation and both <= {offer.provider for offer in row.offers}]
    return rows[0].name


def _pixels(file: bytes) -> bytes:
    import io

    with Image.open(io.BytesIO(file)) as picture:
        return picture.tobytes()
