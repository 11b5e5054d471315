"""Every model, who offers it, under which names and at what price: one row each.

Sources: the providers' own pages. EachLabs: model pages kling-v1-5-img-to-img and kling-o1. Modellix: page
kling-v1.5-i2i and docs.modellix.ai/kling/*. apimodels: apimodels.app/en/docs/kling-image. What a page leaves
out is said beside the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .fields import Value
from .operations import AUTO, EXPANSION_RATIOS, RATIOS
from .prices import Price, credits, dollars

PROVIDERS = ("eachlabs", "modellix", "apimodels")
"""Every provider, in the order that `auto` falls back to and that each row lists its offers in."""


@dataclass(frozen=True)
class Wire:
    """How one of our fields is spelled at a provider.

    `values` maps our values to theirs and is all they offer; None takes any value as it is. `only_with`
    names a field and the value it must have for this one to be sent. `at_most` bounds pictures.
    """

    name: str
    values: Mapping[str, Value] | None = None
    only_with: tuple[str, str] | None = None
    at_most: int | None = None


@dataclass(frozen=True)
class Offer:
    """One provider's way to run one model. `fixed` are constants that go with every request.

    `seconds` is how long a task takes where the ledger knows none yet. `version` is the provider's
    version of the model where its API wants one.
    """

    provider: str
    wire_model: str
    wires: Mapping[str, Wire]
    price: Price | None = None
    fixed: Mapping[str, Value] = field(default_factory=dict)
    version: str | None = None
    seconds: float = 20.0


@dataclass(frozen=True)
class Model:
    """A row. `retired` is (date, successor) once a provider's page says the model goes."""

    operation: str
    name: str
    offers: tuple[Offer, ...]
    retired: tuple[str, str] | None = None


def _same(*names: str) -> dict[str, Wire]:
    return {name: Wire(name) for name in names}


def _only(name: str, *values: str) -> dict[str, Wire]:
    return {name: Wire(name, {value: value for value in values})}


EIGHT = _only("aspect_ratio", *RATIOS)
EIGHT_AND_AUTO = _only("aspect_ratio", *RATIOS, AUTO)
ONE_K = _only("resolution", "1k")
TWO_K = _only("resolution", "1k", "2k")
REFERENCE = _only("image_reference", "subject", "face")

# human_fidelity: "Only available when image_reference='subject'" (page kling-v1.5-i2i).
MODELLIX_V1_5 = {
    **_same("prompt", "image", "image_fidelity", "n"),
    **REFERENCE,
    "human_fidelity": Wire("human_fidelity", only_with=("image_reference", "subject")),
    **EIGHT,
    **ONE_K,
}
# The page of kling-v3-t2i is not known; taken to be as kling-v2.1-t2i, which it follows.
MODELLIX_TEXT = {**_same("prompt", "negative_prompt", "n"), **EIGHT, **TWO_K}
MODELLIX_V3_IMAGE = {**_same("prompt", "image", "n"), **EIGHT, **TWO_K}
MODELLIX_O1 = {
    **_same("prompt", "n"),
    "image": Wire("image_list", at_most=10),
    **EIGHT_AND_AUTO,
    **TWO_K,
}
# The known part of the page stops before aspect_ratio; Kling's own multi-image API has it, and the page
# names negative_prompt and resolution alone as absent.
MODELLIX_MULTI = {
    **_same("prompt", "scene_image", "style_image", "n"),
    "subject_image": Wire("subject_images", at_most=4),
    **EIGHT,
}
# n is on Kling's own page of this API and is not among the fields Modellix calls absent.
MODELLIX_EXPAND = _same("prompt", "image", *EXPANSION_RATIOS, "n")

# apimodels marks "(1K/2K)" on V3 and O1; Kling's price list and Modellix give V2 and V2.1 2k for text too.
APIMODELS_TEXT = {**_same("prompt", "negative_prompt", "n"), **EIGHT, **TWO_K}
APIMODELS_RESTYLE = {
    **_same("prompt", "negative_prompt", "image_fidelity", "human_fidelity", "n"),
    "image": Wire("image_url"),
    **REFERENCE,
}
APIMODELS_V2_IMAGE = {**APIMODELS_RESTYLE, **EIGHT, **ONE_K}
APIMODELS_V3_IMAGE = {**APIMODELS_RESTYLE, **EIGHT, **TWO_K}
# Multi-image editing is promised on the page, but no field for more than one picture is.
APIMODELS_EDIT = {**_same("prompt", "n"), "image": Wire("image_url", at_most=1), **EIGHT, **TWO_K}
APIMODELS_MULTI = {
    **_same("prompt", "scene_image", "style_image", "n"),
    "subject_image": Wire("subject_image_list", at_most=4),
    **EIGHT,
}
APIMODELS_EXPAND = {**_same("prompt", *EXPANSION_RATIOS, "n"), "image": Wire("image_url")}

