"""Which price to propose: Thompson sampling on the posterior of demand, inside the guardrails.

Each proposal takes a few draws of the demand's parameters and the allowed price that is best by their mean (Thompson
1933; Russo et al. 2018, A Tutorial on Thompson Sampling). What is unsure is tried, and what is known is used. The share
of such groups that choose the same price is the propensity, which is logged, so that other policies can be judged by it
later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from model.errors import ConfigError
from model.pricing import response
from model.pricing.guardrails import Allowed, Present
from model.pricing.response import Draws

REVENUE, MARGIN, UNITS, CLEAR = "revenue", "margin", "units", "clear"
CAUTION = 4
_BLOCK = 64
"""Items that are computed at once."""
_WISHES = 41
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


class Option(NamedTuple):
    """A price that may be chosen, with which probability, and the units that a period is expected to sell at it."""

    price: int
    share: float
    units: float


@dataclass(frozen=True)
class Choice:
    """A price, with what is expected of it. Money in minor units, amounts for one period.

    `units` and `value` (of the objective) are mean, low and high (80 % interval) at the new price, `before` at the
    present one. `chance` is the probability that the new price is better than the present. `wish` is the best price
    without guardrails. `options` are all prices that might have been chosen, this one too.
    """

    price: int
    propensity: float
    units: tuple[float, float, float]
    value: tuple[float, float, float]
    before: tuple[float, float, float]
    elasticity: tuple[float, float, float]
    chance: float
    wish: float
    options: tuple[Option, ...]


class Distribution(NamedTuple):
    """With which probability each price is chosen: `share_NxP` of `prices_NxP`, the present price first.

    Items with fewer prices than others have their present price at the end too, with a share of 0. `best_GxN` is what
    each group of draws finds best.
    """

    prices_NxP: Float[np.ndarray, "N P"]
    share_NxP: Float[np.ndarray, "N P"]
    best_GxN: Int[np.ndarray, "G N"]
    units_MxNxP: Float[np.ndarray, "M N P"]
    value_MxNxP: Float[np.ndarray, "M N P"]


def choose(questions: Sequence[Question], draws: Draws, *, seed: int, caution: int = CAUTION) -> list[Choice]:
    """Return the chosen price of each item, which may be its present one. Question n is about item n of the draws.

    A choice is the best by the mean of `caution` draws: 1 is Thompson sampling as published, more explores less.

    Raises ConfigError for an unknown objective, or one that lacks what it needs.
    """
    random = np.random.default_rng(seed)
    found: list[Choice] = []
    for at in range(0, len(questions), _BLOCK):
        asked, drawn = questions[at : at + _BLOCK], Draws(*(column[:, at : at + _BLOCK] for column in draws))
        shares = distribution(asked, drawn, caution=caution)
        found += _choices(asked, drawn, shares, pick(shares, random))
    return found


def pick(shares: Distribution, random: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Return which of its prices each item gets: what one group of draws, drawn for it, finds best."""
    groups, items = shares.best_GxN.shape
    return shares.best_GxN[random.integers(groups, size=items), np.arange(items)]


