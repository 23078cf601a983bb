"""What would have been sold at other prices: learned from a shop's confounded past, judged on its unconfounded twin.

The twin has the same demand, and every week it sets prices that depend on nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from model.pricing import learning, response
from model.pricing.evaluation import simulated, simulation
from model.pricing.history import COMPETITOR, History

PAST, AHEAD = 336, 28
"""Days that are learned from, and days that are predicted."""

_FURTHEST = 0.25
_DRAWS = 200


class Trial(NamedTuple):
    """A shop's past, and its twin in the days after it.

    `known` is what is known of both, without the twin's units; `mean` what the twin sells on average, and `sold` what
    it sold ("N T", of the days ahead).
    """

    category_N: Int[np.ndarray, " N"]
    known: History
    mean_NxT: Float[np.ndarray, "N T"]
    sold_NxT: Float[np.ndarray, "N T"]


def trial(form: str, *, seed: int, items: int = 24) -> Trial:
    """Return a confounded shop and its twin."""
    shop = simulated.build(form, seed=seed, items=items, history=PAST, days=AHEAD)
    log = simulation.begun(shop, AHEAD)
    random = np.random.default_rng((seed, PAST))
    factor_NxT = np.exp(random.uniform(-_FURTHEST, _FURTHEST, (items, AHEAD)))[:, 7 * (np.arange(AHEAD) // 7)]
    days = np.arange(PAST, PAST + AHEAD)
    log.price_NxT[:, PAST:] = shop.past_NxH[:, -1:] * factor_NxT
    log.chosen_NxT[:, PAST:] = True
    mean_NxT = np.stack([shop.demand(day, log.price_NxT[:, day]) for day in days], axis=1)
    sold_NxT = np.stack([shop.sell(day, log.price_NxT[:, day]) for day in days], axis=1)
    return Trial(shop.category_N, log, mean_NxT, sold_NxT)


def ours(trial: Trial) -> Float[np.ndarray, "N T"]:
    """Return what the hierarchical model expects."""
    past = History(*(column[..., :PAST] for column in trial.known))
    learned = learning.learn(past, trial.category_N, period_days=1.0)
    draws = learning.draws(learned, _DRAWS, seed=0)
    reference_Nx1 = learned.reference_N[:, None]
    competitor_NxT = np.log(trial.known.competitor_NxT[:, PAST:] / reference_Nx1)
    r_MxNxT = response.response(
        np.log(trial.known.price_NxT[:, PAST:] / reference_Nx1)[None], draws.bend_MxN[..., None]
    )
    rivals_MxNxT = draws.effects_MxNxC[..., COMPETITOR][..., None] * competitor_NxT[None]
    season_T = np.log(learned.season_S[trial.known.season_T[PAST:]])
    log_MxNxT = draws.level_MxN[..., None] + season_T + rivals_MxNxT - draws.elasticity_MxN[..., None] * r_MxNxT
    return np.exp(log_MxNxT).mean(0)
