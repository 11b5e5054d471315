"""Shapes of pictures: limits, the nearest ratio, and expansions that reach a ratio."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kling_pack.catalog.frames import Expansion, Picture, expansion_of, expansion_to, nearest_ratio, value_of
from kling_pack.catalog.operations import RATIOS
from kling_pack.errors import InputError

ANCHORS = ("center", "top", "bottom", "left", "right")
SIDES = st.integers(300, 5000)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    width, height = draw(SIDES), draw(SIDES)
    assume(max(width / height, height / width) <= 2.5)
    return Picture(width, height, "")


@pytest.mark.parametrize("size", ["300x300", "750x300", "300x750", "8000x3200", "4096x4096"])
def test_a_picture_within_the_limits_passes(size: str, picture: Callable[[str], Picture]) -> None:
    picture(size).check("image")


@pytest.mark.parametrize("size", ["299x300", "300x299", "1x1", "0x0", "751x300", "300x751"])
def test_a_picture_beyond_the_limits_is_refused(size: str, picture: Callable[[str], Picture]) -> None:
    with pytest.raises(InputError, match="^image is " + size.replace("x", "×")):
        picture(size).check("image")


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ("1920x1080", "16:9"),
        ("1080x1920", "9:16"),
        ("1000x1000", "1:1"),
        ("1024x768", "4:3"),
        ("600x800", "3:4"),
        ("1500x1000", "3:2"),
        ("1000x1500", "2:3"),
        ("2100x900", "21:9"),
        ("2500x1000", "21:9"),
        ("1000x2500", "9:16"),
        ("1100x1000", "1:1"),
        ("1300x1000", "4:3"),
    ],
)
def test_the_nearest_ratio(size: str, nearest: str, picture: Callable[[str], Picture]) -> None:
    assert nearest_ratio(picture(size)) == nearest


def test_nearness_is_by_proportion_so_lying_and_standing_are_alike() -> None:
    for width in range(400, 1001):
        lying, standing = Picture(1000, width, ""), Picture(width, 1000, "")
        turned = ":".join(reversed(nearest_ratio(lying, RATIOS[:-1]).split(":")))
        assert value_of(nearest_ratio(standing)) == pytest.approx(value_of(turned))


def test_the_nearest_of_fewer_ratios() -> None:
    assert nearest_ratio(Picture(1920, 1080, ""), ("1:1", "9:16")) == "1:1"


@given(pictures(), st.sampled_from(RATIOS), st.sampled_from(ANCHORS))
def test_an_expansion_reaches_its_shape_within_the_limits_or_is_refused(
    picture: Picture, target: str, anchor: str
) -> None:
    growth = value_of(target) / picture.ratio
    area = max(growth, 1 / growth)
    grown_side = picture.width if growth >= 1 else picture.height
    try:
        grown = expansion_to(target, anchor, picture)
    except InputError:
        assert area > 3 or (area - 1) * grown_side < 1 + 2e-4 * grown_side
        return
    reached = picture.ratio * (1 + grown.left + grown.right) / (1 + grown.up + grown.down)
    assert reached == pytest.approx(value_of(target), rel=2.1e-4)
    assert grown.area <= 3
    for ratio in (grown.up, grown.down, grown.left, grown.right):
        assert 0 <= ratio <= 2
        assert ratio == round(ratio, 4)
    assert not (grown.up or grown.down) or not (grown.left or grown.right)


@given(pictures(), st.sampled_from(RATIOS), st.sampled_from(ANCHORS))
def test_the_original_stays_at_the_anchor(picture: Picture, target: str, anchor: str) -> None:
    try:
        grown = expansion_to(target, anchor, picture)
    except InputError:
        return
    wide, high = (
        round(picture.width * (1 + grown.left + grown.right)),
        round(picture.height * (1 + grown.up + grown.down)),
    )
    left, top, right, bottom = grown.original_box(wide, high)
    assert abs((right - left) - picture.width) <= 1
    assert abs((bottom - top) - picture.height) <= 1
    across = bool(grown.left or grown.right)
    edges = {"left": left, "right": wide - right} if across else {"top": top, "bottom": high - bottom}
    if anchor in edges:
        assert edges[anchor] == 0
    else:
        first, last = edges.values()
        assert abs(first - last) <= 1


@given(*[st.floats(0, 2) for _ in range(4)], st.integers(1, 6000), st.integers(1, 6000))
def test_the_original_lies_inside_any_result(
    up: float, down: float, left: float, right: float, width: int, height: int
) -> None:
    x0, y0, x1, y1 = Expansion(up, down, left, right).original_box(width, height)
    assert 0 <= x0 <= x1 <= width
    assert 0 <= y0 <= y1 <= height


@pytest.mark.parametrize(
    ("expansion", "result", "box"),
    [
        (Expansion(0, 0, 0, 1), (2000, 1000), (0, 0, 1000, 1000)),
        (Expansion(0, 0, 1, 0), (2000, 1000), (1000, 0, 2000, 1000)),
        (Expansion(0.5, 0.5, 0, 0), (1000, 2000), (0, 500, 1000, 1500)),
        (Expansion(0.25, 0, 0, 0.5), (1536, 1280), (0, 256, 1024, 1280)),
        (Expansion(0.1495, 0.1495, 0.6547, 0.6547), (2309, 1299), (655, 150, 1654, 1150)),
        (Expansion(0, 0, 0.3888, 0.3888), (1821, 1024), (398, 0, 1423, 1024)),
    ],
)
def test_where_the_original_lies_to_the_pixel(
    expansion: Expansion, result: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    assert expansion.original_box(*result) == box


def test_kling_s_own_example_is_allowed() -> None:
    example = Expansion(0.1495, 0.1495, 0.6547, 0.6547)
    example.check()
    assert example.area == pytest.approx(2.9999, abs=1e-3)


@pytest.mark.parametrize("ratios", [(2, 0, 0, 0), (1, 1, 0, 0), (0, 0, 2, 0), (0.5, 0, 0.5, 0.5), (0, 1e-4, 0, 0)])
def test_an_area_up_to_three_times_is_allowed(ratios: tuple[float, float, float, float]) -> None:
    Expansion(*ratios).check()


@pytest.mark.parametrize("ratios", [(2, 0.001, 0, 0), (1, 1, 0, 0.01), (2, 2, 2, 2), (0, 0, 0, 0)])
def test_more_area_or_no_expansion_at_all_is_refused(ratios: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError):
        Expansion(*ratios).check()


@pytest.mark.parametrize("size", ["1600x900", "1366x768", "1920x1080", "1280x720"])
def test_a_shape_that_is_there_within_a_pixel_is_refused(size: str, picture: Callable[[str], Picture]) -> None:
    with pytest.raises(InputError, match="has already"):
        expansion_to("16:9", "center", picture(size))


def test_an_anchor_along_the_other_axis_is_the_center(picture: Callable[[str], Picture]) -> None:
    square = picture("1000x1000")
    assert expansion_to("16:9", "top", square) == expansion_to("16:9", "center", square)
    assert expansion_to("9:16", "left", square) == expansion_to("9:16", "center", square)


def test_an_expansion_is_read_back_from_a_request_s_fields() -> None:
    fields = {
        "up_expansion_ratio": 0.1,
        "down_expansion_ratio": 0.2,
        "left_expansion_ratio": 0.3,
        "right_expansion_ratio": 0.4,
        "n": 1,
    }
    assert expansion_of(fields) == Expansion(up=0.1, down=0.2, left=0.3, right=0.4)
