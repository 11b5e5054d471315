"""The cases that the editor's JavaScript is tested on too: what the pack itself says about each of them.

`STORE_SNAPSHOT=1` writes `shared_cases.json` anew; the tests of `web/` read it.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kling_pack.catalog.frames import Expansion, Picture, expansion_to
from kling_pack.catalog.models import MODELS, PROVIDERS
from kling_pack.catalog.operations import EXPANSION_RATIOS, LARGEST_EXPANSION, RATIOS, operation
from kling_pack.catalog.references import check_references
from kling_pack.catalog.request import Request, build_requests
from kling_pack.errors import InputError, KlingError
from kling_pack.jobs.route import candidates, price_of
from kling_pack.jobs.settings import load_settings
from kling_pack.nodes.views import catalog

STORED = Path(__file__).with_name("shared_cases.json")
SIZES = ((1024, 1024), (1000, 400), (777, 1301), (1920, 1080))
ANCHORS = ("center", "top", "bottom", "left", "right")
PICTURES = tuple(Picture(1024, 768, str(number)) for number in range(4))

PROMPTS = ("no name", "@Image1 on @image2", "@Image", "@Image0", "@Image3", "@IMAGE02", "mail@image1.example @Images")
REASONS = {"is empty while": "gap", "stands for a single": "which", "no picture is sent": "none", "there ": "beyond"}

VALUES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "text": ({}, {"negative_prompt": "fog", "resolution": "2k"}, {"n": 4}),
    "image": (
        {},
        {"resolution": "2k", "aspect_ratio": "21:9"},
        {"image_reference": "face", "human_fidelity": 0.9},
        {"image_reference": "none", "image_fidelity": 0.2, "negative_prompt": "fog"},
    ),
    "edit": ({}, {"output_format": "webp"}, {"resolution": "2k", "aspect_ratio": "3:2"}),
    "multi-image": ({}, {"n": 9}),
    "expand": ({"target_aspect": "21:9", "anchor": "left"}, {"left_expansion_ratio": 0.5}),
}
KEYS = ((), ("modellix",), PROVIDERS)
KINDS = {"has no such field": "no field", "takes it only with": "only with", "the nearest that": "nearest"}
PROBLEMS = {
    "does not offer": "not offered",
    "has no key": "no key",
    "No provider with a key": "nobody",
    "takes at most": "too many",
}


def frames() -> Iterator[dict[str, Any]]:
    for (width, height), target, anchor in itertools.product(SIZES, RATIOS, ANCHORS):
        case: dict[str, Any] = {"target": target, "anchor": anchor, "width": width, "height": height}
        try:
            grown = expansion_to(target, anchor, Picture(width, height, ""))
        except InputError as error:
            yield case | {"problem": "beyond" if "at most" in str(error) else "there already"}
        else:
            yield case | {"ratios": [grown.up, grown.down, grown.left, grown.right], "area": grown.area}


def expansions() -> Iterator[dict[str, Any]]:
    for ratios in itertools.product((0.0, 0.5, 1.0), repeat=4):
        try:
            Expansion(*ratios).check()
        except InputError as error:
            yield {"ratios": ratios, "problem": "nothing" if "nothing to paint" in str(error) else "beyond"}
        else:
            yield {"ratios": ratios, "problem": None}


def references() -> Iterator[dict[str, Any]]:
    for prompt, pictures, gap in itertools.product(PROMPTS, (0, 1, 2), (None, "image_1")):
        why = None
        try:
            check_references(prompt, pictures, gap)
        except InputError as error:
            why = next(reason for words, reason in REASONS.items() if words in str(error))
        yield {"prompt": prompt, "pictures": pictures, "gap": gap, "why": why}


def choices(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for keys in KEYS:
        for name in PROVIDERS:
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "key-0123456789" if name in keys else "")
        settings = load_settings(home)
        sandboxed = settings.auto_means_sandbox(from_editor=True)
        for row, provider in itertools.product(MODELS, ("auto", *PROVIDERS, "sandbox")):
            for values, count in itertools.product(VALUES[row.operation], (1, 2)):
                given = {"prompt": "a pier", "model": row.name, "provider": provider, **values}
                request = requested(row.operation, given, count)
                if request is None:
                    continue
                case = {"keys": list(keys), "auto_is_sandbox": sandboxed, "operation": row.operation}
                sent = {role: len(pictures) for role, pictures in request.pictures.items()}
                case |= {"values": given, "pictures": sent}
                try:
                    order = candidates(request, settings, sandboxed)[0]
                except KlingError as error:
                    yield case | {"problem": next(why for words, why in PROBLEMS.items() if words in str(error))}
                    continue
                price = price_of(order, settings.prices)
                yield case | {
                    "provider": order.offer.provider,
                    "sandbox": order.provider == "sandbox",
                    "changes": [changed(change) for change in order.changes],
                    "price": None if price is None else str(price.times(request.count)),
                }


def requested(name: str, given: Mapping[str, Any], count: int) -> Request | None:
    """The first request of a run with `count` pictures in its first role, or None where that is the same run."""
    made_by = operation(name)
    if count > 1 and not any(role.numbered for role in made_by.pictures):
        return None
    sockets = {
        socket: [picture]
        for role in made_by.pictures[:1]
        for socket, picture in zip(role.sockets[:count], PICTURES, strict=False)
    }
    return build_requests(made_by, given, sockets)[0]


def without_words(told: Any) -> Any:
    """What the route tells, without tooltips: they may be put in other words at any time."""
    if isinstance(told, dict):
        return {name: without_words(part) for name, part in told.items() if name != "tooltip"}
    return [without_words(part) for part in told] if isinstance(told, list | tuple) else told


def changed(change: str) -> list[str]:
    return [change.split(" ")[0], next(kind for words, kind in KINDS.items() if words in change)]


def test_the_editor_is_tested_on_what_the_pack_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(tmp_path)
    cases = {
        "limits": {"area": LARGEST_EXPANSION, "ratios": RATIOS, "sides": EXPANSION_RATIOS},
        "catalog": without_words(catalog(settings)),
        "frames": list(frames()),
        "expansions": list(expansions()),
        "references": list(references()),
        "choices": list(choices(tmp_path, monkeypatch)),
    }
    lines = [f'"{name}": {written(part)}' for name, part in cases.items()]
    told = "{\n" + ",\n".join(lines) + "\n}\n"
    if os.environ.get("STORE_SNAPSHOT"):
        STORED.write_text(told, "utf-8")
    assert json.loads(told) == json.loads(STORED.read_text("utf-8")), "run this test once with STORE_SNAPSHOT=1"


def written(part: Any) -> str:
    """One line for each case, so that a change of one is one line."""
    if not isinstance(part, list):
        return json.dumps(part, ensure_ascii=False, separators=(",", ":"))
    return "[\n" + ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in part) + "\n]"
