"""Learning demand from a history: how fast to forget is chosen by what predicts best, then all is fitted anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from model.pricing import history as histories
from model.pricing import response
from model.pricing.history import History
from model.pricing.response import Draws, Posterior

HALF_LIVES = (np.inf, 60.0, 28.0)
"""In periods."""
_JUDGED = 14
_LEAST_PERIODS = 42


@dataclass(frozen=True)
class Learned:
    """A demand model of a shop."""

    posterior: Posterior
    reference_N: Float[np.ndarray, " N"]
    season_S: Float[np.ndarray, " S"]
    half_life: float

    def log_season(self, periods: Iterable[int]) -> float:
        """Return the log of the mean season over these periods, counted from the history's first one."""
        return float(np.log(np.mean([self.season_S[period % len(self.season_S)] for period in periods])))


def learn(history: History, category_N: Int[np.ndarray, " N"], *, pooled: bool = True) -> Learned:
    """Return the model of what is known. Without `pooled` no item learns from another."""
    reference_N, season_S = histories.references(history), histories.seasons(history)
    half_life = _half_life(history, category_N, reference_N, season_S, pooled=pooled)
    sales = histories.sales(history, reference_N, season_S, half_life=half_life)
    return Learned(response.fit(sales, category_N, pooled=pooled), reference_N, season_S, half_life)


def draws(learned: Learned, count: int, *, seed: int) -> Draws:
    """Return draws of the parameters of all items."""
    return response.draw(learned.posterior, count, seed=seed)


def _half_life(
    history: History,
    category_N: Int[np.ndarray, " N"],
    reference_N: Float[np.ndarray, " N"],
    season_S: Float[np.ndarray, " S"],
    *,
    pooled: bool,
) -> float:
    """Return the half-life with which the last two weeks are predicted best by what came before."""
    periods = history.units_NxT.shape[1]
    if periods < _LEAST_PERIODS:
        return HALF_LIVES[0]
    before = History(*(column[..., : periods - _JUDGED] for column in history))
    # Judged on the last periods alone, at the prices that they had.
    after = histories.sales(history, reference_N, season_S, half_life=np.inf)
    found = []
    for half_life in HALF_LIVES:
        sales = histories.sales(before, reference_N, season_S, half_life=half_life)
        posterior = response.fit(sales, category_N, pooled=pooled)
        found.append(response.log_likelihood(posterior, after, last=_JUDGED))
    return HALF_LIVES[int(np.argmax(found))]
