"""What the gate decides: a candidate's figures compared with those of the live version, and reasons for a rejection.

`workers.recommend.training.gate` measures the figures. The gates of the others are `workers.fraud.training.gate` and
`workers.search.training`; all of them answer with a `Verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

POPULARITY = "popularity"

LEAST_CASES = 50
"""With fewer cases nothing is compared, since a worse model cannot be told from chance."""
LEAST_COVERAGE = 0.5
"""The share of the live version's coverage@10 that a candidate has to reach."""
MOST_SPREAD = 10.0
"""How many times as wide as the live version's a candidate's spread of scores may be."""
TOLERATED_LOSS = 0.02
"""Relative loss of NDCG@10 that is accepted even if it is certain."""
SURE = 2.326
"""Standard errors by which the mean difference has to be negative: one-sided 1 % of a normal distribution."""
# Scores this close together, relative to their size, differ only by rounding.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class Measured:
    """The figures of a ranker: NDCG@10 by case, distinct items in all top tens / available items, and its scores.

    `spread` and `size` are medians over the answers: best score minus worst (nan if no answer has two items), and the
    greatest absolute score. `problems` are errors that do not depend on a comparison, in words.
    """

    ndcg_S: np.ndarray = field(default_factory=lambda: np.zeros(0))
    coverage: float = 0.0
    spread: float = 0.0
    size: float = 0.0
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate may serve, the reasons if not, notes, and the figures of both models on `cases` cases.

    `compared_with` is a version, POPULARITY, or None if nothing was compared.
    """

    passed: bool
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    compared_with: str | None = None
    cases: int = 0
    figures: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it in the form of the registry."""
        return dict(vars(self))


def decide(candidate: Measured, opponent: Measured | None, *, name: str | None, notes: Sequence[str] = ()) -> Verdict:
    """Return the verdict. `opponent` is the live version, called `name`, or POPULARITY; None: no comparison."""
    reasons = list(candidate.problems) or _constant(candidate)
    if opponent is None or name is None:
        return Verdict(not reasons, reasons, list(notes))
    if not reasons:
        reasons = _below_popularity(candidate, opponent) if name == POPULARITY else _worse(candidate, opponent, name)
    figures = {"candidate": _figures(candidate), name: _figures(opponent)}
    return Verdict(not reasons, reasons, list(notes), name, len(candidate.ndcg_S), figures)


def _constant(candidate: Measured) -> list[str]:
    if math.isnan(candidate.spread) or candidate.spread > _CONSTANT * candidate.size:
        return []
    return [f"constant scores: the best and the last item of a ranking differ by {candidate.spread:.3g}"]


def _worse(candidate: Measured, live: Measured, name: str) -> list[str]:
    reasons = []
    if candidate.coverage < LEAST_COVERAGE * live.coverage:
        reasons.append(
            f"coverage@10 shrank to {candidate.coverage:.4f}, less than half of {name}'s {live.coverage:.4f}: it shows "
            "almost everyone the same items"
        )
    if 0 < MOST_SPREAD * live.spread < candidate.spread:
        reasons.append(
            f"exploded scores: they lie {candidate.spread:.3g} apart, more than {MOST_SPREAD:.0f} times the "
            f"{live.spread:.3g} of {name}"
        )
    own, other = float(candidate.ndcg_S.mean()), float(live.ndcg_S.mean())
    if own < (1 - TOLERATED_LOSS) * other and is_below(candidate.ndcg_S, live.ndcg_S):
        reasons.append(
            f"NDCG@10 is {own:.4f}, {1 - own / other:.0%} below {name}'s {other:.4f} on the same {len(live.ndcg_S):,} "
            "new baskets, which is more than chance"
        )
    return reasons


def _below_popularity(candidate: Measured, popular: Measured) -> list[str]:
    own, other = float(candidate.ndcg_S.mean()), float(popular.ndcg_S.mean())
    if own >= other:
        return []
    return [
        f"NDCG@10 is {own:.4f} on {len(popular.ndcg_S):,} baskets that it had not seen, below the {other:.4f} of "
        "showing everyone what is most popular"
    ]


def is_below(own_S: np.ndarray, other_S: np.ndarray) -> bool:
    """Return whether the mean of `own_S - other_S` is below 0 at one-sided 1 %: the paired z-test."""
    difference_S = own_S - other_S
    error = float(difference_S.std(ddof=1)) / math.sqrt(len(difference_S))
    return float(difference_S.mean()) < -SURE * error


def _figures(measured: Measured) -> dict[str, float]:
    """Return the figures for JSON, which has no nan and no infinity: what could not be measured is left out."""
    ndcg = float(measured.ndcg_S.mean()) if len(measured.ndcg_S) else math.nan
    values: Mapping[str, float] = {"ndcg@10": ndcg, "coverage@10": measured.coverage, "spread": measured.spread}
    return {key: round(value, 6) for key, value in values.items() if math.isfinite(value)}
