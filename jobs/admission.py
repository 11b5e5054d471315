"""Before anything is paid: what can be joined or reused, and whether the rest may be paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from ..catalog.models import PROVIDERS
from ..catalog.operations import AUTO
from ..catalog.order import Order
from ..catalog.prices import Price, shown
from ..catalog.request import SANDBOX, Request
from ..errors import SetupError
from .route import candidates
from .row import price_for
from .services import Services
from .settings import Settings
from .task import Task, Wanted
from .work import Run


def may_answer(request: Request, auto_is_sandbox: bool) -> tuple[str, ...]:
    """The providers whose earlier answer to the same request counts for this one."""
    if request.provider != AUTO:
        return (request.provider,)
    return (SANDBOX,) if auto_is_sandbox else PROVIDERS


def orders_for(run: Run, request: Request) -> tuple[Order, ...]:
    """The candidates for one request of the run. Raises SetupError or InputError."""
    return candidates(request, run.settings, run.settings.auto_means_sandbox(run.context.from_editor))


async def admit(
    services: Services, settings: Settings, orders: Sequence[Order], wanted: Sequence[Wanted]
) -> tuple[tuple[Task, bool], ...]:
    """Writes a run's new tasks down as a whole if they may be paid for; see `Sharing.admit`.

    `orders` are what `wanted` was made of, the first candidate of each. Raises SetupError; then nothing was written.
    """

    def check(new: Sequence[int], spent_since: Callable[[float], float]) -> None:
        _check_count(settings, [orders[place] for place in new])
        _check_budget(settings, [orders[place] for place in new], services.now(), spent_since)

    return await services.write(services.sharing.admit, wanted, check)


def _check_count(settings: Settings, orders: Sequence[Order]) -> None:
    pictures = sum(order.request.count for order in orders)
    if pictures > settings.max_images_per_run:
        raise SetupError(
            f"This run asks for {pictures} pictures ({_total(orders, settings)}); KLING_MAX_IMAGES_PER_RUN allows "
            f"{settings.max_images_per_run}. Nothing was sent and nothing was paid: lower n or the batch, or raise the "
            "setting."
        )


def _check_budget(
    settings: Settings, orders: Sequence[Order], now: float, spent_since: Callable[[float], float]
) -> None:
    paid = [order for order in orders if order.provider != SANDBOX]
    if settings.daily_budget_usd is None or not paid:
        return
    amounts = [settings.prices.in_usd(order.provider, price_for(order, settings)) for order in paid]
    start = f"KLING_DAILY_BUDGET_USD is ${settings.daily_budget_usd:g}, and "
    if any(amount is None for amount in amounts):
        raise SetupError(
            f"{start}the price of this run in USD is not known ({_total(paid, settings)}). Nothing was sent and "
            "nothing was paid: give the price, or what a credit costs, in prices.json, or unset the budget."
        )
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = spent_since(midnight.timestamp())
    wanted = float(sum((amount for amount in amounts if amount is not None), Decimal(0)))
    if spent + wanted > settings.daily_budget_usd + 1e-9:
        raise SetupError(
            f"{start}this run would cost ${wanted:.3f} on top of ${spent:.3f} spent today. Nothing was sent and "
            "nothing was paid: run it tomorrow, ask for less, or raise the budget."
        )


def _total(orders: Sequence[Order], settings: Settings) -> str:
    """The price of several orders for a person, one sum for each unit."""
    paid = [order for order in orders if order.provider != SANDBOX]
    if not paid:
        return "free in the sandbox"
    sums: dict[str, Decimal] = {}
    for order in paid:
        price = price_for(order, settings)
        if price is None:
            return shown(None)
        sums[price.unit] = sums.get(price.unit, Decimal(0)) + price.total
    return " + ".join(str(Price(amount, unit)) for unit, amount in sums.items())
