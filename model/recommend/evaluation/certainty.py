"""How sure figures are: bootstrap intervals over users, and the model beside the best baseline on the same users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

_RESAMPLES = 2_000
_AT_ONCE = 50
"""Resamples in memory together."""
_CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean over users, and the ends of its 95 % percentile interval (Efron and Tibshirani 1993)."""

    mean: float
    low: float
    high: float


class Certainty(NamedTuple):
    """NDCG@10 of each ranker, and how much more the model has than `baseline`, the best of the others.

    The difference is paired: of the same users in every resample. `left_out` users of `users` came back only to items
    that they had before, and are no cases; `of_all` is each ranker's mean where they count as misses.
    """

    ndcg: dict[str, Interval]
    baseline: str
    gain: Interval
    users: int
    left_out: int
    of_all: dict[str, float]

    @property
    def is_above(self) -> bool:
        """Whether the model is surely better than the best baseline."""
        return self.gain.low > 0


def compute(ndcg: Mapping[str, Float[np.ndarray, " S"]], *, model: str, users: int, seed: int = 0) -> Certainty:
    """Return how sure the rankers' NDCG@10 by case is. `users` counts also those that are no cases."""
    baseline = max((name for name in ndcg if name != model), key=lambda name: float(ndcg[name].mean()))
    cases = len(ndcg[model])
    return Certainty(
        {name: interval(values_S, seed=seed) for name, values_S in ndcg.items()},
        baseline,
        interval(ndcg[model] - ndcg[baseline], seed=seed),
        users,
        users - cases,
        {name: float(values_S.sum() / users) for name, values_S in ndcg.items()},
    )


def interval(values_S: Float[np.ndarray, " S"], *, seed: int = 0) -> Interval:
    """Return the mean and its interval; without any width where there is one case, or all are alike."""
    mean = float(values_S.mean())
    if len(values_S) < 2 or np.ptp(values_S) == 0:
        return Interval(mean, mean, mean)
    found = stats.bootstrap(
        (values_S,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_AT_ONCE,
        confidence_level=_CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))
