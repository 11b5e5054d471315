"""Tensors to pixels and back: IMAGE [B,H,W,C] and MASK [B,H,W], from 0 to 1, as ComfyUI has them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..catalog.frames import Expansion
from ..errors import InputError
from ..jobs.decode import PictureInfo, decode_fitted, decode_into, inspect

BAND = 128
"""Rows converted at a time: they stay in the processor's cache, and no picture is copied whole as floats."""

AT_ONCE = min(2, os.cpu_count() or 1)
"""Pictures decoded side by side; each takes memory beside the output, up to the size of its part of it."""


def pixels_of(images: torch.Tensor, socket: str) -> list[NDArray[np.uint8]]:
    """Each picture of an IMAGE as uint8 H×W×3, rounded; 1 channel is grey, 4 are flattened over white.

    Takes any float type and device. Values outside 0 to 1 are clamped, NaN is 0. Raises InputError, which
    names `socket`, for anything that is no batch of pictures.
    """
    _check(images, socket)
    return [_pixels(picture) for picture in images.detach()]


def images_of(paths: Sequence[Path]) -> tuple[torch.Tensor, list[bool]]:
    """All result files as one float32 tensor [B,H,W,3] of the first one's size, and which were fitted to it.

    `paths` holds at least one. Raises UnreadError for the first that cannot be read.
    """
    infos = [inspect(path) for path in paths]
    sizes = [(info.width, info.height) for info in infos]
    width, height = sizes[0]
    images = torch.empty((len(paths), height, width, 3), dtype=torch.float32)
    fitted = [size != sizes[0] for size in sizes]
    # A WebP decoder holds two canvases of its own: one at a time, so that memory stays within two pictures.
    at_once = 1 if any(info.format == "webp" for info in infos) else AT_ONCE
    with ThreadPoolExecutor(at_once, thread_name_prefix="kling-decode") as pool:
        jobs = [
            pool.submit(decode_fitted if other else decode_into, path, out)
            for path, other, out in zip(paths, fitted, images.numpy(), strict=True)
        ]
        try:
            for job in jobs:
                job.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return images, fitted


def masks_of(paths: Sequence[Path], expansions: Sequence[Expansion], images: torch.Tensor) -> torch.Tensor:
    """The MASK [B,H,W] of expanded pictures: 1 where each is new, 0 where its original was.

    `images` is what `images_of` made of `paths`; `expansions` says how far each of them was expanded.
    """
    masks = torch.ones(images.shape[:3], dtype=torch.float32)
    for mask, path, expansion in zip(masks, paths, expansions, strict=True):
        left, top, right, bottom = _box_when_fitted(expansion, inspect(path), mask.shape[1], mask.shape[0])
        mask[top:bottom, left:right] = 0
    return masks


def _check(images: torch.Tensor, socket: str) -> None:
    nothing = "Nothing was sent and nothing was paid."
    allowed = "it must be an IMAGE, a float tensor [batch, height, width, channels] with 1, 3 or 4 channels"
    if not isinstance(images, torch.Tensor):
        raise InputError(f"{socket} is a {type(images).__name__}; {allowed}. {nothing}")
    shape = f"[{', '.join(map(str, images.shape))}]"
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4):
        raise InputError(f"{socket} has the shape {shape}; {allowed}. {nothing}")
    if not images.is_floating_point():
        raise InputError(f"{socket} holds {str(images.dtype).removeprefix('torch.')}; {allowed}. {nothing}")
    if not images.numel():
        raise InputError(f"{socket} is empty, of shape {shape}; it must hold at least one picture. {nothing}")


def _pixels(picture: torch.Tensor) -> NDArray[np.uint8]:
    """One picture [H,W,C] as uint8 H×W×3."""
    height, width, _ = picture.shape
    pixels = torch.empty((height, width, 3), dtype=torch.uint8)
    picture = picture.cpu()
    for top in range(0, height, BAND):
        band = picture[top : top + BAND].to(torch.float32)
        band = torch.nan_to_num(band, nan=0, posinf=1, neginf=0).clamp_(0, 1)
        if band.shape[2] == 4:
            colours, alpha = band[..., :3], band[..., 3:]
            band = colours * alpha + (1 - alpha)
        pixels[top : top + BAND] = band.mul_(255).round_()
    return pixels.numpy()


def _box_when_fitted(expansion: Expansion, own: PictureInfo, width: int, height: int) -> tuple[int, int, int, int]:
    """`original_box` of a result that was brought to `width`×`height` as `decode_fitted` does it."""
    left, top, right, bottom = expansion.original_box(own.width, own.height)
    scale = max(width / own.width, height / own.height)

    def along(place: int, before: int, after: int) -> int:
        return min(max(round((place - before / 2) * scale + after / 2), 0), after)

    return (
        along(left, own.width, width),
        along(top, own.height, height),
        along(right, own.width, width),
        along(bottom, own.height, height),
    )
