"""Ablation: each part of the score alone, and the score without it, on the same test cases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from model.recommend import blend
from model.recommend.evaluation import evaluate
from model.recommend.training import score_parts, train
from model.recommend.training.train import Trial


class Ablated(NamedTuple):
    """NDCG@10 of a part alone, and of all parts but this one."""

    alone: float
    without: float


def run(trial: Trial, *, seed: int = 0) -> dict[str, Ablated]:
    """NDCG@10 by part; the rest is blended anew each time. The test must have a case with a true item.

    Recent popularity is among the parts only where the trial ranks with it.
    """
    names = score_parts.of(trial.scorer)
    return {
        name: Ablated(
            alone=_ndcg(trial, [other for other in names if other != name], seed),
            without=_ndcg(trial, [name], seed),
        )
        for name in names
    }


def _ndcg(trial: Trial, left_out: Collection[str], seed: int) -> float:
    events, test = trial.parts.events, trial.parts.test
    before = score_parts.without(replace(trial.blending.scorer, blend=blend.default()), left_out)
    fitted = train.fit_blend(events, trial.blending.cases, before, seed=seed, start=before.blend)
    scorer = score_parts.without(replace(trial.scorer, blend=fitted), left_out)
    old = evaluate.excluded(events, test, scorer.config)
    ranked_SxK = evaluate.rank_holdout(scorer, events, test, excluded=old)
    return float(evaluate.ndcg_of_cases(ranked_SxK, evaluate.unseen_truth(test.truth, old)).mean())
