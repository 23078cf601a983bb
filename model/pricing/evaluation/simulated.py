"""Simulated shops whose true demand is known, and is of other forms than the model's.

A shop has `items` items in categories. Costs wander; competitors change their prices now and then; demand has a weekly
course and shocks by category. In the past the merchant set prices as cost times a markup, and raised them when demand
was high, so that past prices are confounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

CONSTANT, EXPONENTIAL, LINEAR, LOGIT, DRIFTING = "constant", "exponential", "linear", "logit", "drifting"
FORMS = (CONSTANT, EXPONENTIAL, LINEAR, LOGIT, DRIFTING)

CATEGORIES = 4
_WEEK = np.array([0.85, 0.85, 0.9, 0.95, 1.1, 1.3, 1.05])


@dataclass
class Shop:
    """One shop. Money in units of currency; columns by item ("N") and day ("T"), history and future together."""

    form: str
    category_N: Int[np.ndarray, " N"]
    elasticity_NxT: Float[np.ndarray, "N T"]
    rate_NxT: Float[np.ndarray, "N T"]
    cost_NxT: Float[np.ndarray, "N T"]
    competitor_NxT: Float[np.ndarray, "N T"]
    reference_N: Float[np.ndarray, " N"]
    shock_NxT: Float[np.ndarray, "N T"]
    past_NxH: Float[np.ndarray, "N H"]
    random: np.random.Generator = field(repr=False)

    def demand(self, day: int, price: Float[np.ndarray, "N ..."]) -> Float[np.ndarray, "N ..."]:
        """Return the expected units of the day at these prices: one, or several, for each item."""
        price = np.asarray(price, np.float64)
        grow = (slice(None),) + (None,) * (price.ndim - 1)
        relative = price / self.reference_N[grow]
        slope = self.elasticity_NxT[:, day][grow]
        rate = self.rate_NxT[:, day][grow]
        competitor = (self.competitor_NxT[:, day] / self.reference_N)[grow]
        return rate * _share(self.form, relative, slope, competitor)

    def sell(self, day: int, price_N: Float[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
        """Return units sold, drawn from a negative binomial distribution."""
        mean_N = self.demand(day, price_N)
        return self.random.poisson(mean_N * self.random.gamma(8.0, 1.0 / 8.0, len(mean_N)))


def build(
    form: str, *, seed: int, items: int = 24, history: int = 112, days: int = 364, confounded: bool = True
) -> Shop:
    """Return a shop; its past prices are in `past_NxH`."""
    random = np.random.default_rng((seed, FORMS.index(form)))
    whole = history + days
    category_N = np.arange(items) % CATEGORIES
    typical_K = random.uniform(1.6, 3.6, CATEGORIES)
    slope_N = typical_K[category_N] * np.exp(0.2 * random.standard_normal(items))
    slope_NxT = np.repeat(slope_N[:, None], whole, 1)
    level_N = np.exp(random.normal(2.3, 0.7, items))
    level_NxT = np.repeat(level_N[:, None], whole, 1)
    if form == DRIFTING:
        slope_NxT = slope_NxT * np.exp(_walk(random, items, whole, 0.012))
        level_NxT = level_NxT * np.exp(_walk(random, items, whole, 0.02))
    start_N = np.exp(random.normal(2.5, 0.6, items))
    cost_NxT = start_N[:, None] * np.exp(_walk(random, items, whole, 0.01))
    # Markups miss the best one, 1 / (elasticity - 1), by up to a half.
    best_N = 1.0 / np.maximum(slope_N - 1.0, 0.4)
    markup_N = best_N * np.exp(random.uniform(-0.9, 0.9, items))
    reference_N = start_N * (1.0 + markup_N)
    competitor_NxT = reference_N[:, None] * np.exp(_steps(random, items, whole, 0.1))
    shock_NxT = _autoregressive(random, CATEGORIES, whole, 0.8, 0.12)[category_N]
    rate_NxT = level_NxT * np.exp(shock_NxT) * _WEEK[np.arange(whole) % 7]
    leaning = 0.6 if confounded else 0.0
    noise_NxH = 0.05 * random.standard_normal((items, history))
    past_NxH = cost_NxT[:, :history] * (1.0 + markup_N[:, None]) * np.exp(leaning * shock_NxT[:, :history] + noise_NxH)
    # Prices stand for a week, as guardrails will have it.
    past_NxH = past_NxH[:, 7 * (np.arange(history) // 7)]
    return Shop(
        form, category_N, slope_NxT, rate_NxT, cost_NxT, competitor_NxT, reference_N, shock_NxT, past_NxH, random
    )


def _share(form: str, relative: np.ndarray, slope: np.ndarray, competitor: np.ndarray) -> np.ndarray:
    """Return demand at a relative price, 1 at 1: the elasticity there is `slope`, whatever the form."""
    if form in (CONSTANT, DRIFTING):
        return relative**-slope
    if form == EXPONENTIAL:
        return np.exp(-slope * (relative - 1.0))
    if form == LINEAR:
        return np.maximum(1.0 - slope * (relative - 1.0), 0.02)
    # Shoppers choose between this shop, a competitor, and neither (multinomial logit).
    pull = slope / 0.7
    ours = np.exp(-pull * (relative - 1.0))
    theirs = np.exp(-pull * (competitor - 1.0))
    return ours / (ours + theirs + 4.0 / 3.0) / (1.0 / (2.0 + 4.0 / 3.0))


def _walk(random: np.random.Generator, items: int, days: int, step: float) -> np.ndarray:
    return np.cumsum(step * random.standard_normal((items, days)), axis=1)


def _steps(random: np.random.Generator, items: int, days: int, size: float) -> np.ndarray:
    """Return changes that come every ten days or so, and stand until the next."""
    changes = size * random.standard_normal((items, days)) * (random.random((items, days)) < 0.1)
    last = np.where(changes != 0.0, np.arange(days), 0)
    return np.take_along_axis(changes, np.maximum.accumulate(last, axis=1), axis=1)


def _autoregressive(random: np.random.Generator, rows: int, days: int, keep: float, spread: float) -> np.ndarray:
    noise = spread * np.sqrt(1.0 - keep**2) * random.standard_normal((rows, days))
    shocks = np.zeros((rows, days))
    shocks[:, 0] = spread * random.standard_normal(rows)
    for day in range(1, days):
        shocks[:, day] = keep * shocks[:, day - 1] + noise[:, day]
    return shocks
