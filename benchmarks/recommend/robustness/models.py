"""A model trained on a split, its ten best items for every test case, and comparisons of such rankings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from model.recommend.config import RecommendConfig
from model.recommend.evaluation import evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.items import ItemFeatures
from model.recommend.split import Split
from model.recommend.training import train

DEPTH = 10


@dataclass(frozen=True)
class Model:
    """`ranked_SxK` are the best items for the test cases of its split."""

    scorer: Scorer
    ranked_SxK: Int[np.ndarray, "S K"]
    epochs: int
    seconds: float  # of training: compiling, validation and the fit of the blend included


def trained(
    parts: Split, features: ItemFeatures, config: RecommendConfig, *, seed: int, minutes: float | None
) -> Model:
    """The model of this config and seed."""
    started = time.monotonic()
    trial = train.learn(parts, features, config, seed=seed, minutes=minutes)
    seconds = time.monotonic() - started
    old = excluded(parts, config)
    scorer = trial.scorer.timeless()
    ranked_SxK = evaluate.rank_holdout(scorer, parts.events, parts.test, excluded=old, k=DEPTH)
    return Model(scorer, ranked_SxK, len(trial.run.history), seconds)


def excluded(parts: Split, config: RecommendConfig) -> list[np.ndarray]:
    """The items that may not be ranked for each test case."""
    return evaluate.excluded(parts.events, parts.test, config)


def figures(ranked_SxK: Int[np.ndarray, "S K"], parts: Split, scorer: Scorer) -> dict[str, float]:
    """NDCG@10, HR@10 and coverage@10 of these rankings of the items of `scorer` on the test cases of the split."""
    truth = evaluate.unseen_truth(parts.test.truth, excluded(parts, scorer.config))
    found = evaluate.evaluate_holdout(ranked_SxK, truth, catalogue=len(scorer.features.rows_N), ks=(DEPTH,))
    return {name: round(found[name], 5) for name in (f"ndcg@{DEPTH}", f"hit_rate@{DEPTH}", f"coverage@{DEPTH}")}


def overlap(one_SxK: Int[np.ndarray, "S K"], other_SxK: Int[np.ndarray, "S K"]) -> float:
    """The mean share of a case's ten items that are in both rankings, in any order."""
    return round(float((one_SxK[:, :, None] == other_SxK[:, None, :]).any(-1).mean()), 4)


def exposure(ranked_SxK: Int[np.ndarray, "S K"], targets_T: Int[np.ndarray, " T"]) -> dict[str, Any]:
    """How much of the test cases' ten positions the targets fill, and the share of cases with at least one."""
    shown_SxK = np.isin(ranked_SxK, targets_T)
    return {
        "places": round(float(shown_SxK.mean()), 5),
        "users": round(float(shown_SxK.any(1).mean()), 5),
        "users_per_target": [int((ranked_SxK == target).any(1).sum()) for target in targets_T],
    }
