"""Guardrails: which prices an item may have next. Pure decisions on whole minor units of money (cents).

Every limit narrows one interval. Where no price is left, the item keeps its price, and the answer names the limits
that contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from model.pricing.money import Ending

FLOOR, CEILING, MARGIN, STEP = "floor", "ceiling", "margin", "step"
COMPETITOR, COOLDOWN, FROZEN, ENDING, FAMILY = "competitor", "cooldown", "frozen", "ending", "family"
LIMITS = (FLOOR, CEILING, MARGIN, STEP, COMPETITOR, COOLDOWN, FROZEN, ENDING, FAMILY)

_MOST_PRICES = 64


@dataclass(frozen=True)
class Guardrails:
    """What bounds an item's price. Money is in minor units; shares are of the price or cost that they are named for.

    `margin`: the price is at least cost / (1 - margin). `step`: the largest change, as a share of the present price.
    `cooldown_hours`: between two changes. `competitor`: lowest and highest multiple of the lowest competitor's price.
    A limit that is None, or whose cost or competitor's price is not known, does not bind; but see `needs_cost`.
    """

    floor: int | None = None
    ceiling: int | None = None
    margin: float | None = None
    needs_cost: bool = False
    step: float | None = None
    cooldown_hours: float = 0.0
    competitor: tuple[float | None, float | None] = (None, None)
    endings: tuple[Ending, ...] = ()
    frozen: bool = False


@dataclass(frozen=True)
class Present:
    """An item as it is now, money in minor units. `unchanged_hours` is None where its price never changed.

    `below` is the highest price of smaller items of its family, `above` the lowest of larger ones; None without any.
    """

    price: int
    cost: int | None = None
    competitor: int | None = None
    unchanged_hours: float | None = None
    below: int | None = None
    above: int | None = None


@dataclass(frozen=True)
class Bound:
    """One side of the interval, and the limit that set it."""

    price: int
    limit: str


@dataclass(frozen=True)
class Allowed:
    """The prices that an item may change to, ascending and without its present one.

    `low` and `high` are the ends of the interval before endings. Without prices, `blocked` names the limits that leave
    none.
    """

    prices: tuple[int, ...]
    low: Bound | None
    high: Bound | None
    blocked: tuple[str, ...] = ()


def allowed(present: Present, rails: Guardrails) -> Allowed:
    """Return what the item may change to."""
    stopped = _stopped(present, rails)
    if stopped is not None:
        return Allowed((), None, None, (stopped,))
    low, high = _low(present, rails), _high(present, rails)
    if low.price > high.price:
        return Allowed((), low, high, (low.limit, high.limit))
    points = [price for price in _points(low.price, high.price, rails.endings) if price != present.price]
    return Allowed(tuple(points), low, high, () if points else (ENDING,))


def violations(present: Present, price: int, rails: Guardrails) -> tuple[str, ...]:
    """Return the limits that a change to `price` would break, in the order of `LIMITS`; none for a price that may be.

    It checks each limit on its own, and shares no arithmetic of intervals with `allowed`.
    """
    broken = {
        FLOOR: rails.floor is not None and price < rails.floor,
        CEILING: rails.ceiling is not None and price > rails.ceiling,
        MARGIN: _breaks_margin(present, price, rails),
        STEP: rails.step is not None and abs(price - present.price) > rails.step * present.price + 1e-6,
        COMPETITOR: _breaks_competitor(present, price, rails),
        COOLDOWN: _is_cooling(present, rails),
        FROZEN: rails.frozen,
        FAMILY: _breaks_family(present, price),
        ENDING: bool(rails.endings) and all(price % e.modulus != e.rest for e in rails.endings),
    }
    return tuple(limit for limit in LIMITS if broken.get(limit))


def bitten(wish: float, found: Allowed) -> str | None:
    """Return the limit that keeps an item from the price it would have without guardrails; None where none does."""
    if found.blocked:
        return found.blocked[0]
    if found.low is not None and wish < found.low.price:
        return found.low.limit
    if found.high is not None and wish > found.high.price:
        return found.high.limit
    return None


def in_order(prices: Sequence[int], ranks: Sequence[int]) -> bool:
    """Return whether items of one family keep their order: a higher rank never costs less than a lower one."""
    ranked = sorted(zip(ranks, prices, strict=True))
    highest = [max(price for rank, price in ranked if rank == each) for each in sorted(set(ranks))]
    lowest = [min(price for rank, price in ranked if rank == each) for each in sorted(set(ranks))]
    return all(below <= above for (below, _), (_, above) in pairwise(zip(highest, lowest, strict=True)))


def _stopped(present: Present, rails: Guardrails) -> str | None:
    if rails.frozen:
        return FROZEN
    if _is_cooling(present, rails):
        return COOLDOWN
    return MARGIN if rails.needs_cost and present.cost is None else None


def _is_cooling(present: Present, rails: Guardrails) -> bool:
    return present.unchanged_hours is not None and present.unchanged_hours < rails.cooldown_hours


def _low(present: Present, rails: Guardrails) -> Bound:
    bounds = [Bound(1, FLOOR)]
    if rails.floor is not None:
        bounds.append(Bound(rails.floor, FLOOR))
    if rails.margin is not None and present.cost is not None:
        bounds.append(Bound(_ceil(present.cost / (1.0 - rails.margin)), MARGIN))
    if rails.step is not None:
        bounds.append(Bound(_ceil(present.price * (1.0 - rails.step)), STEP))
    if rails.competitor[0] is not None and present.competitor is not None:
        bounds.append(Bound(_ceil(present.competitor * rails.competitor[0]), COMPETITOR))
    if present.below is not None:
        # Half of the way is each one's own: whichever of the two changes, or both, they cannot pass each other.
        bounds.append(Bound(_ceil((present.below + present.price) / 2), FAMILY))
    return max(bounds, key=lambda bound: bound.price)


def _high(present: Present, rails: Guardrails) -> Bound:
    # Without any upper limit a price at most doubles at once: the model knows nothing of prices so far away.
    bounds = [Bound(2 * present.price, STEP)]
    if rails.ceiling is not None:
        bounds.append(Bound(rails.ceiling, CEILING))
    if rails.step is not None:
        bounds.append(Bound(_floor(present.price * (1.0 + rails.step)), STEP))
    if rails.competitor[1] is not None and present.competitor is not None:
        bounds.append(Bound(_floor(present.competitor * rails.competitor[1]), COMPETITOR))
    if present.above is not None:
        bounds.append(Bound(_floor((present.price + present.above) / 2), FAMILY))
    return min(bounds, key=lambda bound: bound.price)


def _points(low: int, high: int, endings: Sequence[Ending]) -> list[int]:
    """Return at most `_MOST_PRICES` prices between the two, spread evenly where there are more."""
    if not endings:
        return _spread(range(low, high + 1))
    found: set[int] = set()
    for each in endings:
        found.update(range(low + (each.rest - low) % each.modulus, high + 1, each.modulus))
    return _spread(sorted(found))


def _spread(prices: Sequence[int]) -> list[int]:
    if len(prices) <= _MOST_PRICES:
        return list(prices)
    last = len(prices) - 1
    return [prices[round(n * last / (_MOST_PRICES - 1))] for n in range(_MOST_PRICES)]


def _breaks_margin(present: Present, price: int, rails: Guardrails) -> bool:
    if present.cost is None:
        return rails.needs_cost
    return rails.margin is not None and price * (1.0 - rails.margin) < present.cost - 1e-6


def _breaks_competitor(present: Present, price: int, rails: Guardrails) -> bool:
    if present.competitor is None:
        return False
    low, high = rails.competitor
    below = low is not None and price < low * present.competitor - 1e-6
    return below or (high is not None and price > high * present.competitor + 1e-6)


def _breaks_family(present: Present, price: int) -> bool:
    """Return whether a larger item would cost less than a smaller one; a move towards the right order does not."""
    under = present.below is not None and price < min(present.below, present.price)
    return under or (present.above is not None and price > max(present.above, present.price))


def _ceil(amount: float) -> int:
    # Money that is a whole number of cents but for rounding of floats is that number.
    return math.ceil(amount - 1e-6)


def _floor(amount: float) -> int:
    return math.floor(amount + 1e-6)
