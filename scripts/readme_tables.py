"""Writes the tables of nodes and models in README.md from the catalogue; `--check` only says whether they are true."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

from pack import ROOT, load_pack

README = ROOT / "README.md"


def nodes_table(operations: ModuleType) -> str:
    """One row a generating node, and Kling Poll, which belongs to none of the operations."""
    rows = ["| node | what it does | models |", "|---|---|---|"]
    for operation in operations.OPERATIONS:
        models = " ".join(f"`{name}`" for name in operation.models)
        rows.append(f"| **{operation.title}** | {operation.description} | {models} |")
    rows.append("| **Kling Poll** | Collects the pictures of tasks by their handles, from any run, any day. | |")
    return "\n".join(rows)


def models_table(models: ModuleType, prices: ModuleType) -> str:
    """One row an operation and model, one column a provider."""
    rows = [
        "| operation | model | " + " | ".join(models.PROVIDERS) + " |",
        "|---|---|" + "---|" * len(models.PROVIDERS),
    ]
    for row in models.MODELS:
        offers = {offer.provider: prices.shown(offer.price) for offer in row.offers}
        cells = " | ".join(offers.get(name, "") for name in models.PROVIDERS)
        rows.append(f"| {row.operation} | `{row.name}` | {cells} |")
    return "\n".join(rows)


def filled(text: str, name: str, table: str) -> str:
    """`text` with the table between its two markers. Raises ValueError where they are missing."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not block.search(text):
        raise ValueError(f"there is no block {name}")
    return block.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)


def expected(text: str) -> str:
    """README.md as it should read."""
    load_pack()
    from kling_pack.catalog import models, operations, prices

    return filled(filled(text, "nodes", nodes_table(operations)), "models", models_table(models, prices))


def main() -> int:
    written = README.read_text("utf-8")
    wanted = expected(written)
    if "--check" in sys.argv[1:]:
        if written != wanted:
            sys.stderr.write("README.md differs from the catalogue: run python scripts/readme_tables.py\n")
        return int(written != wanted)
    Path(README).write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
