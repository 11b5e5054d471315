"""PNG files of our own, read by Pillow."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from kling_pack.jobs.png import write_png

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))


def read(file: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(file)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


@given(arrays.arrays(np.uint8, SIZES))
def test_any_picture_comes_back_as_it_went(pixels: NDArray[np.uint8]) -> None:
    assert np.array_equal(read(write_png(pixels)), pixels)


def test_rows_that_do_not_lie_side_by_side_in_memory_are_written_in_their_order() -> None:
    whole: NDArray[np.uint8] = np.arange(20 * 30 * 3, dtype=np.uint16).astype(np.uint8).reshape(20, 30, 3)
    for part in (whole[::2, 3:17], whole[::-1], whole.transpose(1, 0, 2)):
        assert np.array_equal(read(write_png(part)), part)


def test_nothing_is_told_but_the_picture() -> None:
    with Image.open(io.BytesIO(write_png(np.zeros((3, 4, 3), np.uint8)))) as image:
        image.load()
        assert image.info == {}


def test_every_checksum_holds() -> None:
    with Image.open(io.BytesIO(write_png(np.full((5, 7, 3), 200, np.uint8)))) as image:
        image.verify()


def test_a_photograph_is_no_larger_than_pillows() -> None:
    rng = np.random.default_rng(0)
    slope = np.linspace(0, 200, 600)[:, None, None] + np.linspace(0, 50, 500)[None, :, None]
    pixels = np.clip(slope + rng.normal(0, 3, (600, 500, 3)), 0, 255).astype(np.uint8)
    pillows = io.BytesIO()
    Image.fromarray(pixels).save(pillows, "PNG", compress_level=1, compress_type=3)
    assert len(write_png(pixels)) <= 1.05 * len(pillows.getvalue())