def distribution(questions: Sequence[Question], draws: Draws, *, caution: int = CAUTION) -> Distribution:
    """Return with which probability each item gets which price."""
    prices_NxP = _padded(questions)
    units_MxNxP = _units(questions, draws, prices_NxP)
    value_MxNxP = _values(questions, units_MxNxP, prices_NxP)
    draws_, items, width = value_MxNxP.shape
    groups = max(draws_ // caution, 1)
    best_GxN = value_MxNxP[: groups * caution].reshape(groups, -1, items, width).mean(1).argmax(-1)
    share_NxP = (best_GxN[..., None] == np.arange(width)).mean(0)
    return Distribution(prices_NxP, share_NxP, best_GxN, units_MxNxP, value_MxNxP)


def demand(question: Question, draws: Draws, item: int, prices_P: Float[np.ndarray, " P"]) -> Float[np.ndarray, "M P"]:
    """Return the expected units of one period at each price, under each draw."""
    alone = Draws(*(column[:, item : item + 1] for column in draws))
    return _units([question], alone, np.asarray(prices_P, np.float64)[None, :])[:, 0]


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


def _padded(questions: Sequence[Question]) -> Float[np.ndarray, "N P"]:
    """Return the present price and the allowed ones of each item; the first of equal ones is found best."""
    width = 1 + max((len(question.allowed.prices) for question in questions), default=0)
    prices_NxP = np.repeat(np.array([[question.present.price] for question in questions], np.float64), width, axis=1)
    for n, question in enumerate(questions):
        prices_NxP[n, 1 : 1 + len(question.allowed.prices)] = question.allowed.prices
    return prices_NxP


def _units(
    questions: Sequence[Question], draws: Draws, prices_NxP: Float[np.ndarray, "N P"]
) -> Float[np.ndarray, "M N P"]:
    width = draws.effects_MxNxC.shape[2]
    effects = [question.effects_C or (0.0,) * width for question in questions]
    effects_NxC = np.array(effects, np.float64).reshape(len(questions), width)
    reference_N = np.array([question.reference for question in questions], np.float64)
    exposure_N = np.array([question.log_exposure for question in questions])
    level_MxN = draws.level_MxN + exposure_N + np.einsum("mnc,nc->mn", draws.effects_MxNxC, effects_NxC)
    r_MxNxP = response.response(np.log(prices_NxP / reference_N[:, None])[None], draws.bend_MxN[..., None])
    return np.exp(np.clip(level_MxN[..., None] - draws.elasticity_MxN[..., None] * r_MxNxP, -15.0, 15.0))


def _values(questions: Sequence[Question], units_MxNxP: np.ndarray, prices_NxP: np.ndarray) -> np.ndarray:
    found = [value(question, units_MxNxP[:, n], prices_NxP[n]) for n, question in enumerate(questions)]
    return np.stack(found, axis=1)


def _choices(questions: Sequence[Question], draws: Draws, shares: Distribution, picked_N: np.ndarray) -> list[Choice]:
    at = np.arange(len(questions))
    price_N = shares.prices_NxP[at, picked_N]
    reference_N = np.array([question.reference for question in questions], np.float64)
    value_MxN, before_MxN = shares.value_MxNxP[:, at, picked_N], shares.value_MxNxP[:, :, 0]
    units, values, before = map(_intervals, (shares.units_MxNxP[:, at, picked_N], value_MxN, before_MxN))
    slopes = _intervals(response.elasticity(draws, np.log(price_N / reference_N)))
    chance_N = (value_MxN > before_MxN).mean(0)
    wish_N = _wishes(questions, draws)
    return [
        Choice(
            price=int(price_N[n]),
            propensity=float(shares.share_NxP[n, picked_N[n]]),
            units=units[n],
            value=values[n],
            before=before[n],
            elasticity=slopes[n],
            chance=float(chance_N[n]),
            wish=float(wish_N[n]),
            options=_options(shares, n),
        )
        for n in at
    ]


def _options(shares: Distribution, n: int) -> tuple[Option, ...]:
    may = np.flatnonzero(shares.share_NxP[n])
    units_P = shares.units_MxNxP[:, n, may].mean(0)
    return tuple(
        Option(int(price), float(share), float(units))
        for price, share, units in zip(shares.prices_NxP[n, may], shares.share_NxP[n, may], units_P, strict=True)
    )


def _wishes(questions: Sequence[Question], draws: Draws) -> Float[np.ndarray, " N"]:
    """Return the price between a half and twice the present one that is best by the mean over the draws."""
    present_N = np.array([question.present.price for question in questions], np.float64)
    prices_NxP = present_N[:, None] * np.exp(np.linspace(-np.log(2.0), np.log(2.0), _WISHES))
    values_MxNxP = _values(questions, _units(questions, draws, prices_NxP), prices_NxP)
    return prices_NxP[np.arange(len(questions)), values_MxNxP.mean(0).argmax(1)]


def _intervals(values_MxN: Float[np.ndarray, "M N"]) -> list[tuple[float, float, float]]:
    low_N, high_N = np.quantile(values_MxN, (0.1, 0.9), axis=0)
    return list(zip(values_MxN.mean(0).tolist(), low_N.tolist(), high_N.tolist(), strict=True))
