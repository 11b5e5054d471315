"""What a picture costs, in the provider's own unit.

`KLING_HOME/prices.json` overrides the catalogue and gives a credit its dollars:

    {"apimodels": {"credit_usd": 0.01, "kling-v2": {"text": 0.07}},
     "modellix": {"kling-v3": {"image": 0.03}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ..errors import SetupError

USD = "USD"
CREDITS = "credits"


@dataclass(frozen=True)
class Price:
    """An amount for `count` pictures (1 unless multiplied); `unit` is USD or credits."""

    amount: Decimal
    unit: str
    count: int = 1

    def times(self, count: int) -> Price:
        return Price(self.amount, self.unit, self.count * count)

    @property
    def total(self) -> Decimal:
        return self.amount * self.count

    def __str__(self) -> str:
        each = f"${self.amount:f}" if self.unit == USD else f"{self.amount:f} {self.unit}"
        return each if self.count == 1 else f"{each} × {self.count}"


def dollars(amount: str) -> Price:
    """A price in USD for each picture."""
    return Price(Decimal(amount), USD)


def credits(amount: str) -> Price:
    """A price in the provider's credits for each picture."""
    return Price(Decimal(amount), CREDITS)


UNKNOWN = "price unknown"


def shown(price: Price | None) -> str:
    """A price for a person."""
    return UNKNOWN if price is None else str(price)


@dataclass(frozen=True)
class Overrides:
    """The user's own prices: `prices` by (provider, model, operation), `credit_usd` by provider."""

    prices: Mapping[tuple[str, str, str], Decimal] = field(default_factory=dict)
    credit_usd: Mapping[str, Decimal] = field(default_factory=dict)

    def price(self, provider: str, model: str, operation: str, catalogue: Price | None) -> Price | None:
        """The user's price where there is one, in the unit the catalogue uses, else the catalogue's."""
        amount = self.prices.get((provider, model, operation))
        if amount is None:
            return catalogue
        return Price(amount, catalogue.unit if catalogue else USD)

    def in_usd(self, provider: str, price: Price | None) -> Decimal | None:
        """`price` in USD, or None where that is not known."""
        if price is None or price.unit == USD:
            return price.total if price else None
        rate = self.credit_usd.get(provider)
        return None if rate is None else price.total * rate


def load_overrides(path: Path) -> Overrides:
    """Reads prices.json; no file means no overrides. Raises SetupError naming what is wrong in it."""
    try:
        written = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Overrides()
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read as JSON ({error}). Nothing was paid: mend or remove it.") from error
    prices: dict[tuple[str, str, str], Decimal] = {}
    rates: dict[str, Decimal] = {}
    try:
        for provider, models in _table(written, "the file").items():
            for model, amounts in _table(models, provider).items():
                if model == "credit_usd":
                    rates[provider] = _amount(amounts)
                    continue
                for operation, amount in _table(amounts, model).items():
                    prices[(provider, model, operation)] = _amount(amount)
    except (TypeError, ValueError) as error:
        raise SetupError(
            f"{path} must hold, by provider, credit_usd or by model and operation, a price of 0 or more "
            f"({error}). Nothing was paid: mend or remove it."
        ) from error
    return Overrides(prices, rates)


def _table(written: object, name: str) -> dict[str, object]:
    if not isinstance(written, dict):
        raise TypeError(f"{name} holds {written!r}")
    return written


def _amount(written: object) -> Decimal:
    try:
        amount = Decimal(str(written))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{written!r} is not a price")
    return amount
