"""The five things a Kling image model can do, as the nodes show them.

Names, order, ranges and defaults are the pack's public contract: saved workflows rely on them.
New inputs are appended and optional; values of a choice are never removed.
"""

from __future__ import annotations

from dataclasses import dataclass

from .fields import Choice, Field, Number, Pictures, Text

RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
AUTO = "auto"
OFF = "off"
CENTER = "center"
SIDES = ("up", "down", "left", "right")
EXPANSION_RATIOS = tuple(f"{side}_expansion_ratio" for side in SIDES)
COMMON = ("provider", "resolution", "n", "negative_prompt", "seed", "wait")
LARGEST_EXPANSION = 3.0
"""New area over old area (docs of apimodels: "Total area <= 3x original")."""


@dataclass(frozen=True)
class Operation:
    """One generating node. `layout` is the order of what stands before the common inputs.

    `fields` describe the picture that is wanted and belong to a request's identity; `count` is
    paid for; the seed only asks for a new picture.
    """

    name: str
    node_id: str
    title: str
    description: str
    layout: tuple[str, ...]
    models: tuple[str, ...]
    fields: tuple[Field, ...]
    pictures: tuple[Pictures, ...] = ()
    has_mask: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Input names in the node's order: the layout with roles opened into sockets, then common ones."""
        roles = {role.name: role.sockets for role in self.pictures}
        own = [socket for name in self.layout for socket in roles.get(name, (name,))]
        known = {field.name for field in self.fields} | {"provider", "seed", "wait"}
        return (*own, *(name for name in COMMON if name in known))

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    @property
    def has_auto_ratio(self) -> bool:
        return any(isinstance(field, Choice) and AUTO in field.options for field in self.fields)


def _prompt(tooltip: str, required: bool = True) -> Text:
    return Text("prompt", f"{tooltip} English or Chinese, at most {Text.longest} characters.", required=required)


def _ratio(default: str, options: tuple[str, ...]) -> Choice:
    tip = "Shape of the picture, width to height: 16:9 for screens, 1:1 for avatars, 9:16 for phones and posters."
    if AUTO in options:
        tip += " auto follows the input picture."
    return Choice("aspect_ratio", tip, options, default)


RESOLUTION = Choice(
    "resolution",
    "1k is the standard size, 2k the large one. Where a model has only 1k, that is sent and the report says so.",
    ("1k", "2k"),
    "1k",
)
COUNT = Number(
    "n",
    "How many pictures each task makes, 1 to 9. Every one is paid for: 4 cost four times the price.",
    1,
    9,
    1,
    step=1,
    whole=True,
)
NEGATIVE = Text(
    "negative_prompt",
    "What the picture should not show, such as lettering or a crowd. Where a model has no such field, it is not sent "
    "and the report says so.",
)
SEED = Number(
    "seed",
    "Change it to ask, and pay, for a new picture. The same inputs with the same seed are never paid twice: the "
    "picture you have is used again. The provider does not see it.",
    0,
    2**64 - 1,
    0,
    step=1,
    whole=True,
)
REFERENCE = Choice(
    "image_reference",
    "What must stay recognisable. subject: pose, outline and arrangement. face: the features of one face. "
    "none: neither.",
    ("none", "subject", "face"),
    "subject",
)
IMAGE_FIDELITY = Number(
    "image_fidelity",
    "How much of the input picture is kept: 0 leaves the model free, 1 stays closest; 0.6 to 0.8 is a balanced change.",
    0,
    1,
    0.5,
)
HUMAN_FIDELITY = Number(
    "human_fidelity",
    "How much of a person's features is kept: near 1 for recognisable portraits, 0.3 to 0.5 for stylised or "
    "non-human figures. Some providers take it only with image_reference subject.",
    0,
    1,
    0.45,
)
FORMAT = Choice(
    "output_format",
    "File that the provider makes: png loses nothing, jpeg and webp are smaller to fetch.",
    ("png", "jpeg", "webp"),
    "png",
)
TARGET = Choice(
    "target_aspect",
    "Reaches this shape by itself: the four ratios are worked out and the numbers above are not used. "
    "off: the numbers count.",
    (OFF, *RATIOS),
    OFF,
)
ANCHOR = Choice(
    "anchor",
    "Where the original stays when target_aspect is set: center grows both sides alike, left keeps it at the left "
    "edge and grows to the right.",
    (CENTER, "top", "bottom", "left", "right"),
    CENTER,
)


