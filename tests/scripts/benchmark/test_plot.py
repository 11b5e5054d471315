"""Points, a straight line and round numbers on both axes."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from benchmark.plot import draw

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*points: tuple[float, float]) -> ElementTree.Element:
    return ElementTree.fromstring(draw(points, "Cost", "tasks", "straight"))  # noqa: S314 - our own


def words(picture: ElementTree.Element) -> list[str]:
    return [str(text.text) for text in picture.iter(f"{SVG}text")]


def test_there_is_a_dot_for_each_point_and_all_are_inside() -> None:
    picture = drawn((100, 0.1), (500, 0.4), (1000, 1.3))
    width, height = (float(picture.get(name, "")) for name in ("width", "height"))
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in picture.iter(f"{SVG}circle")]
    assert len(dots) == 3
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    assert dots == sorted(dots) and [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(1000, ["0", "200", "400", "600", "800", "1000"]), (0.7, ["0", "0.2", "0.4", "0.6", "0.8"])],
)
def test_axes_begin_at_nothing_and_go_by_round_numbers(most: float, ticks: list[str]) -> None:
    said = words(drawn((most / 10, most / 10), (most, most)))
    assert said.count(ticks[-1]) == 2
    assert [word for word in ticks if word not in said] == []


def test_it_says_what_is_shown() -> None:
    assert {"Cost", "tasks", "straight"} <= set(words(drawn((1, 1), (2, 2))))
