"""The pricing policy in simulated shops with a known demand: what it earns, and whether its log tells the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model import metrics
from model.pricing import policy
from model.pricing.evaluation import counterfactual, offline, regret, simulated, simulation, stress
from model.pricing.evaluation.offline import Estimate
from model.pricing.evaluation.simulation import Learner, Outcome
from model.pricing.evaluation.stress import Checked
from workers.evaluate import reports
from workers.evaluate.simulated import lightgbm_demand

OURS, PLAIN, FIXED, BEST = "reshelf", "plain Thompson sampling", "fixed prices", "clairvoyant"
LEARNERS = (OURS, PLAIN)
IPS, ROBUST = "inverse propensity", "doubly robust"
ESTIMATORS = {IPS: offline.inverse_propensity, ROBUST: offline.doubly_robust}
ERRORS = {"10 %": 0.1, "20 %": 0.2, "30 %": 0.3}
"""How far those are off who know the demand but for its elasticities."""
QUARTERS = 4

_PACKAGES = ("jax", "lightgbm", "numpy", "scipy")
_SEEDS_APART = 1_000


@dataclass(frozen=True)
class Asked:
    """What is simulated: see `reshelf pricing simulate`. Shops take turns in the forms of demand."""

    shops: int = 20
    seed: int = 0
    days: int = 364
    items: int = 24
    proposals: int = 1_000_000

    def each(self) -> Iterable[tuple[str, int]]:
        """Return form and seed of every shop."""
        forms = simulated.FORMS
        return [(forms[n % len(forms)], self.seed * _SEEDS_APART + n // len(forms)) for n in range(self.shops)]


@dataclass(frozen=True)
class Judged:
    """One offline estimate of a policy, and what the policy would have earned."""

    policy: str
    estimator: str
    estimate: Estimate
    truth: float

    def holds(self) -> bool:
        """Return whether the truth is inside the interval."""
        return self.estimate.low <= self.truth <= self.estimate.high


@dataclass(frozen=True)
class Played:
    """One shop: the outcome of each arm, offline estimates from our log, and WMAPE at imagined prices by model."""

    form: str
    seed: int
    outcomes: dict[str, Outcome]
    judged: tuple[Judged, ...]
    wmape: dict[str, float]
    wmape_of_units: dict[str, float]

    def profit_T(self, arm: str) -> np.ndarray:
        """Return the expected profit of each day."""
        return np.array(self.outcomes[arm].profit_T)

    def captured(self, arm: str, days: slice = slice(None)) -> float:
        """Return the arm's share of the clairvoyant gain."""
        return regret.captured(*(self.profit_T(name)[days] for name in (arm, FIXED, BEST)))

    def regret_T(self, arm: str) -> np.ndarray:
        """Return the arm's regret so far, by day."""
        return regret.cumulative(self.profit_T(arm), self.profit_T(BEST))


@dataclass(frozen=True)
class Simulation:
    """All that was measured."""

    asked: Asked
    shops: tuple[Played, ...]
    checked: Checked

    def by_form(self) -> dict[str, list[Played]]:
        """Return the shops by form of demand."""
        return {form: found for form in simulated.FORMS if (found := [s for s in self.shops if s.form == form])}

    def coverage(self, estimator: str) -> tuple[int, int]:
        """Return how many intervals of the estimator hold the truth, and how many there are."""
        found = [each.holds() for shop in self.shops for each in shop.judged if each.estimator == estimator]
        return sum(found), len(found)


@dataclass
class _Arms:
    """The arms of one shop, each in a fresh copy of it."""

    form: str
    seed: int
    asked: Asked
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    judged: tuple[Judged, ...] = ()

    def run(self) -> None:
        caution = {OURS: policy.CAUTION, PLAIN: 1}
        others = {name: simulation.mistaken(error, seed=self.seed) for name, error in ERRORS.items()}
        for name, propose in ({FIXED: simulation.fixed, BEST: simulation.clairvoyant} | others).items():
            self.outcomes[name], _ = simulation.run(self._shop(), propose, self.asked.days)
        for name in LEARNERS:
            shop = self._shop()
            learner = Learner(seed=self.seed, pooled=name == OURS, caution=caution[name])
            self.outcomes[name], log = simulation.run(shop, learner, self.asked.days)
            if name == OURS:
                self.judged = tuple(_judged(shop, learner, log))

    def _shop(self) -> simulated.Shop:
        return simulated.build(self.form, seed=self.seed, items=self.asked.items, days=self.asked.days)


