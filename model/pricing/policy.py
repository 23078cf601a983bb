"""Which price to propose: Thompson sampling on the posterior of demand, inside the guardrails.

Each proposal takes one draw of the demand's parameters and the allowed price that is best under it (Thompson 1933;
Russo et al. 2018, A Tutorial on Thompson Sampling). What is unsure is tried, and what is known is used. The share of
draws that choose the same price is the propensity, which is logged, so that other policies can be judged by it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from model.errors import ConfigError
from model.pricing import response
from model.pricing.guardrails import Allowed, Present
from model.pricing.response import Draws

REVENUE, MARGIN, UNITS, CLEAR = "revenue", "margin", "units", "clear"
CAUTION = 8
OBJECTIVES = (REVENUE, MARGIN, UNITS, CLEAR)


@dataclass(frozen=True)
class Question:
    """What to price: an item as it is, what it may change to, and what for.

    `log_exposure` is the offset of the days that the price is for; `reference` the price that the model's slopes are
    relative to, in minor units; `effects_C` the covariates then. `stock` and `periods` are read for the objective
    `clear`: pieces to be sold within so many periods.
    """

    present: Present
    allowed: Allowed
    reference: int
    objective: str = MARGIN
    log_exposure: float = 0.0
    effects_C: tuple[float, ...] = ()
    stock: float | None = None
    periods: int = 1


@dataclass(frozen=True)
class Choice:
    """A price, with what is expected of it. Money in minor units, amounts for one period.

    `units` and `value` (of the objective) are mean, low and high (80 % interval) at the new price, `before` at the
    present one. `chance` is the probability that the new price is better than the present. `wish` is the best price
    without guardrails.
    """

    price: int
    propensity: float
    units: tuple[float, float, float]
    value: tuple[float, float, float]
    before: tuple[float, float, float]
    elasticity: tuple[float, float, float]
    chance: float
    wish: float


def choose(questions: Sequence[Question], draws: Draws, *, seed: int, caution: int = CAUTION) -> list[Choice]:
    """Return the chosen price of each item, which may be its present one. Question n is about item n of the draws.

    A choice is the best by the mean of `caution` draws: 1 is Thompson sampling as published, more explores less.

    Raises ConfigError for an unknown objective, or one that lacks what it needs.
    """
    random = np.random.default_rng(seed)
    return [_choose(question, draws, n, random, caution) for n, question in enumerate(questions)]


def demand(question: Question, draws: Draws, item: int, prices_P: Float[np.ndarray, " P"]) -> Float[np.ndarray, "M P"]:
    """Return the expected units of one period at each price, under each draw."""
    x_P = np.log(np.asarray(prices_P) / question.reference)
    r_MxP = response.response(x_P[None, :], draws.bend_MxN[:, item, None])
    effects_M = draws.effects_MxNxC[:, item, :] @ np.asarray(question.effects_C or [0.0] * draws.effects_MxNxC.shape[2])
    log_MxP = (
        question.log_exposure
        + (draws.level_MxN[:, item] + effects_M)[:, None]
        - draws.elasticity_MxN[:, item, None] * r_MxP
    )
    return np.exp(np.clip(log_MxP, -15.0, 15.0))


def value(
    question: Question, units: Float[np.ndarray, "*S"], price: Float[np.ndarray, "*S"]
) -> Float[np.ndarray, "*S"]:
    """Return the objective for these units at this price; both broadcast."""
    if question.objective == REVENUE:
        return units * price
    if question.objective == MARGIN:
        return units * (price - _cost(question))
    if question.objective == UNITS:
        return units + 0.0 * price
    if question.objective == CLEAR:
        if question.stock is None:
            raise ConfigError("to clear stock the item's stock has to be known; send it, or choose another objective")
        # What is not sold by then is worth nothing; beyond the stock nothing more is sold.
        return np.minimum(units, question.stock / max(question.periods, 1)) * price
    raise ConfigError(f"{question.objective!r} is no objective; choose one of {', '.join(OBJECTIVES)}")


def _cost(question: Question) -> float:
    if question.present.cost is None:
        raise ConfigError("the objective `margin` needs the item's cost; send it, or choose `revenue`")
    return float(question.present.cost)


def _choose(question: Question, draws: Draws, item: int, random: np.random.Generator, caution: int) -> Choice:
    prices_P = np.array([question.present.price, *question.allowed.prices], np.float64)
    units_MxP = demand(question, draws, item, prices_P)
    value_MxP = value(question, units_MxP, prices_P)
    groups = max(len(value_MxP) // caution, 1)
    best_G = value_MxP[: groups * caution].reshape(groups, -1, len(prices_P)).mean(1).argmax(1)
    chosen = int(best_G[random.integers(groups)])
    x = np.log(prices_P[chosen] / question.reference)
    slope_M = draws.elasticity_MxN[:, item] * np.exp(draws.bend_MxN[:, item] * x)
    return Choice(
        price=int(prices_P[chosen]),
        propensity=float((best_G == chosen).mean()),
        units=_interval(units_MxP[:, chosen]),
        value=_interval(value_MxP[:, chosen]),
        before=_interval(value_MxP[:, 0]),
        elasticity=_interval(slope_M),
        chance=float((value_MxP[:, chosen] > value_MxP[:, 0]).mean()),
        wish=_wish(question, draws, item),
    )


def _wish(question: Question, draws: Draws, item: int) -> float:
    """Return the price between a half and twice the present one that is best by the mean over the draws."""
    prices_P = question.present.price * np.exp(np.linspace(-np.log(2.0), np.log(2.0), 61))
    values_P = value(question, demand(question, draws, item, prices_P), prices_P).mean(0)
    return float(prices_P[values_P.argmax()])


def _interval(values_M: Float[np.ndarray, " M"]) -> tuple[float, float, float]:
    low, high = np.quantile(values_M, (0.1, 0.9))
    return float(values_M.mean()), float(low), float(high)
