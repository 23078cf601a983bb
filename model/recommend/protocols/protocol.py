"""Offline protocols: what is learned from, what is predicted, and every ranker's figures on the same cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from model.catalogue import Item
from model.errors import ConfigError, DataError
from model.recommend import split, transitions
from model.recommend.config import RecommendConfig
from model.recommend.evaluation import baselines, beyond_accuracy, certainty, evaluate, linear
from model.recommend.evaluation.certainty import Certainty
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.protocols import ablation
from model.recommend.protocols.ablation import Ablated
from model.recommend.split import Holdout, Split
from model.recommend.training import train
from model.recommend.training.loop import Progress
from model.recommend.training.train import Figures, Trial

LEAVE_ONE_OUT, LEAVE_ONE_OUT_FULL, TIME_SPLIT = "leave-one-out", "leave-one-out-full", "time-split"
PROTOCOLS = (LEAVE_ONE_OUT, LEAVE_ONE_OUT_FULL, TIME_SPLIT)
DEPTHS = (5, 10, 20)

# The AUC needs every item's score for every case, so it uses at most this many cases.
_AREA_CASES = 5000

Ranks = Callable[[Holdout, Sequence[np.ndarray]], Sequence[np.ndarray]]
Scores = Callable[[Holdout], Iterable[Float[np.ndarray, " N"]]]


@dataclass(frozen=True)
class Outcome:
    """One run of a protocol. `ranked_UxK` are the model's best items for every user of `trial.parts`, by dense id.

    Without cases there are no figures and no `certainty`. `parts` are empty unless they were asked for.
    """

    trial: Trial
    figures: Figures
    certainty: Certainty | None
    parts: dict[str, Ablated]
    ranked_UxK: Int[np.ndarray, "U K"]
    history: list[Progress]
    seconds: float  # of training: compiling, validation and the fit of the blend included
    seconds_per_epoch: float  # of steps alone
    examples_per_second: float


def parts_of(protocol: str, events: Interactions, config: RecommendConfig, *, cut: float | None, seed: int) -> Split:
    """The split of this protocol. `cut` is the time (unix seconds) of a time split.

    By default the last tenth of the events comes after the cut. Raises ConfigError for an unknown protocol.
    """
    if protocol == LEAVE_ONE_OUT:
        return split.leave_last_out(events, config)
    if protocol == LEAVE_ONE_OUT_FULL:
        return split.leave_last_out_full(events, config, seed=seed)
    if protocol == TIME_SPLIT:
        at = float(np.quantile(events.at_E, 0.9)) if cut is None else cut
        return split.by_time(events, config, cut=at, seed=seed)
    raise ConfigError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")


def run(
    protocol: str,
    interactions: Interactions,
    items: Sequence[Item],
    config: RecommendConfig,
    *,
    cut: float | None = None,
    seed: int = 0,
    minutes: float | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    ablate: bool = False,
) -> Outcome:
    """Trains as the protocol allows, and compares the model with the baselines on its test cases.

    "leave-one-out" learns from all but each user's last two baskets, "leave-one-out-full" from all but the last,
    "time-split" from all before a time. All items are ranked; with `config.filter_seen` those of the history are left
    out. `ablate` also measures each part of the score. Raises DataError and ConfigError.
    """
    parts = parts_of(protocol, train.usable(interactions, items, config), config, cut=cut, seed=seed)
    _check(parts, protocol)
    features = train.features_of(items, np.unique(parts.events.items_E), config)
    started = time.monotonic()
    trial = train.learn(
        parts, features, config, seed=seed, minutes=minutes, progress=progress, of_now=protocol == TIME_SPLIT
    )
    runs = [trial.run]
    if not np.array_equal(parts.train_end_U, parts.refit_end_U):
        trial = train.refit(trial, features, parts.refit_end_U, seed=seed, minutes=minutes, progress=progress)
        runs.append(trial.run)
    seconds = time.monotonic() - started
    if protocol != TIME_SPLIT:
        # Users' last baskets are spread over all times.
        trial = replace(trial, scorer=trial.scorer.timeless())
    ranked_UxK = _everyone(trial)
    figures, sure = _figures(trial, ranked_UxK)
    return Outcome(
        trial,
        figures,
        sure,
        ablation.run(trial, seed=seed) if ablate and figures else {},
        ranked_UxK,
        [report for run in runs for report in run.history],
        seconds,
        runs[0].seconds_per_epoch,
        runs[0].examples / runs[0].seconds_per_epoch,
    )


def _compared(
    ranked: Mapping[str, Sequence[np.ndarray]],
    scores: Mapping[str, Scores],
    test: Holdout,
    scorer: Scorer,
    counts_N: np.ndarray,
    old: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
) -> Figures:
    """The figures of each ranker of `ranked` on the same cases; `scores` has, for some rankers, scores of all items."""
    catalogue = len(counts_N)
    sample = np.unique(np.linspace(0, len(truth) - 1, min(_AREA_CASES, len(truth))).astype(np.int64))
    part = Holdout(test.start_S[sample], test.end_S[sample], [truth[s] for s in sample])
    figures = {}
    for name, rows in ranked.items():
        figures[name] = evaluate.evaluate_holdout(rows, truth, catalogue=catalogue, ks=DEPTHS)
        figures[name]["roc_auc"] = beyond_accuracy.roc_auc(scores[name](part), part.truth, [old[s] for s in sample])
        figures[name]["novelty@10"] = beyond_accuracy.novelty(rows, counts_N)
        figures[name]["diversity@10"] = beyond_accuracy.diversity([rows[s] for s in sample], scorer.features)
    return figures


def _check(parts: Split, protocol: str) -> None:
    if not split.training_mask(parts).any():
        raise DataError(f"{protocol} leaves no event to learn from: choose a later cut")
    if not parts.test.truth:
        advice = "choose an earlier cut" if protocol == TIME_SPLIT else "it takes users with three baskets"
        raise DataError(f"{protocol} leaves no user to test on: {advice}")


def _everyone(trial: Trial) -> np.ndarray:
    parts, scorer = trial.parts, trial.scorer
    end_U = parts.refit_end_U.copy()
    end_U[_users_of(parts)] = parts.test.end_S
    everyone = Holdout(parts.start_U, end_U, [np.zeros(0, np.int32)] * len(end_U))
    old = evaluate.excluded(parts.events, everyone, scorer.config)
    k = min(max(DEPTHS), len(scorer.features.rows_N))
    return evaluate.rank_holdout(scorer, parts.events, everyone, excluded=old, k=k)


def _figures(trial: Trial, ranked_UxK: np.ndarray) -> tuple[Figures, Certainty | None]:
    parts, scorer = trial.parts, trial.scorer
    events, test, catalogue = parts.events, parts.test, len(scorer.features.rows_N)
    old = evaluate.excluded(events, test, scorer.config)
    truth = evaluate.unseen_truth(test.truth, old)
    if not any(len(true) for true in truth):
        return {}, None
    mask_E = split.mask_until(parts, parts.refit_end_U)
    counts_N = baselines.popularity(events.items_E[mask_E], catalogue)
    tables = {
        "cooccurrence": transitions.count(events, mask_E, catalogue),
        "item_cosine": baselines.item_cosine(events, mask_E, catalogue),
    }
    k = ranked_UxK.shape[1]
    ranked: dict[str, Sequence[np.ndarray]] = {
        "model": ranked_UxK[_users_of(parts)],
        "popularity": baselines.rank_popular(counts_N, old, k=k),
    }
    scores: dict[str, Scores] = {
        "model": lambda part: evaluate.full_scores(scorer, events, part),
        "popularity": lambda part: [counts_N] * len(part.truth),
    }
    for name, table in tables.items():
        ranked[name] = baselines.rank_by_table(table, counts_N, events, test, old, k=k)
        scores[name] = lambda part, table=table: baselines.votes(table, counts_N, events, part)
    if linear.is_possible(events, mask_E, catalogue):
        ranked["linear"], scores["linear"] = _linear(parts, scorer.config, old, catalogue, k)
    ndcg = {name: evaluate.ndcg_of_cases(rows, truth) for name, rows in ranked.items()}
    sure = certainty.compute(ndcg, model="model", users=len(truth))
    return _compared(ranked, scores, test, scorer, counts_N, old, truth), sure


def _linear(
    parts: Split, config: RecommendConfig, old: Sequence[np.ndarray], catalogue: int, k: int
) -> tuple[list[np.ndarray], Scores]:
    """The rankings of the linear baseline, whose settings the validation cases choose, and its scores."""
    events, validation = parts.events, parts.validation
    unranked = evaluate.excluded(events, validation, config)
    ridge, half_life = linear.chosen(events, split.training_mask(parts), validation, unranked, catalogue)
    model = linear.fit(events, split.mask_until(parts, parts.refit_end_U), catalogue, ridge=ridge)
    ranked = linear.rank(model, events, parts.test, old, half_life=half_life, k=k)
    return ranked, lambda part: linear.scores(model, events, part, half_life=half_life)


def _users_of(parts: Split) -> np.ndarray:
    """The user of each test case."""
    return np.searchsorted(parts.start_U, parts.test.start_S)
