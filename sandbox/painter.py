"""Orders in, pictures out: every operation computes its picture from the words and pictures it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from PIL import Image

from .art.collage import badges_on, cards_on, tinted
from .art.expand import expanded, margins
from .art.lettering import caption
from .art.mark import encoded
from .art.moods import mood_of
from .art.restyle import centre_mask, style_of, toned_like
from .art.scenery import scenery
from .art.sizes import cover, frame
from .order import Order

Picture = Image.Image
#: How much of a style is left at full fidelity.
FAINTEST = 0.3


def paint(order: Order, pictures: Sequence[Picture]) -> list[bytes]:
    """``order.n`` pictures that differ, marked and encoded as ``order.format``. ``pictures`` are RGB, in the
    order of ``order.roles``."""
    return [encoded(PAINTED[order.operation](order, pictures, index), order.format) for index in range(order.n)]


def _text(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    size = frame(order.ratio, order.resolution, None)
    return caption(scenery(mood_of(order.prompt, index), size, _seed(order, index)), order.prompt)


def _image(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    size = frame(order.ratio, order.resolution, pictures[0].size)
    mood = mood_of(order.prompt, index)
    original = cover(pictures[0], size)
    styled = style_of(order.prompt, _seed(order, 0))(original, mood)
    blended = Image.blend(styled, original, order.fidelity * (1 - FAINTEST))
    if order.reference:
        blended = Image.composite(original, blended, centre_mask(size, order.human_fidelity))
    return blended


def _restyle(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    return style_of(order.prompt, _seed(order, 0))(pictures[0], mood_of(order.prompt, index))


def _edit(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    size = frame(order.ratio, order.resolution, pictures[0].size)
    ground = tinted(cover(pictures[0], size), mood_of(order.prompt, index), 0.55)
    return caption(badges_on(ground, pictures[1:]), order.prompt)


def _multi(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    size = frame(order.ratio, order.resolution, None)
    played = dict(zip(order.roles, pictures, strict=True))
    subjects = [picture for role, picture in zip(order.roles, pictures, strict=True) if role == "subject"]
    seed = _seed(order, index)
    if "scene" in played:
        ground = tinted(cover(played["scene"], size), mood_of(order.prompt, index), 0.15)
    else:
        ground = scenery(mood_of(order.prompt, index), size, seed)
    made = cards_on(ground, subjects, seed)
    if "style" in played:
        made = Image.blend(made, toned_like(made, played["style"]), 0.75)
    return caption(made, order.prompt)


def _expand(order: Order, pictures: Sequence[Picture], index: int) -> Picture:
    sides = margins(pictures[0].size, order.up, order.down, order.left, order.right)
    return expanded(pictures[0], sides, mood_of(order.prompt, index), index)


PAINTED: dict[str, Callable[[Order, Sequence[Picture], int], Picture]] = {
    "text": _text, "image": _image, "restyle": _restyle, "edit": _edit, "multi": _multi, "expand": _expand,
}  # fmt: skip


def _seed(order: Order, index: int) -> int:
    """Of one picture of one order: two orders of the same words look different, as a model's would."""
    return int.from_bytes(hashlib.sha256(f"{order.salt}/{index}".encode()).digest()[:6], "big")
