"""Loaded by ComfyUI beside the pack: nodes that hold, feed, convert and receive, and two routes.

Old-style nodes, since each says in ten lines all there is to it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import sys
import time
from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np
import torch
from aiohttp import web
from comfy.comfy_types.node_typing import IO
from PIL import Image
from server import PromptServer

FILM_GRAIN = 3 / 255
"""Standard deviation of the noise that a photograph at ISO 400 has about."""

TURNS = 5
"""What takes 0.05 s is measured several times for one run: its mean."""


class Receive:
    """Takes anything, keeps nothing, and tells how many bytes a tensor has."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"source": (IO.ANY, {})}})
    RETURN_TYPES = ()
    FUNCTION = "receive"
    OUTPUT_NODE = True
    CATEGORY = "benchmark"

    def receive(self, source: Any) -> dict[str, Any]:
        return {"ui": {"bytes": [getattr(source, "nbytes", 0)]}}


class Hold:
    """Holds ComfyUI's loop as a node of a model does that runs here."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"seconds": ("FLOAT", {"default": 1.0})}})
    RETURN_TYPES = ("FLOAT",)
    FUNCTION = "hold"
    CATEGORY = "benchmark"

    def hold(self, seconds: float) -> tuple[float]:
        time.sleep(seconds)
        return (seconds,)


class Texts:
    """A list of texts that differ."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {"start": ("STRING", {"default": ""}), "count": ("INT", {"default": 1, "max": 100000})}
        }
    )
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "texts"
    CATEGORY = "benchmark"

    def texts(self, start: str, count: int) -> tuple[list[str]]:
        return ([f"{start} {number}" for number in range(count)],)


class Idle:
    """Waits and does nothing: what ComfyUI itself needs for a list of nodes that wait."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"text": ("STRING", {}), "seconds": ("FLOAT", {})}})
    RETURN_TYPES = ("STRING",)
    FUNCTION = "idle"
    CATEGORY = "benchmark"

    async def idle(self, text: str, seconds: float) -> tuple[str]:
        await asyncio.sleep(seconds)
        return (text,)


class Convert:
    """Times from tensor to upload bytes, the pack's way and ComfyUI's, turn about, for a picture and one with grain."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {"images": ("IMAGE",), "side": ("INT", {"max": 8192}), "runs": ("INT", {"default": 5})}
        }
    )
    RETURN_TYPES = ()
    FUNCTION = "convert"
    OUTPUT_NODE = True
    CATEGORY = "benchmark"

    def convert(self, images: torch.Tensor, side: int, runs: int) -> dict[str, Any]:
        plain = images[:1, :side, :side].contiguous()
        noise = torch.normal(0.0, FILM_GRAIN, plain.shape, generator=torch.Generator().manual_seed(0))
        pictures = {"plain": plain, "grainy": (plain + noise).clamp(0, 1)}
        return {"ui": {name: [_turn_about(picture, runs)] for name, picture in pictures.items()}}


def _turn_about(picture: torch.Tensor, runs: int) -> dict[str, list[float]]:
    """Seconds by side, the first turn left out: it loads Pillow's parts. Each run is the mean of its turns.

    Raises RuntimeError where what the pack would send is not the picture itself.
    """
    from comfy_api_nodes.util.conversions import tensor_to_bytesio

    tensors, encoding = _of_the_pack("nodes.tensors"), _of_the_pack("jobs.encode")
    seconds: dict[str, list[float]] = {"ours": [], "own": []}
    for _ in range(runs * TURNS + 1):
        began = time.perf_counter()
        (pixels,) = tensors.pixels_of(picture, "images")
        encoding.describe(pixels)
        encoded = encoding.encode(pixels)
        seconds["ours"].append(time.perf_counter() - began)
        began = time.perf_counter()
        tensor_to_bytesio(picture)
        seconds["own"].append(time.perf_counter() - began)
    _check_lossless(pixels, encoded)
    turns = {side: np.reshape(taken[1:], (runs, TURNS)) for side, taken in seconds.items()}
    return {side: taken.mean(axis=1).tolist() for side, taken in turns.items()}


def _check_lossless(pixels: Any, encoded: Any) -> None:
    if encoded.note or not np.array_equal(np.asarray(Image.open(BytesIO(encoded.data))), pixels):
        raise RuntimeError(f"The pack would not send this picture as it is: {encoded.note}")


def _of_the_pack(name: str) -> ModuleType:
    """A module of the pack, which ComfyUI loaded under a name made of its path."""
    return next(module for loaded, module in sys.modules.items() if loaded.endswith(f".{name}"))


@PromptServer.instance.routes.post("/benchmark/environment")
async def set_environment(request: web.Request) -> web.Response:
    """The pack reads its settings at each run: another home or another key needs no other ComfyUI."""
    os.environ.update(await request.json())
    return web.json_response({})


@PromptServer.instance.routes.post("/benchmark/tidy")
async def tidy(request: web.Request) -> web.Response:
    """Gives back what was freed, so that memory in use before a run is not hidden in what the C library keeps."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return web.json_response({})


NODE_CLASS_MAPPINGS = {
    "BenchmarkReceive": Receive,
    "BenchmarkHold": Hold,
    "BenchmarkTexts": Texts,
    "BenchmarkIdle": Idle,
    "BenchmarkConvert": Convert,
}
