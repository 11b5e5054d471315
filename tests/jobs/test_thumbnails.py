"""Small pictures of results."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from kling_pack.errors import UnreadError
from kling_pack.jobs.thumbnails import MOST, SIDE, thumbnail


def opened(small: bytes) -> Image.Image:
    return Image.open(BytesIO(small))


def test_the_middle_of_a_picture_as_a_small_square(tmp_path: Path) -> None:
    wide = Image.new("RGB", (900, 300), "red")
    wide.paste("blue", (300, 0, 600, 300))
    wide.save(tmp_path / "wide.png")
    small = opened(thumbnail(tmp_path / "wide.png", "a"))
    assert (small.format, small.size) == ("WEBP", (SIDE, SIDE))
    red, _, blue = small.convert("RGB").getpixel((SIDE // 2, SIDE // 2))  # type: ignore[misc]
    assert blue > 200 > 60 > red


def test_it_is_made_once_for_each_content(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    Image.new("RGB", (300, 300), "red").save(file)
    first = thumbnail(file, "b")
    file.unlink()
    assert thumbnail(file, "b") is first
    Image.new("RGB", (300, 300), "blue").save(file)
    assert thumbnail(file, "c") != first


def test_what_is_kept_in_memory_is_bounded() -> None:
    assert thumbnail.cache_info().maxsize == MOST


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "odd.png").write_bytes(b"not a picture")
    with pytest.raises(UnreadError):
        thumbnail(tmp_path / "odd.png", "d")
