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


def _prompt(required: bool = True, more: str = "") -> Text:
    tip = "What the picture should show: subject, setting, light, style. English or Chinese."
    return Text("prompt", tip + more, required=required)


def _ratio(default: str, options: tuple[str, ...]) -> Choice:
    tip = "Shape of the picture, width to height."
    if AUTO in options:
        tip += " auto follows the input picture."
    return Choice("aspect_ratio", tip, options, default)


RESOLUTION = Choice("resolution", "1k is about 1024 pixels on the long side, 2k twice that.", ("1k", "2k"), "1k")
COUNT = Number("n", "Pictures for each task. Every one is paid for.", 1, 9, 1, step=1, whole=True)
NEGATIVE = Text("negative_prompt", "What the picture should not show.")
SEED = Number(
    "seed",
    "Change it to ask, and pay, for a new picture. The same seed with the same inputs is never paid twice.",
    0,
    2**64 - 1,
    0,
    step=1,
    whole=True,
)
FIDELITY_TIP = "How closely the result keeps to the input: 0 is free, 1 is closest; 0.6 to 0.8 is balanced."
HUMAN_TIP = "How closely a person's features are kept; 0.3 to 0.5 suits stylised pictures, near 1 portraits."
REFERENCE_TIP = "What is taken from the picture: the subject's pose and shape, one face, or neither."
EXPANSION_TIP = "New height above and below, or width left and right, as a share of the original."

OPERATIONS = (
    Operation(
        "text",
        "KlingT2I",
        "Kling Text to Image",
        "Makes pictures from a text.",
        ("prompt", "model", "aspect_ratio"),
        ("kling-v3", "kling-v2-1", "kling-v2", "kling-image-o1"),
        (_prompt(), _ratio("16:9", RATIOS), RESOLUTION, COUNT, NEGATIVE),
    ),
    Operation(
        "image",
        "KlingI2I",
        "Kling Image to Image",
        "Makes a new picture after an input picture and a text. A batch of pictures is one task each.",
        ("image", "prompt", "model", "image_reference", "image_fidelity", "human_fidelity", "aspect_ratio"),
        ("kling-v1-5", "kling-v2", "kling-v2-new", "kling-v3"),
        (
            _prompt(),
            Choice("image_reference", REFERENCE_TIP, ("none", "subject", "face"), "subject"),
            Number("image_fidelity", FIDELITY_TIP, 0, 1, 0.5),
            Number("human_fidelity", HUMAN_TIP, 0, 1, 0.45),
            _ratio(AUTO, (AUTO, *RATIOS)),
            RESOLUTION,
            COUNT,
            NEGATIVE,
        ),
        (Pictures("image", "The picture to start from; a batch is one task each.", 1, each_is_a_task=True),),
    ),
    Operation(
        "edit",
        "KlingO1Edit",
        "Kling O1 Edit",
        "Edits and combines up to ten pictures that the prompt calls @Image1, @Image2 and so on.",
        ("prompt", "image", "model", "aspect_ratio", "output_format"),
        ("kling-image-o1",),
        (
            _prompt(more=" Call the pictures @Image1, @Image2 … in the order of the sockets."),
            _ratio(AUTO, (AUTO, *RATIOS)),
            Choice("output_format", "File format that the provider makes.", ("png", "jpeg", "webp"), "png"),
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
        (_prompt(required=False), _ratio("16:9", RATIOS), COUNT),
        (
            Pictures("subject_image", "A subject of the new picture.", 1, 4, numbered=True),
            Pictures("scene_image", "The place the subjects are put in."),
            Pictures("style_image", "The style the picture is made in."),
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
            _prompt(required=False),
            *(Number(name, EXPANSION_TIP, 0, 2, 0) for name in EXPANSION_RATIOS),
            Choice("target_aspect", "Sets the four ratios to reach this shape.", (OFF, *RATIOS), OFF),
            Choice(
                "anchor",
                "Where the original stays in the new frame when target_aspect is set.",
                (CENTER, "top", "bottom", "left", "right"),
                CENTER,
            ),
            COUNT,
        ),
        (Pictures("image", "The picture to expand; a batch is one task each.", 1, each_is_a_task=True),),
        has_mask=True,
    ),
)


def operation(name: str) -> Operation:
    """The operation of this name. Raises StopIteration for an unknown one."""
    return next(op for op in OPERATIONS if op.name == name)
