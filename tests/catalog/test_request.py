"""From a node's inputs to the tasks they ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kling_pack.catalog import request as request_module
from kling_pack.catalog.frames import Expansion, Picture, expansion_of
from kling_pack.catalog.models import Model
from kling_pack.catalog.operations import operation
from kling_pack.catalog.request import Request, build_requests
from kling_pack.errors import InputError

Ask = Callable[..., tuple[Request, ...]]
BIG = "1024x768"


def sizes(request: Request, role: str) -> list[str]:
    return [f"{picture.width}x{picture.height}" for picture in request.pictures[role]]


def test_what_is_missing_takes_its_default() -> None:
    (request,) = build_requests(operation("text"), {"prompt": "a red house"}, {})
    assert (request.model, request.provider, request.seed, request.count) == ("kling-v3", "auto", 0, 1)
    assert request.fields == {
        "prompt": "a red house",
        "aspect_ratio": "16:9",
        "resolution": "1k",
        "n": 1,
        "negative_prompt": "",
    }
    assert request.set_by_user == {"prompt"}


def test_what_is_given_is_kept(ask: Ask) -> None:
    (request,) = ask("image", {"model": "kling-v3", "provider": "apimodels", "seed": 7, "n": 3, "image_fidelity": 1})
    assert (request.model, request.provider, request.seed, request.count) == ("kling-v3", "apimodels", 7, 3)
    assert request.fields["image_fidelity"] == 1.0
    assert request.set_by_user == {"prompt", "n", "image_fidelity"}


@pytest.mark.parametrize("name", ["image", "expand"])
def test_a_batch_into_image_is_one_task_each_in_order(name: str, ask: Ask) -> None:
    requests = ask(name, image=["1024x768", "640x480", "800x600"])
    assert [sizes(request, "image") for request in requests] == [["1024x768"], ["640x480"], ["800x600"]]
    assert len({request.identity for request in requests}) == 3


def test_equal_pictures_of_a_batch_are_one_request_twice(picture: Callable[[str], Picture]) -> None:
    same = picture(BIG)
    first, second = build_requests(operation("image"), {"prompt": "a house"}, {"image": [same, same]})
    assert first == second
    assert first.identity == second.identity


def test_batches_into_numbered_sockets_are_references_in_the_order_of_the_sockets(ask: Ask) -> None:
    (request,) = ask("edit", image_2=["400x400"], image_1=["500x500", "600x600"], image_10=["700x700"])
    assert sizes(request, "image") == ["500x500", "600x600", "400x400", "700x700"]


def test_ten_references_are_taken_and_eleven_are_refused(ask: Ask) -> None:
    assert len(ask("edit", image_1=[BIG] * 10)[0].pictures["image"]) == 10
    with pytest.raises(InputError, match="hold 11 pictures"):
        ask("edit", image_1=[BIG] * 10, image_2=[BIG])


def test_four_subjects_are_taken_and_five_are_refused(ask: Ask) -> None:
    (request,) = ask("multi-image", subject_image_1=[BIG] * 3, subject_image_2=[BIG], scene_image=[BIG])
    assert len(request.pictures["subject_image"]) == 4
    assert len(request.pictures["scene_image"]) == 1
    assert request.pictures["style_image"] == ()
    with pytest.raises(InputError, match="hold 5 pictures"):
        ask("multi-image", subject_image_1=[BIG] * 5)


def test_names_count_every_picture_that_is_sent_with_batches_opened(ask: Ask) -> None:
    ask("edit", {"prompt": "@Image1 @Image2 @Image3"}, image_1=[BIG, BIG], image_2=[BIG])
    ask("multi-image", {"prompt": "@Image3"}, scene_image=[BIG], style_image=[BIG])
    ask("image", {"prompt": "@Image1"}, image=[BIG, BIG, BIG])


def test_a_gap_is_allowed_where_no_picture_is_named(ask: Ask) -> None:
    (request,) = ask("edit", image_3=["400x400"])
    assert sizes(request, "image") == [BIG, "400x400"]


def test_a_target_shape_becomes_the_four_ratios_that_reach_it(ask: Ask) -> None:
    (request,) = ask("expand", {"target_aspect": "16:9", "anchor": "left"}, image=["1000x1000"])
    assert expansion_of(request.fields) == Expansion(up=0, down=0, left=0, right=0.7777)
    assert (request.fields["target_aspect"], request.fields["anchor"]) == ("off", "center")


def test_a_target_shape_replaces_ratios_that_were_set(ask: Ask) -> None:
    given = {"target_aspect": "9:16", "up_expansion_ratio": 2, "left_expansion_ratio": 2}
    (request,) = ask("expand", given, image=["1000x1000"])
    assert expansion_of(request.fields) == Expansion(up=0.3888, down=0.3888, left=0, right=0)


def test_each_picture_of_a_batch_gets_its_own_expansion(ask: Ask) -> None:
    first, second = ask("expand", {"target_aspect": "1:1", "anchor": "top"}, image=["900x1000", "1000x800"])
    assert expansion_of(first.fields) == Expansion(up=0, down=0, left=0.0555, right=0.0555)
    assert expansion_of(second.fields) == Expansion(up=0, down=0.25, left=0, right=0)


def test_a_retired_model_is_refused_with_its_successor(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Model("expand", "kling-expand", (), retired=("2027-01-31", "kling-expand-2"))
    monkeypatch.setattr(request_module, "MODELS", (gone,))
    with pytest.raises(InputError) as caught:
        ask("expand")
    assert str(caught.value) == (
        "model is kling-expand, which was retired on 2027-01-31. Nothing was sent and nothing was paid: "
        "use kling-expand-2."
    )
