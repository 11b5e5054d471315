"""Tensors to pixels and back."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from kling_pack.catalog.frames import Expansion
from kling_pack.errors import InputError, UnreadError
from kling_pack.nodes.tensors import BAND, images_of, masks_of, pixels_of

floats = st.floats(width=32, allow_nan=True, allow_infinity=True)


def picture(path: Path, width: int, height: int, colour: str = "teal") -> Path:
    Image.new("RGB", (width, height), colour).save(path)
    return path


class TestPixelsOf:
    @given(arrays.arrays(np.float32, (2, 3, 5, 3), elements=floats))
    @settings(max_examples=200, deadline=None)
    def test_every_value_is_rounded_to_the_nearest_and_clamped(self, values: np.ndarray) -> None:
        exact = np.nan_to_num(values.astype(np.float64), nan=0, posinf=1, neginf=0).clip(0, 1) * 255
        pixels = np.stack(pixels_of(torch.from_numpy(values), "image"))
        assert pixels.dtype == np.uint8
        assert np.abs(pixels - exact).max() <= 0.5 + 1e-4

    def test_every_8_bit_value_survives(self) -> None:
        values = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
        for kind in (torch.float32, torch.float64):
            (pixels,) = pixels_of(torch.from_numpy(values).to(kind) / 255, "image")
            assert np.array_equal(pixels, values[0])

    def test_nan_and_infinities(self) -> None:
        odd = torch.tensor([float("nan"), float("inf"), -float("inf")]).reshape(1, 1, 1, 3)
        assert pixels_of(odd, "image")[0].tolist() == [[[0, 255, 0]]]

    @pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_any_float_type(self, kind: torch.dtype) -> None:
        (pixels,) = pixels_of(torch.full((1, 4, 5, 3), 0.5, dtype=kind), "image")
        assert pixels.shape == (4, 5, 3)
        assert (pixels == 128).all()

    def test_four_channels_are_flattened_over_white(self) -> None:
        rgba = torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0.2], [0, 0, 0, 7]]).reshape(1, 1, 4, 4)
        (pixels,) = pixels_of(rgba, "image")
        assert pixels.tolist() == [[[255, 0, 0], [255, 255, 255], [204, 204, 204], [0, 0, 0]]]

    def test_one_channel_is_grey(self) -> None:
        (pixels,) = pixels_of(torch.tensor([[[[0.2], [1.0]]]]), "image")
        assert pixels.tolist() == [[[51, 51, 51], [255, 255, 255]]]

    def test_a_batch_comes_in_order_whatever_its_layout_and_height(self) -> None:
        values = np.random.default_rng(5).integers(0, 256, (3, 2 * BAND + 7, 9, 3), dtype=np.uint8)
        planes = torch.from_numpy(values).permute(0, 3, 1, 2).contiguous().float() / 255
        pixels = pixels_of(planes.movedim(1, -1), "image")
        assert np.array_equal(np.stack(pixels), values)

    def test_the_tensor_is_left_as_it_was(self) -> None:
        values = torch.rand(2, 30, 20, 3, requires_grad=True)
        before = values.detach().clone()
        pixels_of(values, "image")
        assert torch.equal(values.detach(), before)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (torch.rand(4, 4, 3), "has the shape [4, 4, 3]"),
            (torch.rand(1, 1, 4, 4, 3), "has the shape [1, 1, 4, 4, 3]"),
            (torch.rand(1, 4, 4, 2), "has the shape [1, 4, 4, 2]"),
            (torch.rand(1, 3, 4, 5), "has the shape [1, 3, 4, 5]"),
            (torch.zeros(1, 4, 4, 3, dtype=torch.uint8), "holds uint8"),
            (torch.zeros(1, 4, 4, 3, dtype=torch.complex64), "holds complex64"),
            (torch.rand(0, 4, 4, 3), "is empty, of shape [0, 4, 4, 3]"),
            (torch.rand(1, 0, 4, 3), "is empty"),
            (np.zeros((1, 4, 4, 3), np.float32), "is a ndarray"),
            (None, "is a NoneType"),
        ],
    )
    def test_what_is_no_batch_of_pictures_is_refused(self, value: object, said: str) -> None:
        with pytest.raises(InputError) as raised:
            pixels_of(value, "scene_image")  # type: ignore[arg-type]
        assert str(raised.value).startswith(f"scene_image {said}")
        assert str(raised.value).endswith("Nothing was sent and nothing was paid.")


class TestImagesOf:
    def test_all_files_in_one_tensor_in_order(self, tmp_path: Path) -> None:
        colours = ["red", "lime", "blue", "white", "black"]
        paths = [picture(tmp_path / f"{colour}.png", 30, 20, colour) for colour in colours]
        images, fitted = images_of(paths)
        assert (images.dtype, images.device.type) == (torch.float32, "cpu")
        assert images.shape == (5, 20, 30, 3)
        assert images.is_contiguous()
        assert images[:, 10, 10].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]]
        assert fitted == [False] * 5

    def test_the_first_ones_size_wins_and_the_others_are_fitted(self, tmp_path: Path) -> None:
        sizes = [(30, 20), (60, 40), (30, 20), (20, 30)]
        paths = [picture(tmp_path / f"{n}.png", *size, "red") for n, size in enumerate(sizes)]
        images, fitted = images_of(paths)
        assert fitted == [False, True, False, True]
        assert torch.equal(images, torch.tensor([1.0, 0, 0]).expand(4, 20, 30, 3))

    def test_pixels_go_there_and_back(self, tmp_path: Path) -> None:
        values = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / "a.png")
        images, _ = images_of([tmp_path / "a.png"])
        assert np.array_equal(pixels_of(images, "image")[0], values)

    def test_one_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        paths = [picture(tmp_path / f"{n}.png", 300, 200) for n in range(6)]
        paths[3].write_bytes(paths[3].read_bytes()[:-20])
        with pytest.raises(UnreadError, match=r"^3\.png cannot be read"):
            images_of(paths)

    def test_decoding_keeps_no_more_than_two_pictures_beside_the_output(self, tmp_path: Path) -> None:
        paths = [picture(tmp_path / f"{n}.png", 512, 512) for n in range(8)]
        images_of(paths[:1])
        tracemalloc.start()
        images_of(paths)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= 2 * 512 * 512 * 3 * 4


class TestMasksOf:
    def test_the_mask_is_one_where_the_picture_is_new(self, tmp_path: Path) -> None:
        paths = [picture(tmp_path / "a.png", 40, 30)]
        images, _ = images_of(paths)
        masks = masks_of(paths, [Expansion(up=0.5, down=0, left=0, right=1)], images)
        expected = torch.ones(1, 30, 40)
        expected[:, 10:, :20] = 0
        assert masks.dtype == torch.float32
        assert torch.equal(masks, expected)

    def test_each_picture_has_its_own_expansion(self, tmp_path: Path) -> None:
        paths = [picture(tmp_path / f"{n}.png", 40, 30) for n in range(2)]
        images, _ = images_of(paths)
        masks = masks_of(paths, [Expansion(0, 0, 1, 0), Expansion(0, 2, 0, 0)], images)
        assert masks[0, :, :20].eq(1).all()
        assert masks[0, :, 20:].eq(0).all()
        assert masks[1, :10].eq(0).all()
        assert masks[1, 10:].eq(1).all()

    @pytest.mark.parametrize("size", [(100, 60), (60, 100), (240, 120), (90, 400)])
    def test_the_mask_of_a_fitted_picture_lies_where_its_original_lies(
        self, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        expansion = Expansion(0.4, 0.2, 0.3, 0.6)
        first = picture(tmp_path / "first.png", 120, 90)
        left, top, right, bottom = expansion.original_box(*size)
        drawn = Image.new("RGB", size, "white")
        drawn.paste("black", (left, top, right, bottom))
        drawn.save(tmp_path / "other.png")
        paths = [first, tmp_path / "other.png"]
        images, fitted = images_of(paths)
        assert fitted == [False, True]
        masks = masks_of(paths, [expansion, expansion], images)
        assert (masks[1] - images[1, ..., 0]).abs().mean() < 0.03
        assert ((masks[1] - images[1, ..., 0]).abs() > 0.6).sum() == 0
