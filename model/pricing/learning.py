"""Learning demand from a history: how fast to forget is chosen by what predicts best, then all is fitted anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from model.pricing import history as histories
from model.pricing import response
from model.pricing.history import History
from model.pricing.response import Draws, Posterior, Sales

HALF_LIFE_DAYS = 364.0
"""Of what is known of elasticities. Levels drift in the model itself."""


@dataclass(frozen=True)
class Learned:
    """A demand model of a shop."""

    posterior: Posterior
    reference_N: Float[np.ndarray, " N"]
    season_S: Float[np.ndarray, " S"]
    periods: int
    period_days: float

    def log_season(self, periods: Iterable[int]) -> float:
        """Return the log of the mean season over these periods, counted from the history's first one."""
        return float(np.log(np.mean([self.season_S[period % len(self.season_S)] for period in periods])))


def learn(
    history: History,
    category_N: Int[np.ndarray, " N"],
    *,
    period_days: float,
    pooled: bool = True,
    before: Learned | None = None,
) -> Learned:
    """Return the model of what is known, whose units are those of one period.

    Without `pooled` items share nothing but the form of their category's demand.

    `before` is what was learned of the same items a little earlier: the fit begins there, and is ten times as fast.
    """
    reference_N, season_S = histories.references(history), histories.seasons(history, period_days)
    sales = histories.sales(history, reference_N, season_S, period_days=period_days, half_life_days=HALF_LIFE_DAYS)
    fit = partial(response.fit, pooled=pooled, period_days=period_days)
    posterior = fit(sales, category_N) if before is None else before.posterior
    if pooled:
        sales = _with_fashions(sales, posterior, category_N)
    posterior = fit(sales, category_N, start=posterior)
    return Learned(posterior, reference_N, season_S, history.units_NxT.shape[1], period_days)


def draws(learned: Learned, count: int, *, seed: int) -> Draws:
    """Return draws of the parameters of all items; the levels are those after the last period."""
    found = response.draw(learned.posterior, count, seed=seed)
    known, drift_K = len(histories.COVARIATES), histories.drifting(learned.periods, learned.period_days)[-1]
    level_MxN = found.level_MxN + found.effects_MxNxC[..., histories.FASHION + 1 :] @ drift_K
    return found._replace(level_MxN=level_MxN, effects_MxNxC=found.effects_MxNxC[..., :known])


def _with_fashions(sales: Sales, posterior: Posterior, category_N: Int[np.ndarray, " N"]) -> Sales:
    expected_NxT = response.expected(posterior, sales)
    covariates_NxTxC = sales.covariates_NxTxC.copy()
    covariates_NxTxC[..., histories.FASHION] = histories.fashions(
        sales, expected_NxT, category_N, 1.0 / posterior.dispersion_N
    )
    return sales._replace(covariates_NxTxC=covariates_NxTxC)
