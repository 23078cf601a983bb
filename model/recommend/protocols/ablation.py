"""Ablation: each part of the score alone, and the score without it, on the same test cases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp

from model.recommend import blend
from model.recommend.evaluation import evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.training import train
from model.recommend.training.train import Trial

_WEIGHTS = {"network": "log_gain", "transitions": "log_weight", "neighbours": "log_linear"}
RECENT_POPULARITY = "recent_popularity"
PARTS = (*_WEIGHTS, RECENT_POPULARITY)


class Ablated(NamedTuple):
    """NDCG@10 of a part alone, and of all parts but this one."""

    alone: float
    without: float


def run(trial: Trial, *, seed: int = 0) -> dict[str, Ablated]:
    """NDCG@10 by part; the rest is blended anew each time. The test must have a case with a true item.

    Recent popularity is among the parts only where the trial ranks with it.
    """
    parts = [name for name in PARTS if name in _WEIGHTS or trial.scorer.faded_N.any()]
    return {
        name: Ablated(
            alone=_ndcg(trial, [other for other in parts if other != name], seed),
            without=_ndcg(trial, [name], seed),
        )
        for name in parts
    }


def without(scorer: Scorer, parts: Collection[str]) -> Scorer:
    """The scorer without these parts; a fit of its blend leaves them out, too."""
    closed = {_WEIGHTS[name]: jnp.float32(-jnp.inf) for name in parts if name in _WEIGHTS}
    left = replace(scorer, blend=scorer.blend._replace(**closed))
    return left.timeless() if RECENT_POPULARITY in parts else left


def _ndcg(trial: Trial, left_out: Collection[str], seed: int) -> float:
    events, test = trial.parts.events, trial.parts.test
    before = without(replace(trial.blending.scorer, blend=blend.default()), left_out)
    fitted = train.fit_blend(events, trial.blending.cases, before, seed=seed, start=before.blend)
    scorer = without(replace(trial.scorer, blend=fitted), left_out)
    old = evaluate.excluded(events, test, scorer.config)
    ranked_SxK = evaluate.rank_holdout(scorer, events, test, excluded=old)
    return float(evaluate.ndcg_of_cases(ranked_SxK, evaluate.unseen_truth(test.truth, old)).mean())