EACHLABS_V1_5 = {
    **_same("prompt", "image", "image_fidelity", "human_fidelity"),
    **REFERENCE,
    **EIGHT,
    "n": Wire("number_of_images"),
}
EACHLABS_O1 = {
    **_same("prompt"),
    "image": Wire("image_urls", at_most=10),
    **EIGHT_AND_AUTO,
    **_only("output_format", "png", "jpeg", "webp"),
    "resolution": Wire("resolution", {"1k": "1K", "2k": "2K"}),
    "n": Wire("num_images"),
}

MODELS = (
    Model(
        "text",
        "kling-v3",
        (
            Offer("modellix", "kling-v3-t2i", MODELLIX_TEXT),
            Offer("apimodels", "kling-v3-image", APIMODELS_TEXT, credits("0.151")),
        ),
    ),
    Model(
        "text",
        "kling-v2-1",
        (
            Offer("modellix", "kling-v2.1-t2i", MODELLIX_TEXT),
            Offer("apimodels", "kling-v2-1", APIMODELS_TEXT, credits("0.076")),
        ),
    ),
    Model(
        "text",
        "kling-v2",
        (
            Offer("modellix", "kling-v2-t2i", MODELLIX_TEXT),
            Offer("apimodels", "kling-v2", APIMODELS_TEXT, credits("0.076")),
        ),
    ),
    Model(
        "text",
        "kling-image-o1",
        (
            Offer("modellix", "kling-image-o1", {**_same("prompt", "n"), **EIGHT, **TWO_K}),
            Offer("apimodels", "kling-image-o1", APIMODELS_TEXT, credits("1.80")),
        ),
    ),
    Model(
        "image",
        "kling-v1-5",
        (
            Offer(
                "eachlabs",
                "kling-v1-5-img-to-img",
                EACHLABS_V1_5,
                fixed={"model": "kling-v1-5"},
                version="0.0.1",
                seconds=50,
            ),
            Offer("modellix", "kling-v1.5-i2i", MODELLIX_V1_5),
        ),
    ),
    Model("image", "kling-v2", (Offer("apimodels", "kling-v2", APIMODELS_V2_IMAGE, credits("0.151")),)),
    Model("image", "kling-v2-new", (Offer("apimodels", "kling-v2-new", APIMODELS_RESTYLE, credits("0.151")),)),
    Model(
        "image",
        "kling-v3",
        (
            Offer("modellix", "kling-v3-i2i", MODELLIX_V3_IMAGE),
            Offer("apimodels", "kling-v3-image", APIMODELS_V3_IMAGE, credits("0.151")),
        ),
    ),
    Model(
        "edit",
        "kling-image-o1",
        (
            Offer("eachlabs", "kling-o1", EACHLABS_O1, dollars("0.028")),
            Offer("modellix", "kling-image-o1", MODELLIX_O1),
            Offer("apimodels", "kling-image-o1", APIMODELS_EDIT, credits("1.80")),
        ),
    ),
    Model(
        "multi-image",
        "kling-v2-1",
        (
            Offer("modellix", "kling-v2.1-mi2i", MODELLIX_MULTI),
            Offer(
                "apimodels",
                "kling-multi-image",
                APIMODELS_MULTI,
                credits("0.302"),
                fixed={"multi_model_name": "kling-v2-1"},
            ),
        ),
    ),
    Model(
        "multi-image",
        "kling-v2",
        (
            Offer("modellix", "kling-v2-mi2i", MODELLIX_MULTI),
            Offer(
                "apimodels",
                "kling-multi-image",
                APIMODELS_MULTI,
                credits("0.302"),
                fixed={"multi_model_name": "kling-v2"},
            ),
        ),
    ),
    Model(
        "expand",
        "kling-expand",
        (
            Offer("modellix", "kling-image-expansion", MODELLIX_EXPAND),
            Offer("apimodels", "kling-expand", APIMODELS_EXPAND, credits("0.151")),
        ),
    ),
)


def model(operation: str, name: str) -> Model:
    """The row of this operation and model. Raises StopIteration for one that does not exist."""
    return next(row for row in MODELS if (row.operation, row.name) == (operation, name))
