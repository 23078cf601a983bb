"""What the demand model learns from: sales by item and period, with what else moved demand and prices.

All arrays are by item ("N") and period ("T"), in time order; NaN is unknown. A period is `period_days` long: 1 in
simulated shops, 7 in a running one. Constants of time are in days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from model.batching import power_of_two
from model.pricing import first_stage
from model.pricing.response import Sales

COVARIATES = ("price residual", "competitor", "promotion")
RESIDUAL, COMPETITOR, PROMOTION = range(len(COVARIATES))
FASHION = len(COVARIATES)
"""The column after them: what `fashions` says, 0 until it is put in. Nobody knows it of a time to come."""

_SMOOTHED_DAYS = 14
_DRIFTS = 8
_YEAR_DAYS = 364.0
# Of what is taken for usual: demand moves by 0.15 in logs over a year. The data say how much it does.
_USUAL_DRIFT = 0.3
_USUAL_UNITS = 2.0


class History(NamedTuple):
    """What happened. `units` >= 0, NaN where the item could not be had; prices and costs in units of currency.

    `chosen_NxT` is True where a policy of known propensities set the price: such a price is confounded by nothing.
    """

    units_NxT: Float[np.ndarray, "N T"]
    price_NxT: Float[np.ndarray, "N T"]
    cost_NxT: Float[np.ndarray, "N T"]
    competitor_NxT: Float[np.ndarray, "N T"]
    promotion_NxT: Float[np.ndarray, "N T"]
    season_T: Int[np.ndarray, " T"]
    chosen_NxT: np.ndarray


def references(history: History) -> Float[np.ndarray, " N"]:
    """Return the price that each item's slopes are relative to: the median of its prices."""
    return np.nanmedian(history.price_NxT, axis=1)


def sales(
    history: History,
    reference_N: Float[np.ndarray, " N"],
    season_S: Float[np.ndarray, " S"],
    *,
    period_days: float,
    half_life_days: float,
) -> Sales:
    """Return the model's input; `half_life_days` says how fast the past is forgotten (infinity: never)."""
    periods = history.units_NxT.shape[1]
    sold_NxT = ~np.isnan(history.units_NxT) & ~np.isnan(history.price_NxT)
    price_NxT = np.nan_to_num(np.log(history.price_NxT / reference_N[:, None]))
    drifts = [np.broadcast_to(column, sold_NxT.shape) for column in drifting(periods, period_days).T]
    known = (residuals(history, reference_N), *rivals(history, reference_N), np.zeros(sold_NxT.shape))
    covariates_NxTxC = np.stack([*known, *drifts], axis=-1)
    offset_NxT = np.broadcast_to(np.log(season_S[history.season_T]), sold_NxT.shape)
    age_days_T = np.arange(periods)[::-1] * period_days
    weight_NxT = sold_NxT * 0.5 ** (age_days_T / half_life_days)
    room = power_of_two(periods, least=64) - periods

    def padded(column: np.ndarray) -> np.ndarray:
        return np.pad(column, [(0, 0), (room, 0)] + [(0, 0)] * (column.ndim - 2))

    return Sales(*map(padded, (np.nan_to_num(history.units_NxT), price_NxT, covariates_NxTxC, offset_NxT, weight_NxT)))


def fashions(
    sales: Sales, expected_NxT: Float[np.ndarray, "N T"], category_N: Int[np.ndarray, " N"], heft_N: np.ndarray
) -> Float[np.ndarray, "N T"]:
    """Return by how much, in logs, the other items of each one's category sold more than expected, over three periods.

    A demand that a whole category shares would else look like the effect of prices that changed then. `heft_N` is how
    much a unit of each item says. The model estimates how far an item follows the others.
    """
    member_NxK = np.eye(int(category_N.max(initial=0)) + 1)[category_N]

    def others(units_NxT: np.ndarray) -> np.ndarray:
        own_NxT = _three(units_NxT * (sales.weight_NxT > 0.0) * heft_N[:, None])
        return (member_NxK @ (member_NxK.T @ own_NxT) - own_NxT) + _USUAL_UNITS

    return np.log(others(sales.units_NxT) / others(expected_NxT))


def _three(values_NxT: np.ndarray) -> np.ndarray:
    edge_NxT = np.pad(values_NxT, [(0, 0), (1, 1)])
    return 0.5 * edge_NxT[:, 1:-1] + 0.25 * (edge_NxT[:, :-2] + edge_NxT[:, 2:])


def drifting(periods: int, period_days: float) -> Float[np.ndarray, "T K"]:
    """Return slow waves that a random walk over these periods is made of (its Karhunen-Loève expansion).

    With independent coefficients of one variance their sum is the path of a random walk, but for its small steps: an
    item's level may drift, and what is known of its response to prices is not forgotten for that. All waves are flat at
    the end, so the next periods are expected to be as the last.
    """
    wave_K = (np.arange(_DRIFTS) + 0.5) * np.pi
    time_T = (np.arange(periods) + 1.0) / periods
    scale = _USUAL_DRIFT * np.sqrt(2.0 * periods * period_days / _YEAR_DAYS)
    return scale * np.sin(time_T[:, None] * wave_K) / wave_K


def rivals(
    history: History, reference_N: Float[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, "N T"], Float[np.ndarray, "N T"]]:
    """Return the log of the competitor's price by the reference, 0 where none is known, and the promotions."""
    competitor_NxT = np.nan_to_num(np.log(history.competitor_NxT / reference_N[:, None]))
    return competitor_NxT, np.nan_to_num(history.promotion_NxT)


def residuals(history: History, reference_N: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N T"]:
    """Return what of an item's log price cost, competitor and promotion do not explain.

    Prices that a policy chose have no residual: nothing unknown moved them. Nor has an item of unknown cost: without
    something that moves its price and not its demand, the two effects of a price cannot be told apart.
    """
    columns = (np.log(history.cost_NxT), *rivals(history, reference_N))
    known_NxT = ~np.isnan(history.price_NxT) & ~np.isnan(history.cost_NxT) & ~history.chosen_NxT
    return first_stage.residuals(np.log(history.price_NxT / reference_N[:, None]), columns, known_NxT)


def seasons(history: History, period_days: float) -> Float[np.ndarray, " S"]:
    """Return the demand of each part of the season (such as weekdays), 1 on average over the periods."""
    total_T = np.nansum(history.units_NxT, axis=0)
    width = min(max(round(_SMOOTHED_DAYS / period_days), 1), len(total_T))
    kernel = np.ones(width) / width
    trend_T = np.convolve(np.pad(total_T, (width // 2, width - 1 - width // 2), mode="edge"), kernel, mode="valid")
    count = int(history.season_T.max()) + 1
    ratio_S = np.array(
        [
            (total_T[history.season_T == s].sum() + 1.0) / (trend_T[history.season_T == s].sum() + 1.0)
            for s in range(count)
        ]
    )
    return ratio_S / ratio_S[history.season_T].mean()
