"""`@Image1` in a prompt: what counts as a name, what is refused, and how it is spelled elsewhere."""

from __future__ import annotations

import pytest

from kling_pack.catalog.references import check_references, translate_references
from kling_pack.errors import InputError

KLING = "<<<image_{}>>>"


@pytest.mark.parametrize(
    ("prompt", "translated"),
    [
        ("Put @Image1 on @Image2", "Put <<<image_1>>> on <<<image_2>>>"),
        ("@Image10 and @Image1", "<<<image_10>>> and <<<image_1>>>"),
        ("brighten @Image", "brighten <<<image_1>>>"),
        ("@image1, @IMAGE2; @iMaGe3.", "<<<image_1>>>, <<<image_2>>>; <<<image_3>>>."),
        ("把@Image1放在@Image2上", "把<<<image_1>>>放在<<<image_2>>>上"),
        ("@Image01", "<<<image_1>>>"),
        ("@Image1's hat", "<<<image_1>>>'s hat"),
        (
            "@ImageMagick and @Images and @Image_1 and @Image1b",
            "@ImageMagick and @Images and @Image_1 and @Image1b",
        ),
        ("Image1 without a sign", "Image1 without a sign"),
        ("{0} {} %s \\1 @Image1", "{0} {} %s \\1 <<<image_1>>>"),
    ],
)
def test_names_are_spelled_as_kling_does(prompt: str, translated: str) -> None:
    assert translate_references(prompt, KLING) == translated


def test_names_are_kept_in_one_spelling_where_the_provider_has_ours() -> None:
    assert translate_references("@image2 over @Image", "@Image{}") == "@Image2 over @Image1"


@pytest.mark.parametrize(
    ("prompt", "pictures"),
    [
        ("no names", 0),
        ("@ImageMagick", 0),
        ("@Image", 1),
        ("@Image1", 1),
        ("@Image1 @Image2 @Image2", 2),
        ("@Image10", 10),
    ],
)
def test_names_with_a_picture_pass(prompt: str, pictures: int) -> None:
    check_references(prompt, pictures, gap=None)


@pytest.mark.parametrize(
    ("prompt", "pictures"),
    [
        ("@Image1", 0),
        ("@Image", 0),
        ("@Image", 2),
        ("@Image0", 1),
        ("@Image2", 1),
        ("@Image1 @Image3", 2),
        ("@Image11", 10),
        ("@Image" + "9" * 2000, 10),
    ],
)
def test_names_without_a_picture_are_refused(prompt: str, pictures: int) -> None:
    with pytest.raises(InputError, match="^prompt names @Image"):
        check_references(prompt, pictures, gap=None)


def test_a_gap_matters_only_to_a_prompt_that_names_pictures() -> None:
    check_references("no names", 2, gap="image_2")
    with pytest.raises(InputError, match="image_2 is empty"):
        check_references("@Image1", 2, gap="image_2")
