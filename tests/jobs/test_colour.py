"""Colours of single pixels; whole files of every kind are in test_decode.py."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kling_pack.jobs.colour import to_rgb


@pytest.mark.parametrize(
    ("mode", "pixel", "shown"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 40, (40, 40, 40)),
        ("1", 1, (255, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("LA", (0, 128), (127, 127, 127)),
    ],
)
def test_every_mode_becomes_colours_over_white(mode: str, pixel: object, shown: tuple[int, int, int]) -> None:
    image = Image.new(mode, (2, 2), pixel)  # type: ignore[arg-type]
    assert to_rgb(image).getpixel((1, 1)) == shown


def test_grey_of_16_bits_keeps_its_steps() -> None:
    grey = to_rgb(Image.fromarray(np.array([[0, 257, 258, 65535]], np.uint16)))
    assert grey.mode == "F" and np.asarray(grey).tolist() == [[0, 257, 258, 65535]]


def test_a_broken_profile_changes_nothing() -> None:
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    image.info["icc_profile"] = b"no profile"
    assert to_rgb(image).getpixel((0, 0)) == (10, 20, 30)
