"""A tiny upscale model, made on the spot: a real architecture (Real-ESRGAN Compact), a few kilobytes of weights."""

from __future__ import annotations

from pathlib import Path

import torch

FEATURES = 4
SCALE = 2
KERNEL = 3
COLOURS = 3


def make(path: Path) -> None:
    """Writes the model where `UpscaleModelLoader` finds it.

    The architecture adds its layers' output to the enlarged picture; weights of 0 leave that as it is.
    """
    state = {
        **_convolution(0, COLOURS, FEATURES),
        "body.1.weight": torch.zeros(FEATURES),
        **_convolution(2, FEATURES, FEATURES),
        "body.3.weight": torch.zeros(FEATURES),
        **_convolution(4, FEATURES, COLOURS * SCALE**2),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)


def _convolution(layer: int, into: int, out: int) -> dict[str, torch.Tensor]:
    weight, bias = torch.zeros(out, into, KERNEL, KERNEL), torch.zeros(out)
    return {f"body.{layer}.weight": weight, f"body.{layer}.bias": bias}
