"""A policy at work in a simulated shop, beside fixed prices, who knows the demand, and plain Thompson sampling."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from model.pricing import guardrails, learning, money, policy
from model.pricing.evaluation.offline import Round
from model.pricing.evaluation.simulated import Shop
from model.pricing.guardrails import Guardrails, Present
from model.pricing.history import History
from model.pricing.policy import Question

RAILS = Guardrails(
    margin=0.05,
    step=0.15,
    cooldown_hours=144.0,
    competitor=(0.5, 2.5),
    endings=(money.ending(".99"), money.ending(".49")),
)
_RETHINK_DAYS = 7


@dataclass
class Outcome:
    """What one policy earned: the expected profit of each day, and the change of prices it made."""

    profit_T: list[float]
    changes: int = 0
    violations: int = 0
    proposals: int = 0


Proposer = Callable[[Shop, History, list[Present], int], list[int]]
"""Returns the next price of each item, in minor units; the present one for no change."""


def run(shop: Shop, propose: Proposer, days: int, rails: Guardrails = RAILS) -> tuple[Outcome, History]:
    """Return what a policy earns over the days after the shop's history; prices are looked at every week."""
    past = shop.past_NxH.shape[1]
    items = len(shop.reference_N)
    log = begun(shop, days)
    price_N = np.array([money.to_minor(price) for price in shop.past_NxH[:, -1]])
    changed_N = np.full(items, -1000)
    outcome = Outcome([])
    for day in range(past, past + days):
        if (day - past) % _RETHINK_DAYS == 0:
            present = _present(shop, price_N, changed_N, day)
            wanted_N = np.array(propose(shop, _until(log, day), present, day))
            for n in np.flatnonzero(wanted_N != price_N):
                outcome.violations += len(guardrails.violations(present[n], int(wanted_N[n]), rails))
                outcome.changes += 1
            outcome.proposals += items
            changed_N = np.where(wanted_N != price_N, day, changed_N)
            price_N = wanted_N
        money_N = price_N / 100.0
        units_N = shop.demand(day, money_N)
        outcome.profit_T.append(float((units_N * (money_N - shop.cost_NxT[:, day])).sum()))
        log.units_NxT[:, day] = shop.sell(day, money_N)
        log.price_NxT[:, day] = money_N
        log.chosen_NxT[:, day] = True
    return outcome, log


def fixed(shop: Shop, log: History, present: list[Present], day: int) -> list[int]:
    """Change nothing."""
    return [each.price for each in present]


def clairvoyant(shop: Shop, log: History, present: list[Present], day: int) -> list[int]:
    """Take the allowed price of the highest true profit over the days that it will stand."""
    found = []
    for n, each in enumerate(present):
        prices_P = np.array([each.price, *guardrails.allowed(each, RAILS).prices]) / 100.0
        last = min(day + _RETHINK_DAYS, shop.cost_NxT.shape[1])
        profit_P = sum(
            shop.demand(d, np.tile(prices_P, (len(shop.reference_N), 1)))[n] * (prices_P - shop.cost_NxT[n, d])
            for d in range(day, last)
        )
        found.append(round(100 * prices_P[int(np.argmax(profit_P))]))
    return found


def mistaken(error: float, *, seed: int) -> Proposer:
    """Return who knows all but the elasticities: in logs each item's is off by a normal error of this deviation."""

    def propose(shop: Shop, log: History, present: list[Present], day: int) -> list[int]:
        noise_N = np.random.default_rng(seed).standard_normal(len(shop.reference_N))
        wrong_NxT = shop.elasticity_NxT * np.exp(error * noise_N)[:, None]
        return clairvoyant(dataclasses.replace(shop, elasticity_NxT=wrong_NxT), log, present, day)

    return propose


