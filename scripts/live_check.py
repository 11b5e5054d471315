"""Holds a provider's real answers against what the adapter expects. Costs money: it says how much, and asks.

`python scripts/live_check.py PROVIDER` needs the provider's key in its variable, as EACHLABS_API_KEY. It makes the
cheapest call of each model (`--every-operation`: of each operation of each model), prints a report, and stores the
answers, stripped of secrets, in `tests/providers/fixtures/PROVIDER/live/`, where the tests read them from then on.
`--yes` does not ask; it is taken only where PROVIDER_BASE_URL is on this machine, as in the tests.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environment
from environment import ROOT, say
from pack import load_pack

FIXTURES = ROOT / "tests" / "providers" / "fixtures"
REPORT = "report"
NOT_ASKED_FOR = 2
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def main() -> int:
    environment.ensure()
    load_pack()
    import live_calls

    from kling_pack.catalog.models import PROVIDERS
    from kling_pack.errors import KlingError
    from kling_pack.jobs.settings import load_settings
    from kling_pack.providers import ADAPTERS

    chosen = arguments(PROVIDERS)
    try:
        settings = load_settings(ROOT / "demo_output")
    except KlingError as error:
        sys.exit(str(error))
    adapter, endpoint = ADAPTERS[chosen.provider], settings.endpoints[chosen.provider]
    if endpoint.key is None:
        sys.exit(f"{adapter.title} has no key: set {chosen.provider.upper()}_API_KEY.")
    host = urlsplit(endpoint.base_url).hostname
    calls = live_calls.planned(chosen.provider, settings.prices, chosen.every_operation)
    say(costs(calls, adapter.title, endpoint.base_url))
    if not agreed(chosen.yes, here=host in LOOPBACK):
        say("Nothing was sent and nothing was paid.")
        return NOT_ASKED_FOR
    today = datetime.date.today().isoformat()
    folder = chosen.out or FIXTURES / chosen.provider / "live"
    source = f"{adapter.title}, answer to a live check of {today} at {host}"
    pictures = chosen.out / "pictures" if chosen.out else ROOT / "demo_output" / f"live-{chosen.provider}"
    check = live_calls.LiveCheck(endpoint, folder, pictures, source, chosen.every, say)
    check.refusals()
    for call in calls:
        say(f"— {call.row.operation} {call.row.name} ({call.offer.wire_model})")
        check.offer(call)
    held = dict(live_calls.held(check.findings))
    itself = host == urlsplit(adapter.base_url).hostname
    write_report(folder, held, {"date": today, "address": endpoint.base_url, "provider_itself": itself})
    say(f"{sum(held.values())} of {len(held)} facts held. Answers: {folder}. Pictures: {pictures}.")
    say("python scripts/wire_facts.py brings docs/wire-facts.md up to date.")
    return int(not all(held.values()))


def arguments(providers: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("provider", choices=providers)
    parser.add_argument("--every-operation", action="store_true", help="one call for each operation of each model")
    parser.add_argument("--out", type=Path, help="another folder for the answers")
    parser.add_argument("--every", type=float, default=6.0, metavar="SECONDS", help="between two looks at a task (6)")
    parser.add_argument("--yes", action="store_true", help="do not ask; only at an address of this machine")
    return parser.parse_args()


def costs(calls: list[Any], title: str, address: str) -> str:
    """What will be paid, for a person."""
    from kling_pack.catalog.prices import shown

    lines = [f"This makes {len(calls)} paid calls, one picture each, at {title} ({address}):"]
    lines += [f"  {shown(call.price):>14}  {call.row.operation} {call.row.name}" for call in calls]
    sums: dict[str, Decimal] = {}
    for call in calls:
        if call.price is not None:
            sums[call.price.unit] = sums.get(call.price.unit, Decimal()) + call.price.total
    known = [f"${amount:f}" if unit == "USD" else f"{amount:f} {unit}" for unit, amount in sums.items()]
    unknown = Counter(call.price is None for call in calls)[True]
    known += [f"{unknown} price{'s' if unknown > 1 else ''} that no page gives"] if unknown else []
    return "\n".join([*lines, f"Together: {' and '.join(known)}."])


def agreed(yes: bool, here: bool) -> bool:
    """Whether whoever started this wants to pay. `--yes` counts only on this machine, where nothing can be paid."""
    if yes and here:
        return True
    if yes:
        say("--yes is taken only at an address of this machine.")
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def write_report(folder: Path, held: dict[str, bool], about: dict[str, Any]) -> None:
    """Which facts held, for docs/wire-facts.md; what an earlier check at the same address saw stays."""
    file = folder / f"{REPORT}.json"
    before = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    facts = before.get("facts", {}) if before.get("address") == about["address"] else {}
    facts |= {fact: {"held": one, "date": about["date"]} for fact, one in held.items()}
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**about, "facts": facts}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