def run(asked: Asked, report: Callable[[str], None] = lambda _: None) -> Simulation:
    """Return what the policy earns in every shop, beside the other arms."""
    shops = []
    for n, (form, seed) in enumerate(asked.each()):
        shops.append(_played(form, seed, asked))
        shares = ", ".join(f"{name} {shops[-1].captured(name):.2f}" for name in LEARNERS)
        report(f"shop {n + 1} of {asked.shops}, {form}: share of the clairvoyant gain: {shares}")
    checked = stress.check(asked.proposals, seed=asked.seed)
    return Simulation(asked, tuple(shops), checked)


def as_json(found: Simulation) -> dict[str, Any]:
    """Return the figures, by form of demand and over all shops, and what they were measured on."""
    groups = found.by_form() | {"all": list(found.shops)}
    return {
        "shops": found.asked.shops,
        "seed": found.asked.seed,
        "days": found.asked.days,
        "items": found.asked.items,
        "device": reports.device(),
        "versions": reports.versions(_PACKAGES),
        "kinds": {name: _kind(shops) for name, shops in groups.items()},
        "guardrails": guardrails(found),
        "offline": {name: _offline(found, name) for name in ESTIMATORS},
    }


def guardrails(found: Simulation) -> dict[str, Any]:
    """Return how many proposals were checked, in shops and in random states, and how many broke a limit."""
    played = [shop.outcomes[name] for shop in found.shops for name in LEARNERS]
    return {
        "proposals": found.checked.proposals + sum(each.proposals for each in played),
        "changes": found.checked.changes + sum(each.changes for each in played),
        "violations": sum(found.checked.violations.values()) + sum(each.violations for each in played),
    }


def _played(form: str, seed: int, asked: Asked) -> Played:
    arms = _Arms(form, seed, asked)
    arms.run()
    trial = counterfactual.trial(form, seed=seed, items=asked.items)
    expected = {OURS: counterfactual.ours(trial), lightgbm_demand.NAME: lightgbm_demand.expected(trial, seed=seed)}
    of_mean = {name: metrics.wape(trial.mean_NxT, units) for name, units in expected.items()}
    of_units = {name: metrics.wape(trial.sold_NxT, units) for name, units in expected.items()}
    return Played(form, seed, arms.outcomes, arms.judged, of_mean, of_units)


def _judged(shop: simulated.Shop, learner: Learner, log: Any) -> Iterable[Judged]:
    rounds, truth = simulation.settled(shop, learner, log), simulation.truth(shop, learner)
    for name, other in offline.POLICIES.items():
        earned = [float((other(each) * true_NxP).sum()) for each, true_NxP in zip(rounds, truth, strict=True)]
        for estimator, estimate in ESTIMATORS.items():
            yield Judged(name, estimator, estimate(rounds, other), float(np.mean(earned)))


def _kind(shops: list[Played]) -> dict[str, Any]:
    found: dict[str, Any] = {"shops": len(shops)}
    for name in LEARNERS:
        regret_T = np.mean([shop.regret_T(name) for shop in shops], axis=0)
        shares = [shop.captured(name) for shop in shops]
        parts = np.array_split(np.arange(len(regret_T)), QUARTERS)
        found[name] = {
            "captured": float(np.mean(shares)),
            "captured_range": [min(shares), max(shares)],
            "captured_by_quarter": [
                float(np.mean([shop.captured(name, slice(part[0], part[-1] + 1)) for shop in shops])) for part in parts
            ],
            "regret_days": float(regret_T[-1]),
            "regret_growth": regret.growth(regret_T),
            "regret_by_week": np.round(regret_T[6::7], 4).tolist(),
        }
    found["captured_if_elasticities_are_off"] = {
        name: float(np.mean([shop.captured(name) for shop in shops])) for name in ERRORS
    }
    for figure in ("wmape", "wmape_of_units"):
        of_shops = [getattr(shop, figure) for shop in shops]
        found[figure] = {name: float(np.mean([each[name] for each in of_shops])) for name in of_shops[0]}
    return found


def _offline(found: Simulation, estimator: str) -> dict[str, Any]:
    held, count = found.coverage(estimator)
    judged = [each for shop in found.shops for each in shop.judged if each.estimator == estimator]
    widths = [(each.estimate.high - each.estimate.low) / 2.0 / each.truth for each in judged]
    errors = [abs(each.estimate.value - each.truth) / each.truth for each in judged]
    return {
        "estimates": count,
        "covered": held / count,
        "half_width": float(np.mean(widths)),
        "error": float(np.mean(errors)),
        "covered_by_policy": {
            name: float(np.mean([each.holds() for each in judged if each.policy == name])) for name in offline.POLICIES
        },
    }
