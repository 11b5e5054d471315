"""Before anything is paid: what can be joined or reused, and whether the rest may be paid for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ..catalog.models import PROVIDERS
from ..catalog.operations import AUTO
from ..catalog.order import Order
from ..catalog.prices import Price, shown
from ..catalog.request import SANDBOX, Request
from ..errors import SetupError
from .route import candidates, price_of
from .services import Services
from .settings import Settings
from .work import Run


def may_answer(request: Request, auto_is_sandbox: bool) -> tuple[str, ...]:
    """The providers whose earlier answer to the same request counts for this one."""
    if request.provider != AUTO:
        return (request.provider,)
    return (SANDBOX,) if auto_is_sandbox else PROVIDERS


def orders_for(run: Run, request: Request) -> tuple[Order, ...]:
    """The candidates for one request of the run. Raises SetupError or InputError."""
    return candidates(request, run.settings, run.settings.auto_means_sandbox(run.context.from_editor))


async def check_cost(services: Services, settings: Settings, firsts: list[Order], unwritten: list[Order]) -> None:
    """Refuses new tasks that are too many or too dear, before any is paid.

    `firsts` holds the first candidate of every task that would be paid for, `unwritten` of those that were let
    in and have no row in the ledger yet. Raises SetupError.
    """
    paid = [order for order in firsts if order.provider != SANDBOX]
    pictures = sum(order.request.count for order in firsts)
    if pictures > settings.max_images_per_run:
        raise SetupError(
            f"This run asks for {pictures} pictures ({_total(paid, settings)}); KLING_MAX_IMAGES_PER_RUN allows "
            f"{settings.max_images_per_run}. Nothing was sent and nothing was paid: lower n or the batch, or raise the "
            "setting."
        )
    if settings.daily_budget_usd is not None and paid:
        await _check_budget(services, settings, paid, unwritten, settings.daily_budget_usd)


async def _check_budget(
    services: Services, settings: Settings, paid: list[Order], unwritten: list[Order], budget: float
) -> None:
    amounts = [_usd(order, settings) for order in paid]
    start = f"KLING_DAILY_BUDGET_USD is ${budget:g}, and "
    if any(amount is None for amount in amounts):
        raise SetupError(
            f"{start}the price of this run in USD is not known ({_total(paid, settings)}). Nothing was sent and "
            "nothing was paid: give the price, or what a credit costs, in prices.json, or unset the budget."
        )
    midnight = datetime.fromtimestamp(services.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = await services.write(services.ledger.spent_usd, midnight.timestamp())
    spent += float(sum((_usd(order, settings) or Decimal(0) for order in unwritten), Decimal(0)))
    wanted = float(sum((amount for amount in amounts if amount is not None), Decimal(0)))
    if spent + wanted > budget + 1e-9:
        raise SetupError(
            f"{start}this run would cost ${wanted:.3f} on top of ${spent:.3f} spent today. Nothing was sent and "
            "nothing was paid: run it tomorrow, ask for less, or raise the budget."
        )


def _usd(order: Order, settings: Settings) -> Decimal | None:
    return settings.prices.in_usd(order.provider, _price(order, settings))


def _price(order: Order, settings: Settings) -> Price | None:
    price = price_of(order, settings.prices)
    return price.times(order.request.count) if price else None


def _total(paid: list[Order], settings: Settings) -> str:
    """The price of several orders for a person, one sum for each unit."""
    if not paid:
        return "free in the sandbox"
    sums: dict[str, Decimal] = {}
    for order in paid:
        price = _price(order, settings)
        if price is None:
            return shown(None)
        sums[price.unit] = sums.get(price.unit, Decimal(0)) + price.total
    return " + ".join(str(Price(amount, unit)) for unit, amount in sums.items())
