"""Cold start: items without training events, and users of whom only the first events are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from model.catalogue import Item
from model.errors import DataError
from model.recommend import events as event_arrays
from model.recommend import split, transitions
from model.recommend.config import RecommendConfig
from model.recommend.evaluation import baselines, evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.split import Holdout
from model.recommend.training import train
from model.recommend.training.loop import Progress
from model.recommend.training.train import Figures

DEPTH = 50
"""Length of the rankings in which cold items are looked for."""

FIRST_EVENTS = (1, 2, 3)


@dataclass(frozen=True)
class Outcome:
    """Figures by ranker: of cold items (recall@50), and of cold users by the number of known events."""

    cold_items: Figures
    cold_users: dict[int, Figures]
    items: int  # how many were cold
    users: int


def run(
    interactions: Interactions,
    items: Sequence[Item],
    config: RecommendConfig,
    *,
    share: float = 0.05,
    seed: int = 0,
    minutes: float | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    """Trains without a `share` of the items and of the users, then ranks both.

    A cold item is known only by text, category, brand, price and attributes; its cases are each warm user's last event
    on a cold item, after the user's earlier events on warm items, ranked among all items. A cold user's case is the
    event after the first one, two and three. Raises DataError if nothing is left to train or to test on.
    """
    events = event_arrays.ordered(train.usable(interactions, items, config))
    random = np.random.default_rng(seed)
    cold_N = random.random(len(items)) < share
    users = np.unique(events.users_E)
    cold_user_E = np.isin(events.users_E, users[random.random(len(users)) < share])
    warm = event_arrays.take(events, ~cold_user_E & ~cold_N[events.items_E])
    if not len(warm.users_E):
        raise DataError(f"nothing is left to learn from without {share:.0%} of the items and users")
    scorer = _trained(warm, items, config, seed, minutes, progress)
    mask_E = np.ones(len(warm.users_E), bool)
    counts_N = baselines.popularity(warm.items_E, len(items))
    table = transitions.count(warm, mask_E, len(items))
    wanted = event_arrays.take(events, ~cold_user_E)
    return Outcome(
        _cold_items(scorer, wanted, cold_N, counts_N),
        {n: _cold_users(scorer, event_arrays.take(events, cold_user_E), n, counts_N, table) for n in FIRST_EVENTS},
        int(cold_N.sum()),
        len(np.unique(events.users_E[cold_user_E])),
    )


def _trained(
    warm: Interactions,
    items: Sequence[Item],
    config: RecommendConfig,
    seed: int,
    minutes: float | None,
    progress: Callable[[Progress], None],
) -> Scorer:
    parts = split.leave_last_out_full(warm, config, seed=seed)
    features = train.features_of(items, np.unique(warm.items_E), config)
    trial = train.learn(parts, features, config, seed=seed, minutes=minutes, progress=progress)
    refitted = train.refit(trial, features, parts.end_U, seed=seed, minutes=minutes, progress=progress)
    return refitted.scorer.timeless()


def _cold_items(
    scorer: Scorer, events: Interactions, cold_N: Bool[np.ndarray, " N"], counts_N: Float[np.ndarray, " N"]
) -> Figures:
    """`events` of warm users, on warm and cold items."""
    is_cold_E = cold_N[events.items_E]
    known = event_arrays.take(events, ~is_cold_E)
    before_E = np.append(0, np.cumsum(~is_cold_E))  # how many warm events come before each event
    cases = np.flatnonzero(_last_of_each_user(is_cold_E, events.users_E))
    start_S = np.searchsorted(known.users_E, events.users_E[cases], "left")
    case = Holdout(start_S, before_E[cases], [events.items_E[[n]] for n in cases])
    case = _some(case, np.flatnonzero(case.end_S > case.start_S))
    if not case.truth:
        raise DataError("no user met a cold item after a warm one: use more events or a larger share")
    old = evaluate.seen(known, case)
    catalogue, random = len(cold_N), np.random.default_rng(0)
    shuffled = [random.permutation(catalogue) for _ in case.truth]
    by_category = _by_category(scorer.features, known, case, counts_N)
    ranked = {
        "model": evaluate.rank_holdout(scorer, known, case, excluded=old, k=min(DEPTH, catalogue)),
        "popularity_in_category": [baselines.head(s, seen, DEPTH) for s, seen in zip(by_category, old, strict=True)],
        "random": [order[~np.isin(order, seen)][:DEPTH] for order, seen in zip(shuffled, old, strict=True)],
    }
    figures = {}
    for name, rows in ranked.items():
        figures[name] = evaluate.evaluate_holdout(rows, case.truth, catalogue=catalogue, ks=(10, DEPTH))
        figures[name]["cold_share@50"] = float(np.mean(cold_N[np.concatenate(list(rows))]))
    return figures


def _last_of_each_user(chosen_E: Bool[np.ndarray, " E"], users_E: np.ndarray) -> Bool[np.ndarray, " E"]:
    """The chosen events that are the last chosen one of their user; `users_E` ascend."""
    ends_E = np.searchsorted(users_E, users_E, "right")
    before_E = np.append(0, np.cumsum(chosen_E))
    return chosen_E & (before_E[ends_E] == before_E[1:])


def _by_category(
    features: ItemFeatures, events: Interactions, case: Holdout, counts_N: np.ndarray
) -> Iterator[Float[np.ndarray, " N"]]:
    """Scores of all items: how many of the last ten events' items share a label with them, then popularity."""
    labels_NxA = np.concatenate([features.labels_NxF[:, :1], features.attributes_NxA], 1)
    tie_N = counts_N / (counts_N.max() + 1.0)
    for start, end in zip(case.start_S, case.end_S, strict=True):
        labels, counts = np.unique(labels_NxA[events.items_E[max(start, end - 10) : end]], return_counts=True)
        weight = np.zeros(int(labels_NxA.max()) + 1)
        weight[labels] = counts
        weight[0] = 0.0
        yield weight[labels_NxA].max(1) + tie_N


def _cold_users(
    scorer: Scorer, events: Interactions, known: int, counts_N: np.ndarray, table: transitions.Table
) -> Figures:
    """`events` of cold users: the first `known` of each are the history, and the one after them is predicted."""
    start_U = np.searchsorted(events.users_E, np.unique(events.users_E), "left")
    end_U = np.searchsorted(events.users_E, np.unique(events.users_E), "right")
    long = end_U - start_U > known
    start_S = start_U[long]
    case = Holdout(start_S, start_S + known, [events.items_E[[n]] for n in start_S + known])
    old = evaluate.seen(events, case)
    truth = evaluate.unseen_truth(case.truth, old)
    if not any(len(true) for true in truth):
        return {}
    catalogue = len(counts_N)
    ranked = {
        "model": evaluate.rank_holdout(scorer, events, case, excluded=old, k=min(10, catalogue)),
        "popularity": baselines.rank_popular(counts_N, old),
        "cooccurrence": baselines.rank_by_table(table, counts_N, events, case, old),
    }
    return {name: evaluate.evaluate_holdout(rows, truth, catalogue=catalogue) for name, rows in ranked.items()}


def _some(case: Holdout, kept: np.ndarray) -> Holdout:
    return Holdout(case.start_S[kept], case.end_S[kept], [case.truth[s] for s in kept])
