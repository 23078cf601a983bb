"""Choosing prices: near the best one when demand is known, within the allowed, with propensities that are true."""

from __future__ import annotations

import numpy as np
import pytest

from model.errors import ConfigError
from model.pricing import guardrails, policy
from model.pricing.guardrails import Guardrails, Present
from model.pricing.policy import Question
from model.pricing.response import Draws


def draws(count: int = 256, *, elasticity: float = 3.0, spread: float = 0.0) -> Draws:
    random = np.random.default_rng(0)
    slope = elasticity * np.exp(spread * random.standard_normal((count, 1)))
    return Draws(np.full((count, 1), 2.0), slope, np.zeros((count, 1)), np.zeros((count, 1, 0)))


def question(objective: str = policy.MARGIN, **present: int) -> Question:
    now = Present(**({"price": 1_000, "cost": 800} | present))
    return Question(now, guardrails.allowed(now, Guardrails(step=0.5)), reference=1_000, objective=objective)


def test_a_known_demand_is_priced_by_the_textbooks_markup() -> None:
    [choice] = policy.choose([question()], draws(), seed=0)
    # cost * e / (e - 1) = 800 * 3 / 2
    assert choice.price == pytest.approx(1_200, abs=10)
    assert choice.propensity == 1.0
    assert choice.value[0] > choice.before[0]
    assert choice.chance == 1.0


def test_more_revenue_and_more_units_want_other_prices() -> None:
    found = {o: policy.choose([question(o)], draws(), seed=0)[0].price for o in (policy.REVENUE, policy.UNITS)}
    assert found[policy.UNITS] == found[policy.REVENUE] == 500
    [inelastic] = policy.choose([question(policy.REVENUE)], draws(elasticity=0.5), seed=0)
    assert inelastic.price == 1_500


def test_stock_that_has_to_go_is_priced_so_that_it_just_does() -> None:
    asked = Question(
        Present(1_000),
        guardrails.allowed(Present(1_000), Guardrails(step=0.5)),
        1_000,
        policy.CLEAR,
        stock=140,
        periods=10,
    )
    [choice] = policy.choose([asked], draws(), seed=0)
    units = policy.demand(asked, draws(), 0, np.array([choice.price]))[0, 0]
    assert units == pytest.approx(14.0, rel=0.05)


def test_propensities_are_the_shares_with_which_prices_are_chosen() -> None:
    unsure = draws(2_048, spread=0.4)
    chosen = [policy.choose([question()], unsure, seed=seed, caution=1)[0] for seed in range(400)]
    for price in {choice.price for choice in chosen}:
        said = next(choice.propensity for choice in chosen if choice.price == price)
        seen = np.mean([choice.price == price for choice in chosen])
        assert seen == pytest.approx(said, abs=0.08)
    assert len({choice.price for choice in chosen}) > 5


def test_an_item_that_may_not_change_keeps_its_price() -> None:
    now = Present(1_000, 800)
    frozen = Question(now, guardrails.allowed(now, Guardrails(frozen=True)), reference=1_000)
    [choice] = policy.choose([frozen], draws(), seed=0)
    assert (choice.price, choice.propensity) == (1_000, 1.0)
    assert guardrails.bitten(choice.wish, frozen.allowed) == "frozen"


@pytest.mark.parametrize(("objective", "missing"), [("margin", "cost"), ("clear", "stock"), ("glory", "objective")])
def test_an_objective_that_cannot_be_pursued_is_refused_by_name(objective: str, missing: str) -> None:
    now = Present(1_000)
    asked = Question(now, guardrails.allowed(now, Guardrails(step=0.5)), 1_000, objective)
    with pytest.raises(ConfigError, match=missing):
        policy.choose([asked], draws(), seed=0)
