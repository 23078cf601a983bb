"""What policies are worth by the log: intervals hold a known truth, and what says nothing is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workers.pricing import valuing
from workers.pricing.valuing import Amount
from workers.registry.errors import NotEnoughData

START = datetime(2026, 1, 5, tzinfo=UTC)
PRICES, SHARES = [9.0, 10.0, 11.0], [0.25, 0.5, 0.25]
DAYS, COST = 1.0, 4.0
WEEKLY = np.array([42.0, 35.0, 28.0])  # units a week at each price
ITEMS, LOOKS = 6, 50
EARNED = {"revenue": WEEKLY * PRICES, "margin": WEEKLY * (np.array(PRICES) - COST), "units": WEEKLY}
# Of three prices: the likeliest is 10, the lower of two draws is 9 with 7/16, all equally often.
TRUE_SHARES = {"as logged": SHARES, "likeliest": [0, 1, 0], "lower": [7 / 16, 1 / 2, 1 / 16], "even": [1 / 3] * 3}


def _row(at: datetime, item: str, chosen: int, units: float, **changed: Any) -> Any:
    row = {
        "at": at, "item_id": item, "price": 10.0, "chosen": PRICES[chosen], "currency": "EUR", "cost": COST,
        "propensity": SHARES[chosen], "prices": PRICES, "shares": SHARES, "units": list(WEEKLY * 1.2), "fate": "stood",
        "days": DAYS, "sold_units": units, "sold_revenue": units * PRICES[chosen],
    }  # fmt: skip
    return SimpleNamespace(**row | changed)


def _log(seed: int) -> list[Any]:
    """Return a log whose policy keeps 10 half of the time, beside a demand model that is off by a fifth."""
    random = np.random.default_rng(seed)
    rows = []
    for look in range(LOOKS):
        for n in range(ITEMS):
            chosen = int(random.choice(3, p=SHARES))
            rows.append(_row(START + look * timedelta(days=1), f"i{n}", chosen, random.poisson(WEEKLY[chosen] / 7)))
    return rows


@pytest.mark.parametrize("amount", valuing.AMOUNTS)
def test_intervals_hold_the_value_that_is_known(amount: Amount) -> None:
    reports = [valuing.report(_log(seed), amount) for seed in range(60)]
    for place, (name, shares) in enumerate(TRUE_SHARES.items()):
        true = ITEMS * float(np.dot(shares, EARNED[amount]))
        for estimator in ("inverse_propensity", "doubly_robust"):
            found = [getattr(report.policies[place], estimator) for report in reports]
            assert reports[0].policies[place].policy == name
            assert np.mean([each.value for each in found]) == pytest.approx(true, rel=0.03)
            assert np.mean([each.low <= true <= each.high for each in found]) >= 0.85


def test_leaving_kept_prices_out_of_the_log_would_mislead() -> None:
    moved = [row for seed in range(20) for row in _log(seed) if row.chosen != row.price]
    true = ITEMS * float(np.dot(TRUE_SHARES["likeliest"], EARNED["revenue"]))
    assert valuing.report(moved, "revenue").policies[1].inverse_propensity.value < 0.5 * true


def test_what_says_nothing_is_left_out_and_counted() -> None:
    rows = _log(0)
    at = START + timedelta(days=1)
    worse = [
        _row(at, "a", 0, 1e6, fate="approved by a person"), _row(at, "b", 0, 1e6, currency="JPY"),
        _row(at, "c", 0, 1e6, cost=None),
    ]  # fmt: skip
    together = valuing.report(sorted([*rows, *worse], key=lambda row: row.at), "margin")
    assert together.left_out == {"approved by a person": 1, "another currency": 1, "cost unknown": 1}
    assert together.policies == valuing.report(rows, "margin").policies
    assert (together.decisions, together.looks, together.currency) == (ITEMS * LOOKS, LOOKS, "EUR")


def test_a_few_looks_are_too_few() -> None:
    with pytest.raises(NotEnoughData, match="4 looks"):
        valuing.report(_log(0)[: 4 * ITEMS], "revenue")