class Learner:
    """Thompson sampling on the hierarchical model, or with `pooled=False` on items that share only the demand's form.

    `rounds` are its choices with their propensities; what they earned is put in by `settle`.
    """

    def __init__(self, *, seed: int, pooled: bool = True, caution: int = policy.CAUTION) -> None:
        self._seed = seed
        self._pooled = pooled
        self._caution = caution
        self._learned: learning.Learned | None = None
        self.rounds: list[tuple[int, Round]] = []

    def __call__(self, shop: Shop, log: History, present: list[Present], day: int) -> list[int]:
        """Fit what is known so far, and choose."""
        category_N = shop.category_N if self._pooled else np.zeros_like(shop.category_N)
        learned = self._learned = learning.learn(
            log, category_N, period_days=1.0, pooled=self._pooled, before=self._learned
        )
        draws = learning.draws(learned, 256, seed=self._seed * 10_000 + day)
        shares = policy.distribution(_questions(learned, present, day), draws, caution=self._caution)
        picked_N = policy.pick(shares, np.random.default_rng((self._seed, day)))
        expected_NxP = shares.value_MxNxP.mean(0) * _RETHINK_DAYS / 100.0
        at = np.arange(len(present))
        self.rounds.append((day, Round(shares.prices_NxP, shares.share_NxP, picked_N, 0.0 * at, expected_NxP)))
        return [int(price) for price in shares.prices_NxP[at, picked_N]]


def settled(shop: Shop, learner: Learner, log: History) -> list[Round]:
    """Return the learner's rounds with what each item really earned until the next, chance included."""
    found = []
    for day, round_ in learner.rounds:
        days = slice(day, day + _RETHINK_DAYS)
        margin_NxT = log.price_NxT[:, days] - shop.cost_NxT[:, days]
        found.append(round_._replace(earned_N=(log.units_NxT[:, days] * margin_NxT).sum(1)))
    return found


def truth(shop: Shop, learner: Learner) -> list[Float[np.ndarray, "N P"]]:
    """Return for each of the learner's rounds what every price would have earned on average."""
    found = []
    for day, round_ in learner.rounds:
        price_NxP = round_.prices_NxP / 100.0
        days = range(day, min(day + _RETHINK_DAYS, shop.cost_NxT.shape[1]))
        found.append(sum(shop.demand(d, price_NxP) * (price_NxP - shop.cost_NxT[:, d, None]) for d in days))
    return found


def _questions(learned: learning.Learned, present: list[Present], day: int) -> list[Question]:
    exposure = learned.log_season(range(day, day + _RETHINK_DAYS))
    reference_N = learned.reference_N
    return [
        Question(
            each,
            guardrails.allowed(each, RAILS),
            money.to_minor(float(reference_N[n])),
            log_exposure=exposure,
            effects_C=(0.0, float(np.log(each.competitor / 100.0 / reference_N[n])), 0.0),
        )
        for n, each in enumerate(present)
    ]


def begun(shop: Shop, days: int) -> History:
    """Return what is known of a shop's past, with room for so many days after it."""
    items, past = shop.past_NxH.shape
    whole = past + days
    units_NxT, price_NxT = np.full((items, whole), np.nan), np.full((items, whole), np.nan)
    price_NxT[:, :past] = shop.past_NxH
    for day in range(past):
        units_NxT[:, day] = shop.sell(day, shop.past_NxH[:, day])
    none = np.zeros((items, whole))
    return History(
        units_NxT,
        price_NxT,
        shop.cost_NxT,
        shop.competitor_NxT,
        none,
        np.arange(whole) % 7,
        np.zeros((items, whole), bool),
    )


def _until(log: History, day: int) -> History:
    return History(*(column[..., :day] for column in log))


def _present(shop: Shop, price_N: Float[np.ndarray, " N"], changed_N: np.ndarray, day: int) -> list[Present]:
    return [
        Present(
            int(price_N[n]),
            round(100 * shop.cost_NxT[n, day]),
            round(100 * shop.competitor_NxT[n, day]),
            24.0 * (day - changed_N[n]),
        )
        for n in range(len(price_N))
    ]
