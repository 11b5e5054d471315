"""What was spent and what was not paid twice, today and this month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from .states import State

if TYPE_CHECKING:
    from .ledger import Ledger


@dataclass(frozen=True)
class Sum:
    """What the tasks at one provider cost in one unit, as far as known.

    `unpriced` of the `tasks` have no known price; `uncertain` ones were perhaps never created.
    """

    provider: str
    unit: str
    amount: Decimal
    tasks: int
    pictures: int
    unpriced: int
    uncertain: int


@dataclass(frozen=True)
class Saved:
    """What was spared in one unit: `kind` is joined, reused or recovered; `amount` is 0 where no price is known."""

    kind: str
    unit: str
    amount: Decimal
    times: int


@dataclass(frozen=True)
class Span:
    """One stretch of time, from `since` (seconds since 1970) until now."""

    since: float
    paid: tuple[Sum, ...]
    saved: tuple[Saved, ...]


@dataclass(frozen=True)
class Spend:
    """`budget_spent` is what the daily budget counts as spent: estimates too, in USD."""

    today: Span
    month: Span
    budget_spent: float


def spend(ledger: Ledger, now: float) -> Spend:
    """Days and months as on this machine's clock. The sandbox is free and does not appear."""
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today, month = midnight.timestamp(), midnight.replace(day=1).timestamp()
    return Spend(_span(ledger, today), _span(ledger, month), ledger.spent_usd(today))


def _span(ledger: Ledger, since: float) -> Span:
    return Span(since, tuple(_sums(ledger, since)), tuple(_savings(ledger, since)))


def _sums(ledger: Ledger, since: float) -> Iterator[Sum]:
    for (provider, unit), group in groupby(ledger.paid(since), key=lambda bill: (bill.provider, bill.unit)):
        bills = list(group)
        amounts = [Decimal(bill.amount) * bill.tasks for bill in bills if bill.amount]
        yield Sum(
            provider,
            unit,
            sum(amounts, Decimal(0)),
            tasks=sum(bill.tasks for bill in bills),
            pictures=sum(bill.pictures for bill in bills),
            unpriced=sum(bill.tasks for bill in bills if not bill.amount),
            uncertain=sum(bill.tasks for bill in bills if bill.state is State.UNCERTAIN),
        )


def _savings(ledger: Ledger, since: float) -> Iterator[Saved]:
    told = sorted(ledger.saved(since), key=lambda saving: (saving.kind, saving.unit))
    for (kind, unit), group in groupby(told, key=lambda saving: (saving.kind, saving.unit)):
        amounts = [Decimal(saving.amount or 0) for saving in group]
        yield Saved(kind, unit, sum(amounts, Decimal(0)), len(amounts))
