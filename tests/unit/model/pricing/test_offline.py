"""Estimates of other policies from a log: right on average, with intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from model.pricing.evaluation import offline
from model.pricing.evaluation.offline import Round

PRICES = np.array([[900.0, 1_000.0, 1_100.0, 900.0]])
SHARES = np.array([[0.2, 0.5, 0.3, 0.0]])
TRUE = np.array([[4.0, 6.0, 9.0, 4.0]])


def log(seed: int, *, rounds: int = 60, bias: float = 0.0) -> list[Round]:
    """Return what a policy of known propensities earned, beside expectations that are `bias` too high."""
    random = np.random.default_rng(seed)
    picked = random.choice(4, size=rounds, p=SHARES[0])
    return [Round(PRICES, SHARES, np.array([n]), TRUE[0, n] + random.standard_normal(1), TRUE + bias) for n in picked]


@pytest.mark.parametrize("estimator", [offline.inverse_propensity, offline.doubly_robust])
@pytest.mark.parametrize("name", offline.POLICIES)
def test_intervals_hold_what_the_policy_would_have_earned(name: str, estimator: object) -> None:
    policy = offline.POLICIES[name]
    true = float((policy(log(0)[0]) * TRUE).sum())
    found = [estimator(log(seed, bias=1.5), policy) for seed in range(100)]  # type: ignore[operator]
    assert np.mean([each.value for each in found]) == pytest.approx(true, rel=0.05)
    assert np.mean([each.low <= true <= each.high for each in found]) >= 0.88


def test_a_model_that_knows_something_narrows_the_interval() -> None:
    rounds = log(3)
    plain, robust = (estimate(rounds, offline.even) for estimate in (offline.inverse_propensity, offline.doubly_robust))
    assert robust.high - robust.low < 0.5 * (plain.high - plain.low)


def test_policies_are_distributions_over_prices_that_may_be_chosen() -> None:
    [round_] = log(0, rounds=1)
    for policy in offline.POLICIES.values():
        share_NxP = policy(round_)
        assert share_NxP.sum(1) == pytest.approx(1.0)
        assert (share_NxP[round_.share_NxP == 0.0] == 0.0).all()
    # Both draws at least 900, less both above; and so on.
    assert offline.lower(round_)[0] == pytest.approx([0.36, 0.55, 0.09, 0.0])
    assert offline.likeliest(round_)[0].tolist() == [0.0, 1.0, 0.0, 0.0]
