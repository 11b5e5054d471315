"""A field lets through what its range allows, in one spelling, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_pack.catalog.fields import Choice, Number, Pictures, Text, check_all
from kling_pack.errors import InputError

SHARE = Number("share", "", 0, 1, 0.5)
COUNT = Number("count", "", 1, 9, 1, whole=True)
SIZE = Choice("size", "", ("1k", "2k"), "1k")
WORDS = Text("words", "", required=True, longest=10)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(("value", "kept"), [(0, 0.0), (1, 1.0), (0.25, 0.25), (1.0, 1.0)])
def test_a_number_comes_back_as_a_float(value: float, kept: float) -> None:
    assert SHARE.check(value) == kept
    assert isinstance(SHARE.check(value), float)


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1, SHARE.check(-0.0)) == 1


@pytest.mark.parametrize("value", [1, 9, 4.0])
def test_a_whole_number_comes_back_as_an_int(value: float) -> None:
    assert COUNT.check(value) == value
    assert isinstance(COUNT.check(value), int)


@pytest.mark.parametrize(
    "value", [-0.01, 1.01, math.nan, math.inf, -math.inf, True, "0.5", None, [], 10**400, -(10**400)]
)
def test_what_is_no_number_in_range_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^share is .*; it must be a number from 0 to 1\. "):
        SHARE.check(value)


@pytest.mark.parametrize("value", [0, 10, 1.5, True, math.nan, math.inf, 10**400])
def test_what_is_no_whole_number_in_range_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^count is .*; it must be a whole number from 1 to 9\. "):
        COUNT.check(value)


@pytest.mark.parametrize("value", ["3k", "1K", "", None, 1, ["1k"], {"1k"}])
def test_a_choice_is_one_of_its_options_as_written(value: object) -> None:
    assert SIZE.check("2k") == "2k"
    with pytest.raises(InputError, match=r"^size is .*; it must be one of 1k, 2k\. "):
        SIZE.check(value)


@pytest.mark.parametrize("value", ["a", "0123456789", " a ", "日本語", "😀" * 10])
def test_a_text_is_kept_as_written_and_counted_in_characters(value: str) -> None:
    assert WORDS.check(value) == value


@pytest.mark.parametrize("value", ["", "  \n", "01234567890", "half \ud83d", "nul\0", None, 5, b"bytes"])
def test_a_text_that_is_empty_too_long_or_broken_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="^words "):
        WORDS.check(value)


def test_a_text_that_is_not_required_may_be_empty() -> None:
    assert Text("more", "").check("") == ""


@pytest.mark.slow
@given(ANYTHING)
def test_any_value_at_all_is_kept_or_refused(value: object) -> None:
    for field in (SHARE, COUNT, SIZE, WORDS):
        try:
            kept = field.check(value)
        except InputError as error:
            assert str(error).startswith(field.name)
            assert "Nothing was sent and nothing was paid" in str(error)
        else:
            assert kept == value


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InputError) as caught:
        SIZE.check("x" * 10_000)
    assert len(str(caught.value)) < 200


def test_defaults_fill_what_is_missing() -> None:
    assert check_all((SHARE, COUNT, SIZE), {"size": "2k"}) == {"share": 0.5, "count": 1, "size": "2k"}


def test_a_numbered_role_opens_into_sockets() -> None:
    role = Pictures("image", "", at_least=1, at_most=3, numbered=True)
    assert role.sockets == ("image_1", "image_2", "image_3")
    assert role.required_sockets == ("image_1",)


def test_any_other_role_is_one_socket() -> None:
    role = Pictures("scene_image", "")
    assert role.sockets == ("scene_image",)
    assert role.required_sockets == ()
