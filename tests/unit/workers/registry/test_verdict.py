"""What the gate decides, case by case."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from workers.registry import verdict
from workers.registry.verdict import Measured

LIVE = "recommend-20260101T000000-aaaaaa"


def ndcg(mean: float, *, cases: int = 400, seed: int = 0) -> np.ndarray:
    """Hits and misses by chance; of one seed, a greater mean has all the hits of a lesser, and more."""
    return (np.random.default_rng(seed).random(cases) < mean).astype(np.float64)


GOOD = Measured(ndcg(0.3), coverage=0.4, spread=5.0, size=3.0)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (GOOD, None),
        (replace(GOOD, ndcg_S=ndcg(0.5)), None),
        (replace(GOOD, ndcg_S=ndcg(0.297)), None),  # surely worse, but by a percent
        (replace(GOOD, ndcg_S=ndcg(0.25, seed=1)), None),  # a sixth lower, and no more than chance
        (replace(GOOD, ndcg_S=ndcg(0.25)), "NDCG@10 is"),
        (replace(GOOD, ndcg_S=np.zeros(400)), "100% below"),
        (replace(GOOD, coverage=0.2), None),
        (replace(GOOD, coverage=0.19), "coverage@10 shrank to 0.1900"),
        (replace(GOOD, spread=50.0), None),
        (replace(GOOD, spread=50.1), "exploded scores"),
        (replace(GOOD, spread=0.0), "constant scores"),
        (replace(GOOD, spread=1e-7), "constant scores"),
        (replace(GOOD, spread=0.0, size=0.0), "constant scores"),
        (replace(GOOD, problems=["3 of 50 rankings hold scores that are not finite"]), "not finite"),
    ],
)
def test_beside_the_version_that_serves(candidate: Measured, reason: str | None) -> None:
    said = verdict.decide(candidate, GOOD, name=LIVE)
    assert said.passed is (reason is None)
    assert (reason or "") in "; ".join(said.reasons)
    assert len(said.reasons) == (reason is not None)
    assert (said.compared_with, said.cases) == (LIVE, 400)


@pytest.mark.parametrize(
    ("own", "popular", "passed"),
    [(0.3, 0.3, True), (0.31, 0.3, True), (0.29, 0.3, False), (0.0, 0.0, True)],
)
def test_a_first_model_may_not_be_below_popularity(own: float, popular: float, passed: bool) -> None:
    opponent = Measured(ndcg(popular), coverage=0.9)
    said = verdict.decide(replace(GOOD, ndcg_S=ndcg(own), coverage=0.01), opponent, name=verdict.POPULARITY)
    assert said.passed is passed
    assert said.reasons == [] or "below the" in said.reasons[0]


@pytest.mark.parametrize(("spread", "passed"), [(1.0, True), (0.0, False), (float("nan"), True)])
def test_with_nothing_to_compare_with_only_the_candidate_itself_counts(spread: float, passed: bool) -> None:
    said = verdict.decide(Measured(spread=spread, size=1.0), None, name=None, notes=["no version serves yet"])
    assert said.passed is passed
    assert (said.compared_with, said.cases, said.notes) == (None, 0, ["no version serves yet"])


def test_several_faults_are_all_named() -> None:
    said = verdict.decide(replace(GOOD, coverage=0.0, spread=1e9, ndcg_S=np.zeros(400)), GOOD, name=LIVE)
    assert len(said.reasons) == 3


def test_one_opponent_that_hits_nothing_cannot_be_undercut() -> None:
    nothing = replace(GOOD, ndcg_S=np.zeros(400))
    assert verdict.decide(nothing, nothing, name=LIVE).passed


def test_what_the_registry_keeps_is_json() -> None:
    said = verdict.decide(replace(GOOD, spread=float("nan"), problems=["x"]), GOOD, name=LIVE)
    kept = json.loads(json.dumps(said.as_json(), allow_nan=False))
    assert kept["passed"] is False
    assert kept["figures"]["candidate"] == {"ndcg@10": pytest.approx(GOOD.ndcg_S.mean()), "coverage@10": 0.4}


def test_the_paired_test_keeps_its_level() -> None:
    """Of two equal models, one in a hundred pairs of samples looks worse."""
    chance = np.random.default_rng(5)
    draws = [verdict.is_below(*(chance.random((2, 500)) < 0.3).astype(np.float64)) for _ in range(4000)]
    assert 0.005 < np.mean(draws) < 0.015
