"""Writes the tables of models in the help pages from the catalogue, and the English copies; `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pack import ROOT, load_pack
from readme_tables import filled

import locales

HELP = ROOT / "web" / "docs"


@dataclass(frozen=True)
class Words:
    """What a table says in one language; names in braces are filled in."""

    language: str
    head: tuple[str, ...]
    between: str
    after: str
    missing: str
    offered: str
    only_with: str
    at_most: str
    price_unknown: str
    credits: str


ENGLISH = Words(
    language="en",
    head=("model", "provider", "one picture", "what it leaves out"),
    between=", ",
    after="; ",
    missing="no {names}",
    offered="{name} only {values}",
    only_with="{name} only with {other} {value}",
    at_most="only {count} {name}",
    price_unknown="price unknown",
    credits=" credits",
)
CHINESE = Words(
    language="zh",
    head=("模型", "服务商", "每张价格", "不支持"),
    between="、",
    after="；",
    missing="无{names}",
    offered="{name}仅 {values}",
    only_with="{name}仅在{other}为 {value} 时可用",
    at_most="仅 {count} 张{name}",
    price_unknown="价格未知",
    credits=" 点数",
)


def page(node: str, words: Words) -> Path:
    """The file that the editor opens for a node in a language: English is what others fall back to."""
    return HELP / f"{node}.md" if words is ENGLISH else HELP / node / f"{words.language}.md"


def offers_table(node: str, words: Words) -> str:
    """One row an offer of the node's models."""
    from kling_pack.catalog import models, operations, prices

    operation = next(operation for operation in operations.OPERATIONS if operation.node_id == node)
    names = {name: told["name"] for name, told in locales.read(words.language, "nodeDefs.json")[node]["inputs"].items()}
    offers = [(name, offer) for name in operation.models for offer in models.model(operation.name, name).offers]
    # What no offer takes, such as target_aspect, the pack works out itself.
    sent = [field for field in operation.fields if any(field.name in offer.wires for _, offer in offers)]
    rows = ["| " + " | ".join(words.head) + " |", "|---" * len(words.head) + "|"]
    for name, offer in offers:
        price = prices.shown(offer.price).replace(prices.UNKNOWN, words.price_unknown)
        lacks = words.after.join((*_lacks(sent, offer, names, words), *_room(operation, offer, names, words)))
        rows.append(f"| `{name}` | {offer.provider} | {price.replace(' credits', words.credits)} | {lacks} |")
    return "\n".join(rows)


def _lacks(fields: list[Any], offer: Any, names: dict[str, str], words: Words) -> Iterator[str]:
    """What of the node's values this offer does not have."""
    absent = [names[field.name] for field in fields if field.name not in offer.wires]
    if absent:
        yield words.missing.format(names=words.between.join(absent))
    for field in fields:
        wire = offer.wires.get(field.name)
        if wire is None:
            continue
        if wire.only_with:
            other, value = wire.only_with
            yield words.only_with.format(name=names[field.name], other=names[other], value=value)
        # A ratio of auto is always met, by the nearest of the others.
        wanted = [option for option in getattr(field, "options", ()) if option not in ("auto", "none")]
        offered = [option for option in wanted if wire.values is None or option in wire.values]
        if offered != wanted:
            yield words.offered.format(name=names[field.name], values=words.between.join(offered))


def _room(operation: Any, offer: Any, names: dict[str, str], words: Words) -> Iterator[str]:
    """Where this offer takes fewer pictures than the node."""
    for role in operation.pictures:
        wire = offer.wires.get(role.name)
        if wire is not None and wire.at_most is not None and wire.at_most < role.at_most:
            name = names[role.sockets[0]].rstrip("_ 1")
            yield words.at_most.format(count=wire.at_most, name=name)


def expected() -> dict[Path, str]:
    """Every help page that is made, or holds a table, as it should read."""
    load_pack()
    from kling_pack.catalog.operations import OPERATIONS

    pages = {}
    for operation in OPERATIONS:
        for words in (ENGLISH, CHINESE):
            file, table = page(operation.node_id, words), offers_table(operation.node_id, words)
            pages[file] = filled(file.read_text("utf-8"), "offers", table)
    fallbacks = {file.stem: pages.get(file, file.read_text("utf-8")) for file in HELP.glob("*.md")}
    # The editor asks for the English page under this name first, and logs an error where it is missing.
    return pages | {HELP / node / "en.md": text for node, text in fallbacks.items()}


def main() -> int:
    wrong = {file: text for file, text in expected().items() if not file.exists() or file.read_text("utf-8") != text}
    if "--check" in sys.argv[1:]:
        for file in wrong:
            sys.stderr.write(
                f"{file.relative_to(ROOT)} differs from the catalogue: run python scripts/help_tables.py\n"
            )
        return int(bool(wrong))
    for file, text in wrong.items():
        file.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
