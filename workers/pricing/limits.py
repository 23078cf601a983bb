"""An item's rules and facts as what the guardrails decide by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from model.errors import ConfigError
from model.pricing import money
from model.pricing.guardrails import Guardrails, Present
from model.pricing.money import Ending
from workers.pricing.rules import Rules


def present(row: Any, sizes: Mapping[str, float], prices: Mapping[str, Any]) -> Present:
    """Return an item (`storage.pricing.facts`) as it is now, in minor units.

    `sizes` are those of its family, and `prices` has the prices of the family's items.
    """
    below, above = _beside(row, sizes, prices)
    return Present(
        money.to_minor(row.price, row.currency),
        None if row.cost is None else money.to_minor(row.cost, row.currency),
        None if row.competitor_price is None else money.to_minor(row.competitor_price, row.currency),
        None if row.hours is None else float(row.hours),
        below,
        above,
    )


def guardrails(rules: Rules, row: Any) -> Guardrails:
    """Return the rules of an item (`storage.pricing.facts`) as guardrails, in minor units.

    An item whose currency has none of the endings (cents of a yen) is left alone, and so is one on promotion.
    """
    currency = row.currency
    endings = _endings(rules, currency)
    return Guardrails(
        floor=None if rules.floor is None else money.to_minor(rules.floor, currency),
        ceiling=None if rules.ceiling is None else money.to_minor(rules.ceiling, currency),
        margin=rules.margin,
        needs_cost=bool(rules.needs_cost),
        step=rules.step,
        cooldown_hours=rules.cooldown_hours or 0.0,
        competitor=(rules.competitor_low, rules.competitor_high),
        endings=endings,
        frozen=bool(rules.frozen or row.promotion) or (bool(rules.endings) and not endings),
    )


def _beside(row: Any, sizes: Mapping[str, float], prices: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the highest price of smaller items of the family, and the lowest of larger ones, of the same currency."""
    own = sizes.get(row.item_id, 0.0)
    others = [
        (sizes[item], money.to_minor(found.price, found.currency))
        for item, found in prices.items()
        if item in sizes and found.currency == row.currency
    ]
    smaller = [price for size, price in others if size < own]
    larger = [price for size, price in others if size > own]
    return max(smaller, default=None), min(larger, default=None)


def _endings(rules: Rules, currency: str | None) -> tuple[Ending, ...]:
    found = []
    for text in rules.endings or ():
        with suppress(ConfigError):
            found.append(money.ending(text, currency))
    return tuple(found)