def _expansion(side: str) -> Number:
    where = {"up": "above", "down": "below", "left": "to the left", "right": "to the right"}[side]
    measure = "height" if side in ("up", "down") else "width"
    tip = (
        f"How much is painted {where}, as a share of the picture's {measure}: 0.5 adds half, 2 is the most. "
        f"The whole new area is at most {LARGEST_EXPANSION:g} times the old."
    )
    return Number(f"{side}_expansion_ratio", tip, 0, 2, 0)


OPERATIONS = (
    Operation(
        "text",
        "KlingT2I",
        "Kling Text to Image",
        "Makes pictures from a text.",
        ("prompt", "model", "aspect_ratio"),
        ("kling-v3", "kling-v2-1", "kling-v2", "kling-image-o1"),
        (
            _prompt("What the picture should show: subject, place, light and style, the more exact the better."),
            _ratio("16:9", RATIOS),
            RESOLUTION,
            COUNT,
            NEGATIVE,
        ),
    ),
    Operation(
        "image",
        "KlingI2I",
        "Kling Image to Image",
        "Makes a new picture after an input picture and a text. A batch of pictures is one task each.",
        ("image", "prompt", "model", "image_reference", "image_fidelity", "human_fidelity", "aspect_ratio"),
        ("kling-v1-5", "kling-v2", "kling-v2-new", "kling-v3"),
        (
            _prompt("The picture you want, not the one you give: new style, subject and surroundings."),
            REFERENCE,
            IMAGE_FIDELITY,
            HUMAN_FIDELITY,
            _ratio(AUTO, (AUTO, *RATIOS)),
            RESOLUTION,
            COUNT,
            NEGATIVE,
        ),
        (
            Pictures(
                "image",
                "The picture to start from, clear and well lit; a batch is one task each.",
                1,
                each_is_a_task=True,
            ),
        ),
    ),
    Operation(
        "edit",
        "KlingO1Edit",
        "Kling O1 Edit",
        "Edits and combines up to ten pictures that the prompt calls @Image1, @Image2 and so on.",
        ("prompt", "image", "model", "aspect_ratio", "output_format"),
        ("kling-image-o1",),
        (
            _prompt(
                "What to change and what to keep. Call the pictures @Image1, @Image2 … in the order of the sockets "
                "(@Image when there is only one)."
            ),
            _ratio(AUTO, (AUTO, *RATIOS)),
            FORMAT,
            RESOLUTION,
            COUNT,
        ),
        (Pictures("image", "A picture the prompt can name; a batch counts as several.", 1, 10, numbered=True),),
    ),
    Operation(
        "multi-image",
        "KlingMultiImage",
        "Kling Multi-Image",
        "Puts up to four subjects together, with a scene and a style if wanted.",
        ("prompt", "subject_image", "scene_image", "style_image", "model", "aspect_ratio"),
        ("kling-v2-1", "kling-v2"),
        (
            _prompt("How the subjects, the scene and the style come together. May be left empty.", required=False),
            _ratio("16:9", RATIOS),
            COUNT,
        ),
        (
            Pictures(
                "subject_image", "A subject, seen clearly and whole; a batch counts as several.", 1, 4, numbered=True
            ),
            Pictures("scene_image", "The place the subjects are put in; one picture."),
            Pictures("style_image", "The style the picture is made in: palette, brush, mood; one picture."),
        ),
    ),
    Operation(
        "expand",
        "KlingExpand",
        "Kling Expand",
        "Paints beyond the edges of a picture; the mask shows what is new. A batch is one task each.",
        ("image", "prompt", *EXPANSION_RATIOS, "target_aspect", "anchor", "model"),
        ("kling-expand",),
        (
            _prompt(
                "What to paint in the new parts. May be left empty: then the picture simply goes on.", required=False
            ),
            *(_expansion(side) for side in SIDES),
            TARGET,
            ANCHOR,
            COUNT,
        ),
        (Pictures("image", "The picture to expand; a batch is one task each.", 1, each_is_a_task=True),),
        has_mask=True,
    ),
)


def operation(name: str) -> Operation:
    """The operation of this name. Raises StopIteration for an unknown one."""
    return next(op for op in OPERATIONS if op.name == name)
