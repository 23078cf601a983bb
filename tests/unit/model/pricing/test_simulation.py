"""The policy at work in a simulated shop: it earns more than standing prices, and breaks no guardrail."""

from __future__ import annotations

import numpy as np
import pytest

from model.pricing.evaluation import simulated, simulation

DAYS = 84


@pytest.mark.parametrize("form", simulated.FORMS)
def test_demand_falls_in_the_price_and_is_as_elastic_as_said_at_the_reference(form: str) -> None:
    shop = simulated.build(form, seed=3, items=8, history=28, days=7)
    step = 1.001
    prices = shop.reference_N[:, None] * np.array([1 / step, 1.0, step])
    shop.competitor_NxT[:] = shop.reference_N[:, None]
    units = shop.demand(10, prices)
    assert (np.diff(units, axis=1) < 0).all()
    slope_N = -np.log(units[:, 2] / units[:, 0]) / (2 * np.log(step))
    assert slope_N == pytest.approx(shop.elasticity_NxT[:, 10], rel=0.01)


def test_the_policy_earns_more_than_standing_prices_and_breaks_no_guardrail() -> None:
    policies = {
        "fixed": simulation.fixed,
        "clairvoyant": simulation.clairvoyant,
        "learner": simulation.Learner(seed=0),
    }
    earned = {}
    for name, propose in policies.items():
        shop = simulated.build(simulated.DRIFTING, seed=0, items=12, days=DAYS)
        outcome, _ = simulation.run(shop, propose, DAYS)
        assert (outcome.violations, len(outcome.profit_T)) == (0, DAYS)
        earned[name] = sum(outcome.profit_T)
    assert earned["fixed"] < earned["learner"] < earned["clairvoyant"]
