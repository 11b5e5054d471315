"""Pictures out: the identity of their pixels, PNG where one fits, then the ladder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kling_pack.catalog.frames import LARGEST_FILE, Picture
from kling_pack.errors import InputError
from kling_pack.jobs.encode import describe, encode


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def soft(width: int, height: int) -> np.ndarray:
    small = Image.fromarray(noise(width // 40 + 2, height // 40 + 2))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def png_by_default(pixels: np.ndarray) -> int:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return len(file.getvalue())


class TestDescribe:
    def test_golden_identity(self) -> None:
        pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
        digest = "66b22df1c8bea32a38ebdc3095895c5ade639d64c2df2631d0eaf076d2a43a0c"
        assert describe(pixels) == Picture(3, 2, digest)

    def test_the_digest_is_over_the_size_and_the_bytes_by_rows(self) -> None:
        pixels = noise(31, 17)
        assert describe(pixels).digest == hashlib.sha256(b"31x17x3:" + pixels.tobytes()).hexdigest()

    def test_the_layout_in_memory_does_not_matter(self) -> None:
        pixels = noise(31, 17)
        assert describe(np.asfortranarray(pixels)) == describe(pixels)
        assert describe(pixels[:, ::-1]) == describe(pixels[:, ::-1].copy())

    def test_the_same_bytes_in_another_shape_are_another_picture(self) -> None:
        pixels = noise(30, 20)
        assert describe(pixels).digest != describe(pixels.reshape(30, 20, 3)).digest

    def test_one_step_in_one_channel_is_another_picture(self) -> None:
        pixels = noise(30, 20)
        other = pixels.copy()
        other[19, 29, 2] ^= 1
        assert describe(pixels).digest != describe(other).digest


class TestLossless:
    @pytest.mark.parametrize("make", [noise, soft])
    def test_a_png_gives_every_pixel_back(self, make: Callable[[int, int], np.ndarray]) -> None:
        pixels = make(401, 303)
        encoded = encode(pixels)
        assert (encoded.media_type, encoded.note) == ("image/png", None)
        assert (encoded.width, encoded.height) == (401, 303)
        assert np.array_equal(np.asarray(opened(encoded.data)), pixels)

    def test_it_carries_no_metadata(self) -> None:
        assert opened(encode(soft(400, 300)).data).info == {}

    def test_being_quick_costs_no_size_on_a_picture_like_a_photograph(self) -> None:
        pixels = (soft(800, 600) * 0.9 + noise(800, 600) * 0.05).astype(np.uint8)
        assert len(encode(pixels).data) < 1.1 * png_by_default(pixels)

    def test_a_pattern_that_only_the_thorough_setting_packs_is_still_sent_lossless(self) -> None:
        pixels = np.tile(noise(60, 40), (10, 10, 1))
        limit = 200_000
        encoded = encode(pixels, limit)
        assert encoded.media_type == "image/png"
        assert len(encoded.data) <= limit
        assert np.array_equal(np.asarray(opened(encoded.data)), pixels)


class TestLadder:
    def test_a_png_of_just_the_limit_is_sent(self) -> None:
        pixels = noise(400, 300)
        size = len(encode(pixels).data)
        assert encode(pixels, size).media_type == "image/png"
        assert encode(pixels, size - 1).media_type == "image/jpeg"

    @pytest.mark.slow
    def test_the_limit_is_the_providers_by_default(self) -> None:
        encoded = encode(noise(2048, 2048))
        assert encoded.media_type == "image/jpeg"
        assert len(encoded.data) <= LARGEST_FILE
        assert encoded.note is not None
        assert encoded.note.endswith("the PNG had 12.6 MB")

    @pytest.mark.parametrize("quality", [95, 90, 85])
    def test_the_best_quality_that_fits_is_taken(self, quality: int) -> None:
        pixels = noise(400, 400)
        file = BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
        encoded = encode(pixels, limit=len(file.getvalue()))
        assert encoded.data == file.getvalue()
        assert (encoded.width, encoded.height) == (400, 400)
        size = f"{len(encoded.data) / 1e6:.1f} MB"
        assert encoded.note == f"sent as JPEG {quality} ({size}), the PNG had 0.5 MB"

    def test_a_jpeg_keeps_its_colours_at_full_resolution_and_has_no_metadata(self) -> None:
        image = opened(encode(noise(400, 400), 400_000).data)
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
        assert not {"exif", "icc_profile", "comment", "xmp"} & image.info.keys()

    def test_then_the_picture_gets_smaller(self) -> None:
        encoded = encode(noise(1000, 800), limit=300_000)
        assert len(encoded.data) <= 300_000
        assert len(encoded.data) > 200_000
        assert opened(encoded.data).size == (encoded.width, encoded.height)
        assert encoded.width / encoded.height == pytest.approx(1.25, abs=0.01)
        assert encoded.note is not None
        assert encoded.note.startswith(f"scaled from 1000×800 to {encoded.width}×{encoded.height} and sent as JPEG 85")

    @pytest.mark.parametrize("size", [(1000, 400), (400, 1000)])
    @pytest.mark.slow
    def test_scaling_never_makes_the_longest_allowed_ratio_longer(self, size: tuple[int, int]) -> None:
        for limit in range(330_000, 560_000, 21_000):
            encoded = encode(noise(*size), limit)
            Picture(encoded.width, encoded.height, "").check("image")

    def test_no_side_falls_under_the_shortest_allowed(self) -> None:
        assert min(opened(encode(noise(350, 420), limit=165_000).data).size) == 300

    def test_what_cannot_fit_is_refused_before_anything_is_paid(self) -> None:
        with pytest.raises(InputError, match="400×400 pixels does not fit .* nothing was paid"):
            encode(noise(400, 400), limit=20_000)
