"""What other policies would have earned, estimated from the decisions that are logged.

A decision counts if the chosen price stood until the next one. Then its propensity is that of what happened. Where a
person approves, a price stands with a probability that nobody knows, so such decisions are left out, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from model.pricing.evaluation import offline
from model.pricing.evaluation.offline import Estimate, Policy, Round
from workers.registry.errors import NotEnoughData

Amount = Literal["revenue", "margin", "units"]
AMOUNTS: tuple[Amount, ...] = get_args(Amount)
"""What is added up: money, or pieces."""

_STOOD = "stood"
_DAYS_A_WEEK = 7.0
_LEAST_ROUNDS = 5


class Valued(NamedTuple):
    """A policy's value a week by both estimators, with intervals of 95 %."""

    policy: str
    inverse_propensity: Estimate
    doubly_robust: Estimate


class Report(NamedTuple):
    """What the log says. `left_out` counts decisions by why they say nothing."""

    amount: Amount
    currency: str | None
    looks: int
    decisions: int
    left_out: dict[str, int]
    policies: list[Valued]


def as_logged(round_: Round) -> np.ndarray:
    """Choose as the log's policy did."""
    return round_.share_NxP


POLICIES: dict[str, Policy] = {"as logged": as_logged, **offline.POLICIES}


def report(rows: Sequence[Any], amount: Amount) -> Report:
    """Return what each policy is worth, from `storage.pricing.decisions.outcomes`. Raises `NotEnoughData`."""
    currency = _commonest(rows)
    left_out = Counter(reason for row in rows if (reason := _reason(row, amount, currency)) is not None)
    counted = [row for row in rows if _reason(row, amount, currency) is None]
    looks = [list(group) for _, group in groupby(counted, key=lambda row: row.at)]
    if len(looks) < _LEAST_ROUNDS:
        raise NotEnoughData(
            f"{len(looks)} looks at prices can be judged, and {_LEAST_ROUNDS} are needed; left out: {dict(left_out)}"
        )
    rounds = [_round(look, amount) for look in looks]
    weeks = float(np.mean([np.mean([row.days for row in look]) for look in looks])) / _DAYS_A_WEEK
    valued = [
        Valued(
            name,
            _scaled(offline.inverse_propensity(rounds, policy), weeks),
            _scaled(offline.doubly_robust(rounds, policy), weeks),
        )
        for name, policy in POLICIES.items()
    ]
    return Report(amount, currency, len(looks), len(counted), dict(left_out), valued)


def _reason(row: Any, amount: Amount, currency: str | None) -> str | None:
    """Return why a decision says nothing, None if it counts."""
    if row.fate != _STOOD:
        return str(row.fate)
    if amount != "units" and row.currency != currency:
        return "another currency"
    return "cost unknown" if amount == "margin" and row.cost is None else None


def _commonest(rows: Sequence[Any]) -> str | None:
    counts = Counter(row.currency for row in rows)
    return counts.most_common(1)[0][0] if counts else None


def _round(look: Sequence[Any], amount: Amount) -> Round:
    width = max(len(row.prices) for row in look)

    def padded(column: str, fill: float | None = None) -> np.ndarray:
        values = [getattr(row, column) for row in look]
        return np.array([[*each, *[each[0] if fill is None else fill] * (width - len(each))] for each in values])

    prices_NxP, share_NxP, units_NxP = padded("prices"), padded("shares", 0.0), padded("units")
    weeks_N = np.array([row.days for row in look]) / _DAYS_A_WEEK
    picked_N = np.array([row.prices.index(row.chosen) for row in look])
    cost_N = np.array([row.cost or 0.0 for row in look])
    units_N = np.array([float(row.sold_units) for row in look])
    revenue_N = np.array([float(row.sold_revenue) for row in look])
    expected_NxP = units_NxP * weeks_N[:, None]
    if amount == "units":
        return Round(prices_NxP, share_NxP, picked_N, units_N, expected_NxP)
    if amount == "revenue":
        return Round(prices_NxP, share_NxP, picked_N, revenue_N, expected_NxP * prices_NxP)
    earned_N = revenue_N - cost_N * units_N
    return Round(prices_NxP, share_NxP, picked_N, earned_N, expected_NxP * (prices_NxP - cost_N[:, None]))


def _scaled(estimate: Estimate, weeks: float) -> Estimate:
    return Estimate(*(value / weeks for value in estimate))
