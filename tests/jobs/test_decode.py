"""Pictures in: every kind of file a provider may send, and every kind of thing that is none."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from kling_pack.errors import UnreadError
from kling_pack.jobs.decode import PictureInfo, decode_fitted, decode_into, inspect

STEP = 1 / 255


def pixels_of(width: int = 61, height: int = 47) -> np.ndarray:
    """A smooth picture with another colour in each corner."""
    across = np.linspace(0, 1, width)[None, :]
    down = np.linspace(0, 1, height)[:, None]
    planes = (across * (1 + 0 * down), down * (1 + 0 * across), 1 - across * down)
    return (np.stack(planes, axis=2) * 255).round().astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def read(path: Path) -> np.ndarray:
    info = inspect(path)
    out = np.full((info.height, info.width, 3), np.nan, np.float32)
    decode_into(path, out)
    return out


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(size: tuple[int, int], depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand; `rows` hold their filter bytes."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    compressed = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + compressed + chunk(b"IEND", b"")


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_primaries(**primaries: tuple[float, float, float]) -> bytes:
    """The sRGB profile with other primaries (`rXYZ`, `gXYZ`, `bXYZ`, relative to D50)."""
    profile = bytearray(srgb())
    (count,) = struct.unpack_from(">I", profile, 128)
    for tag in range(count):
        name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * tag)
        if name.decode() in primaries:
            values = (round(value * 65536) for value in primaries[name.decode()])
            struct.pack_into(">iii", profile, offset + 8, *values)
    return bytes(profile)


SRGB_PRIMARIES = {
    "rXYZ": (0.43607, 0.22249, 0.01392),
    "gXYZ": (0.38515, 0.71687, 0.09708),
    "bXYZ": (0.14307, 0.06061, 0.71410),
}
P3_PRIMARIES = {
    "rXYZ": (0.51512, 0.24120, -0.00105),
    "gXYZ": (0.29198, 0.69225, 0.04189),
    "bXYZ": (0.15710, 0.06657, 0.78407),
}


@pytest.fixture(params=[False, True], ids=["strict", "lenient"])
def pillow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow as it is, and as a pack may leave it that wants damaged files to load."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", request.param)


class TestFormats:
    @pytest.mark.parametrize("ending", ["png", "jpeg", "webp"])
    def test_the_content_tells_the_format_and_the_name_does_not(self, tmp_path: Path, ending: str) -> None:
        path = saved(tmp_path / "result.bin", Image.fromarray(pixels_of()), format=ending)
        assert inspect(path) == PictureInfo(ending, 61, 47)

    @pytest.mark.parametrize("options", [{"format": "png"}, {"format": "webp", "lossless": True}])
    def test_lossless_files_give_exactly_what_dividing_by_255_gives(
        self, tmp_path: Path, options: dict[str, object]
    ) -> None:
        path = saved(tmp_path / "result", Image.fromarray(pixels_of()), **options)
        assert np.array_equal(read(path), pixels_of().astype(np.float32) / np.float32(255))

    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}, {"subsampling": 0}])
    def test_jpeg(self, tmp_path: Path, options: dict[str, object]) -> None:
        path = saved(tmp_path / "result.jpg", Image.fromarray(pixels_of()), quality=95, **options)
        assert np.abs(read(path) * 255 - pixels_of()).mean() < 2
        with Image.open(path) as image:
            assert np.array_equal(read(path), np.asarray(image) / np.float32(255))

    def test_the_first_frame_of_an_animation_is_the_picture(self, tmp_path: Path) -> None:
        first, second = Image.fromarray(pixels_of()), Image.new("RGB", (61, 47), "red")
        for ending in ("png", "webp"):
            path = saved(tmp_path / f"moving.{ending}", first, save_all=True, append_images=[second], lossless=True)
            assert np.abs(read(path) * 255 - pixels_of()).max() < 1

    def test_an_out_of_another_size_is_the_callers_mistake(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        with pytest.raises(ValueError, match="61×47"):
            decode_into(path, np.empty((61, 47, 3), np.float32))


class TestModes:
    @pytest.mark.parametrize("colours", [2, 4, 16, 256])
    def test_palette(self, tmp_path: Path, colours: int) -> None:
        image = Image.fromarray(pixels_of()).quantize(colours)
        path = saved(tmp_path / "result.png", image)
        assert np.array_equal(read(path), np.asarray(image.convert("RGB")) / np.float32(255))

    def test_palette_with_transparent_entries(self, tmp_path: Path) -> None:
        image = Image.new("P", (2, 1))
        image.putpalette([255, 0, 0, 0, 0, 255])
        image.putdata([0, 1])
        whole = saved(tmp_path / "one.png", image, transparency=0)
        part = saved(tmp_path / "parts.png", image, transparency=bytes([51, 255]))
        assert read(whole).tolist() == [[[1, 1, 1], [0, 0, 1]]]
        assert np.allclose(read(part), [[[1, 0.8, 0.8], [0, 0, 1]]], atol=STEP)

    def test_grey_and_black_and_white(self, tmp_path: Path) -> None:
        grey = Image.fromarray(pixels_of()[..., 0])
        assert np.array_equal(read(saved(tmp_path / "l.png", grey))[..., 2] * 255, np.asarray(grey))
        assert np.abs(read(saved(tmp_path / "l.jpg", grey, quality=95))[..., 1] * 255 - grey).max() < 8
        bits = grey.convert("1")
        assert np.array_equal(read(saved(tmp_path / "1.png", bits))[..., 0], np.asarray(bits))

    def test_grey_of_16_bits_keeps_its_precision(self, tmp_path: Path) -> None:
        levels = np.linspace(0, 65535, 300 * 200).astype(np.uint16).reshape(200, 300)
        out = read(saved(tmp_path / "result.png", Image.fromarray(levels)))
        assert np.abs(out - (levels / 65535)[..., None]).max() < 1e-6
        assert len(np.unique(out)) > 50_000

    def test_colour_of_16_bits(self, tmp_path: Path) -> None:
        wide = pixels_of().astype(">u2") * 257
        rows = b"".join(b"\0" + row.tobytes() for row in wide)
        path = tmp_path / "result.png"
        path.write_bytes(png((61, 47), 16, 2, rows))
        assert np.abs(read(path) * 255 - pixels_of()).max() < 1

    @pytest.mark.parametrize("ending", ["png", "webp"])
    def test_alpha_is_flattened_over_white(self, tmp_path: Path, ending: str) -> None:
        image = Image.new("RGBA", (3, 1))
        image.putdata([(200, 0, 0, 255), (200, 0, 0, 0), (0, 0, 0, 51)])
        path = saved(tmp_path / f"result.{ending}", image, lossless=True, exact=True)
        assert np.allclose(read(path), [[[200 / 255, 0, 0], [1, 1, 1], [0.8, 0.8, 0.8]]], atol=STEP)

    def test_alpha_of_grey_and_transparent_single_colours(self, tmp_path: Path) -> None:
        both = Image.new("LA", (2, 1))
        both.putdata([(100, 255), (100, 0)])
        assert np.allclose(read(saved(tmp_path / "la.png", both)), [[[100 / 255] * 3, [1, 1, 1]]])
        colours = Image.new("RGB", (2, 1))
        colours.putdata([(1, 2, 3), (9, 9, 9)])
        path = saved(tmp_path / "rgb.png", colours, transparency=(1, 2, 3))
        assert np.allclose(read(path), [[[1, 1, 1], [9 / 255] * 3]])

    def test_interlaced_png(self, tmp_path: Path) -> None:
        # Adam7 of a 2×2 picture: pass 1 holds (0,0), pass 6 (1,0), pass 7 the second row.
        rows = b"\0" + bytes([10]) + b"\0" + bytes([20]) + b"\0" + bytes([30, 40])
        header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 1)
        parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        path = tmp_path / "result.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
        assert (read(path)[..., 0] * 255).round().tolist() == [[10, 20], [30, 40]]

    def test_cmyk_jpeg(self, tmp_path: Path) -> None:
        image = Image.fromarray(pixels_of()).convert("CMYK")
        out = read(saved(tmp_path / "result.jpg", image, quality=95))
        assert np.abs(out * 255 - pixels_of()).mean() < 3


class TestOrientation:
    @pytest.mark.parametrize("ending", ["png", "jpeg", "webp"])
    @pytest.mark.parametrize(
        ("orientation", "upright"),
        [
            (1, lambda stored: stored),
            (2, lambda stored: stored[:, ::-1]),
            (3, lambda stored: stored[::-1, ::-1]),
            (4, lambda stored: stored[::-1]),
            (5, lambda stored: stored.transpose(1, 0, 2)),
            (6, lambda stored: np.rot90(stored, -1)),
            (7, lambda stored: stored[::-1, ::-1].transpose(1, 0, 2)),
            (8, lambda stored: np.rot90(stored)),
            (9, lambda stored: stored),
        ],
    )
    def test_the_picture_comes_upright(
        self, tmp_path: Path, ending: str, orientation: int, upright: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(pixels_of())
        path = saved(tmp_path / "result", image, format=ending, exif=exif, quality=95, lossless=True)
        expected = upright(pixels_of())
        assert inspect(path) == PictureInfo(ending, expected.shape[1], expected.shape[0])
        assert np.abs(read(path) * 255 - expected).mean() < 2

    def test_a_damaged_exif_block_is_passed_over_in_silence(self, tmp_path: Path) -> None:
        path = tmp_path / "result.jpg"
        file = BytesIO()
        Image.fromarray(pixels_of()).save(file, "JPEG")
        # Without the JFIF block Pillow looks into EXIF for the resolution.
        rest = file.getvalue()[20:]
        block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 9) + struct.pack("<HHII", 0x011A, 5, 9, 60_000)
        path.write_bytes(b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + rest)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert read(path).shape == (47, 61, 3)
        assert said == []

    def test_a_picture_outlives_an_exif_block_that_is_none(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()), exif=b"MM or II, but neither")
        assert np.array_equal(read(path), pixels_of() / np.float32(255))


class TestProfiles:
    def test_swapped_primaries_come_out_swapped(self, tmp_path: Path) -> None:
        profile = with_primaries(rXYZ=SRGB_PRIMARIES["bXYZ"], bXYZ=SRGB_PRIMARIES["rXYZ"])
        image = Image.new("RGB", (8, 8), (255, 0, 0))
        for ending in ("png", "jpeg", "webp"):
            path = saved(tmp_path / "result", image, format=ending, icc_profile=profile, lossless=True, quality=95)
            assert np.allclose(read(path), [0, 0, 1], atol=3 * STEP)

    @pytest.mark.parametrize("colour", [(100, 200, 100), (180, 120, 90), (128, 128, 128)])
    def test_display_p3_is_converted_as_the_matrices_say(self, tmp_path: Path, colour: tuple[int, int, int]) -> None:
        to_d50 = np.array(list(P3_PRIMARIES.values())).T
        from_d50 = np.linalg.inv(np.array(list(SRGB_PRIMARIES.values())).T)
        encoded = np.array(colour) / 255
        linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        there = (from_d50 @ to_d50 @ linear).clip(0, 1)
        expected = np.where(there <= 0.0031308, there * 12.92, 1.055 * there ** (1 / 2.4) - 0.055)
        profile = with_primaries(**P3_PRIMARIES)
        path = saved(tmp_path / "result.png", Image.new("RGB", (8, 8), colour), icc_profile=profile)
        assert np.allclose(read(path), expected, atol=2 * STEP)

    def test_alpha_and_palette_files_are_converted_too(self, tmp_path: Path) -> None:
        profile = with_primaries(rXYZ=SRGB_PRIMARIES["bXYZ"], bXYZ=SRGB_PRIMARIES["rXYZ"])
        half = Image.new("RGBA", (4, 4), (255, 0, 0, 51))
        path = saved(tmp_path / "alpha.png", half, icc_profile=profile)
        assert np.allclose(read(path), [0.8, 0.8, 1], atol=3 * STEP)
        path = saved(tmp_path / "palette.png", Image.new("RGB", (4, 4), "red").quantize(4), icc_profile=profile)
        assert np.allclose(read(path), [0, 0, 1], atol=3 * STEP)

    def test_srgb_itself_leaves_every_pixel_as_it_is(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(3).integers(0, 256, (50, 70, 3), dtype=np.uint8)
        path = saved(tmp_path / "result.png", Image.fromarray(noise), icc_profile=srgb())
        assert np.array_equal(read(path), noise / np.float32(255))

    @pytest.mark.parametrize("profile", [b"nothing of the kind", srgb()[:200], srgb()[:128] + b"\xff" * 300])
    def test_a_broken_profile_is_ignored(self, tmp_path: Path, profile: bytes) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()), icc_profile=profile)
        assert np.array_equal(read(path), pixels_of() / np.float32(255))

    def test_a_colour_profile_on_a_grey_picture_is_ignored(self, tmp_path: Path) -> None:
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        wide = levels.astype(np.uint16) * 257
        for image in (Image.fromarray(levels), Image.fromarray(wide)):
            path = saved(tmp_path / "result.png", image, icc_profile=with_primaries(**P3_PRIMARIES))
            assert np.array_equal(read(path)[..., 1], levels / np.float32(255))


@pytest.mark.usefixtures("pillow")
class TestDamage:
    @pytest.mark.parametrize(
        ("ending", "options"),
        [
            ("png", {}),
            ("jpeg", {}),
            ("jpeg", {"progressive": True}),
            ("webp", {}),
            ("webp", {"lossless": True}),
        ],
    )
    @pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.99])
    def test_a_file_that_is_cut_off_is_an_error(
        self, tmp_path: Path, ending: str, options: dict[str, object], part: float
    ) -> None:
        noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3), dtype=np.uint8)
        path = saved(tmp_path / "eachlabs-7.bin", Image.fromarray(noise), format=ending, **options)
        data = path.read_bytes()
        path.write_bytes(data[: round(len(data) * part)])
        for work in (decode_into, decode_fitted):
            with pytest.raises(UnreadError) as raised:
                work(path, np.empty((200, 300, 3), np.float32))
            said = str(raised.value)
            assert said.startswith("eachlabs-7.bin ")
            for promised in ("done and paid", "bytes are kept", "nothing has to be paid again"):
                assert promised in said
        assert path.read_bytes() == data[: round(len(data) * part)]

    @pytest.mark.parametrize("missing", [1, 4, 11, 12, 13, 16, 20, 500])
    def test_a_png_without_its_end_is_cut_off(self, tmp_path: Path, missing: int) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        path.write_bytes(path.read_bytes()[:-missing])
        with pytest.raises(UnreadError, match="cut off after"):
            decode_into(path, np.empty((47, 61, 3), np.float32))

    def test_a_bit_that_flipped_in_a_png_is_found(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(UnreadError, match="checksum"):
            decode_into(path, np.empty((47, 61, 3), np.float32))

    def test_a_jpeg_with_broken_tables_is_an_error(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.jpg", Image.fromarray(pixels_of()))
        data = path.read_bytes()
        path.write_bytes(data.replace(b"\xff\xdb", b"\xff\xfe"))
        with pytest.raises(UnreadError):
            decode_into(path, np.empty((47, 61, 3), np.float32))

    def test_what_follows_a_whole_picture_does_no_harm(self, tmp_path: Path) -> None:
        for ending in ("png", "jpeg"):
            path = saved(tmp_path / "result", Image.fromarray(pixels_of()), format=ending)
            before = read(path)
            path.write_bytes(path.read_bytes() + b"<!-- cached -->" * 99)
            assert np.array_equal(read(path), before)

    @pytest.mark.slow
    def test_a_png_with_fewer_rows_than_it_claims_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.png"
        path.write_bytes(png((9000, 9000), 8, 2, bytes(27_001)))
        assert inspect(path) == PictureInfo("png", 9000, 9000)
        with pytest.raises(UnreadError, match="fewer pixels than it claims"):
            decode_fitted(path, np.empty((10, 10, 3), np.float32))

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_a_picture_that_really_is_black_is_read(self, tmp_path: Path, mode: str) -> None:
        path = saved(tmp_path / "night.png", Image.new(mode, (61, 47)))
        assert read(path).shape == (47, 61, 3)


class TestNoPicture:
    @pytest.mark.parametrize(
        ("content", "seems"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
            (b"\xef\xbb\xbf\n<html lang=en>", "an HTML page"),
            (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML or SVG"),
            (json.dumps({"error": "expired"}).encode(), "JSON"),
            (b"[1, 2]", "JSON"),
            (b"Link expired", "plain text"),
            (b"GIF89a" + bytes(20), "a GIF picture"),
            (b"\0\0\0\x20ftypavif" + bytes(20), "an AVIF or HEIC picture or a video"),
            (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
            (b"\x1f\x8b\x08" + bytes(20), "gzip-compressed data"),
            (bytes(range(1, 200)) + bytes(20), "data of an unknown kind"),
        ],
    )
    def test_the_error_says_what_came_instead(self, tmp_path: Path, content: bytes, seems: str) -> None:
        path = tmp_path / "result.png"
        path.write_bytes(content)
        for work in (inspect, lambda path: decode_into(path, np.empty((1, 1, 3), np.float32))):
            with pytest.raises(UnreadError, match=f"it is {seems}, not PNG, JPEG or WebP"):
                work(path)

    @pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8 "])
    @pytest.mark.parametrize("rest", [b"", b"\0", bytes(40), b"\xff" * 900, b"<html>"])
    def test_a_signature_with_nonsense_behind_it(self, tmp_path: Path, start: bytes, rest: bytes) -> None:
        path = tmp_path / "result"
        path.write_bytes(start + rest)
        with pytest.raises(UnreadError):
            inspect(path)

    def test_a_file_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadError, match=r"gone\.png"):
            inspect(tmp_path / "gone.png")


class TestTooLarge:
    @pytest.mark.parametrize("size", [(60_000, 60_000), (10_001, 10_000), (32_769, 2), (2, 2_000_000_000)])
    def test_a_bomb_is_refused_by_its_header(self, tmp_path: Path, size: tuple[int, int]) -> None:
        path = tmp_path / "bomb.png"
        path.write_bytes(png(size, 8, 2, bytes(10_000)))
        for work in (inspect, lambda path: decode_fitted(path, np.empty((1, 1, 3), np.float32))):
            with pytest.raises(UnreadError, match=f"claims {size[0]}×{size[1]} pixels"):
                work(path)

    @pytest.mark.parametrize("limit", [None, 10, 2_000])
    def test_pillows_own_limit_is_neither_heeded_nor_changed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
    ) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            out = read(path)
            decode_fitted(path, out[:20, :30])
        assert np.array_equal(out[20:], pixels_of()[20:] / np.float32(255))
        assert limit == Image.MAX_IMAGE_PIXELS

    def test_a_file_of_only_a_header_is_enough_to_inspect(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        path.write_bytes(path.read_bytes()[:60])
        assert inspect(path) == PictureInfo("png", 61, 47)


class TestFitted:
    def test_a_wider_picture_loses_its_sides(self, tmp_path: Path) -> None:
        wide = np.zeros((40, 120, 3), np.uint8)
        wide[:, 40:80] = 200
        path = saved(tmp_path / "result.png", Image.fromarray(wide))
        out = np.full((20, 20, 3), np.nan, np.float32)
        decode_fitted(path, out)
        assert np.allclose(out[:, 3:-3], 200 / 255, atol=STEP)

    def test_a_taller_picture_loses_top_and_bottom(self, tmp_path: Path) -> None:
        tall = np.zeros((120, 40, 3), np.uint8)
        tall[40:80] = 200
        path = saved(tmp_path / "result.png", Image.fromarray(tall))
        out = np.full((80, 80, 3), np.nan, np.float32)
        decode_fitted(path, out)
        assert np.allclose(out[10:-10], 200 / 255, atol=STEP)

    def test_the_same_size_changes_nothing(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "result.png", Image.fromarray(pixels_of()))
        out = np.empty((47, 61, 3), np.float32)
        decode_fitted(path, out)
        assert np.array_equal(out, read(path))

    def test_grey_of_16_bits_is_fitted_within_its_range(self, tmp_path: Path) -> None:
        levels = np.zeros((60, 60), np.uint16)
        levels[:, 30:] = 65535
        path = saved(tmp_path / "result.png", Image.fromarray(levels))
        out = np.empty((30, 40, 3), np.float32)
        decode_fitted(path, out)
        assert (out.min(), out.max()) == (0, 1)
        assert out[15, 30].tolist() == [1, 1, 1]


def test_many_threads_at_once_give_what_one_gives(tmp_path: Path) -> None:
    paths = []
    for number, ending in enumerate(("png", "jpeg", "webp") * 4):
        image = Image.fromarray(np.roll(pixels_of(), number, axis=1))
        paths.append(saved(tmp_path / str(number), image, format=ending))
    alone = [read(path) for path in paths]
    together: dict[Path, np.ndarray] = {}
    threads = [threading.Thread(target=lambda path=path: together.update({path: read(path)})) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(together[path], before) for path, before in zip(paths, alone, strict=True))


POOR_PILLOW = """
import sys
sys.modules["PIL._webp"] = sys.modules["PIL._imagingcms"] = None  # neither was built
import numpy as np
from pathlib import Path
from pack import load_pack
load_pack()
from kling_pack.errors import UnreadError
from kling_pack.jobs.decode import decode_into, inspect
try:
    inspect(Path(sys.argv[1]))
except UnreadError as error:
    print(error)
out = np.zeros((47, 61, 3), np.float32)
decode_into(Path(sys.argv[2]), out)
print(np.round(out[0, 0] * 255).astype(int).tolist())
"""


def test_a_pillow_that_was_built_without_webp_and_colour_profiles_reads_the_rest(tmp_path: Path) -> None:
    picture = Image.fromarray(pixels_of())
    webp = saved(tmp_path / "one.webp", picture)
    png_file = saved(tmp_path / "one.png", picture, icc_profile=with_primaries(rXYZ=(0.5, 0.3, 0.05)))
    command = [sys.executable, "-c", POOR_PILLOW, str(webp), str(png_file)]
    scripts = Path(__file__).parents[2] / "scripts"
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(scripts)})
    told, corner = ran.stdout.splitlines()
    assert "one.webp cannot be read as a picture: it is WebP, and the Pillow installed here was built without" in told
    assert "nothing has to be paid again" in told
    assert corner == str(pixels_of()[0, 0].tolist())
