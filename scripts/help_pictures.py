"""The picture of each help page: what an example gave to the node, and what came out. Narrow, as the help panel is."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contact_sheet import BACKGROUND, INK
from pack import ROOT
from PIL import Image, ImageDraw, ImageFont, ImageOps

TARGET = ROOT / "web" / "docs"
EXAMPLES = {
    "KlingT2I": "text_to_image",
    "KlingI2I": "image_to_image",
    "KlingO1Edit": "o1_edit",
    "KlingMultiImage": "multi_image",
    "KlingExpand": "expand",
    "KlingPoll": "collect_later",
}
WIDTH = 720
GAP = 18
INPUT_HEIGHT = 220
RESULT_HEIGHT = 440
LABEL = 34
FONT = 24
LABEL_FONT = 20
LETTERS = 46
QUALITY = 84
PAPER = (44, 47, 54)


@dataclass(frozen=True)
class Part:
    """One thing with its name below it: a picture, or a text such as a prompt."""

    name: str
    shown: Path | str


def make(workflow: Mapping[str, Any], node_type: str, handle: str, inputs: Path, results: Sequence[Path]) -> None:
    """Stores the picture of a node's help page.

    `inputs` is ComfyUI's folder of input pictures; `results` are what the example saved, or previewed, in this order.
    """
    node = next(node for node in workflow["nodes"] if node["type"] == node_type)
    given = _given(workflow, node, inputs) or [Part("task", handle) if node_type == "KlingPoll" else _prompt(node)]
    made = [Part(name, file) for name, file in zip(("images", "mask"), results, strict=False)]
    if node_type != "KlingExpand":
        made = made[:1]
    with Image.open(results[0]) as result:
        beside = result.height > result.width
    rows = [(given, INPUT_HEIGHT), *(([part], RESULT_HEIGHT) for part in made)]
    rows = [([*given, *made], RESULT_HEIGHT)] if beside else rows
    _stack([_row(parts, height) for parts, height in rows], TARGET / f"{node_type}.jpg")


def _given(workflow: Mapping[str, Any], node: Mapping[str, Any], inputs: Path) -> list[Part]:
    """The pictures connected to the node, in the order of its sockets."""
    origins = {link[0]: link[1] for link in workflow["links"]}
    loaded = {one["id"]: one["widgets_values"][0] for one in workflow["nodes"] if one["type"] == "LoadImage"}
    sockets = [(socket["name"], origins.get(socket.get("link"))) for socket in node["inputs"]]
    return [Part(name, inputs / loaded[origin]) for name, origin in sockets if origin in loaded]


def _prompt(node: Mapping[str, Any]) -> Part:
    return Part("prompt", str(node["widgets_values"][0]))


def _row(parts: Sequence[Part], height: int) -> Image.Image:
    """The parts side by side, each as large as its share of the width allows, with their names."""
    share = (WIDTH - GAP * (len(parts) + 1)) // len(parts)
    pictures = [_picture(part.shown, (share, height)) for part in parts]
    tallest = max(picture.height for picture in pictures)
    row = Image.new("RGB", (WIDTH, tallest + LABEL), BACKGROUND)
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(LABEL_FONT)
    for place, (part, picture) in enumerate(zip(parts, pictures, strict=True)):
        middle = GAP + place * (share + GAP) + share // 2
        row.paste(picture, (middle - picture.width // 2, tallest - picture.height))
        draw.text((middle, tallest + 4), part.name, INK, font, anchor="ma")
    return row


def _picture(shown: Path | str, room: tuple[int, int]) -> Image.Image:
    if isinstance(shown, Path):
        with Image.open(shown) as opened:
            return ImageOps.contain(opened.convert("RGB"), room, Image.Resampling.LANCZOS)
    font, lines = ImageFont.load_default(FONT), "\n".join(textwrap.wrap(shown, LETTERS))
    paper = Image.new("RGB", (room[0], round(FONT * 1.35 * (lines.count("\n") + 1)) + 2 * GAP), PAPER)
    ImageDraw.Draw(paper).multiline_text((GAP, GAP), lines, INK, font, spacing=8)
    return paper


def _stack(rows: Sequence[Image.Image], target: Path) -> None:
    whole = Image.new("RGB", (WIDTH, GAP + sum(row.height + GAP for row in rows)), BACKGROUND)
    top = GAP
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height + GAP
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.save(target, quality=QUALITY, optimize=True)
