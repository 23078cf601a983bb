"""The demo's test: each customer's last basket is hidden, everything else is known, and every customer is ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from model.recommend import events as event_arrays
from model.recommend import transitions
from model.recommend.evaluation import baselines, evaluate
from model.recommend.events import Interactions, RankRequest
from model.recommend.serving.serve import Ranker
from model.recommend.split import Holdout
from workers.recommend.training import rank_requests
from workers.recommend.training.data import TrainingData

DEPTH = 10
RECENT_DAYS = 60.0

PROTOCOL = (
    "each customer's last basket is hidden from training and from the history that is ranked from (customers of one "
    "basket are ranked and not scored); all items compete; other customers' later baskets are known"
)

NEW = "items new to the customer"
ALL = "all items"

Figures = dict[str, dict[str, float]]
"""Figures by ranker: hit rate, NDCG, MRR, precision and recall at 10, coverage, and how many customers were scored."""


class Hidden(NamedTuple):
    """The data to learn from, ordered, and for each customer the history and the hidden basket."""

    known: TrainingData
    holdout: Holdout
    seen: list[np.ndarray]


def hide_last_baskets(everything: TrainingData) -> Hidden:
    """Hide the last basket (all events of the last time) of every user who has two or more."""
    events = event_arrays.ordered(everything.interactions)
    last_U = np.zeros(len(everything.users))
    first_U = np.full(len(everything.users), np.inf)
    np.maximum.at(last_U, events.users_E, events.at_E)
    np.minimum.at(first_U, events.users_E, events.at_E)
    hidden_E = (events.at_E == last_U[events.users_E]) & (first_U < last_U)[events.users_E]
    known = everything._replace(interactions=event_arrays.take(events, ~hidden_E))
    users_E = known.interactions.users_E
    holdout = Holdout(
        start_S=np.searchsorted(users_E, np.arange(len(everything.users)), "left"),
        end_S=np.searchsorted(users_E, np.arange(len(everything.users)), "right"),
        truth=_by_user(event_arrays.take(events, hidden_E), len(everything.users)),
    )
    return Hidden(known, holdout, evaluate.seen(known.interactions, holdout))


def compare(ranker: Ranker, hidden: Hidden, progress: Callable[[int], None]) -> dict[str, Figures]:
    """Return the figures of the model and the baselines, once for new items only and once for all.

    For new items, what a customer bought before is neither ranked nor counted as true.
    """
    new = evaluate.unseen_truth(hidden.holdout.truth, hidden.seen)
    nothing = [np.zeros(0, np.int32)] * len(hidden.seen)
    return {
        NEW: _figures(ranker, hidden, hidden.seen, new, progress),
        ALL: _figures(ranker, hidden, nothing, hidden.holdout.truth, progress),
    }


def _figures(
    ranker: Ranker,
    hidden: Hidden,
    excluded: Sequence[np.ndarray],
    truth: list[np.ndarray],
    progress: Callable[[int], None],
) -> Figures:
    events, catalogue = hidden.known.interactions, len(hidden.known.items)
    counts_N = baselines.popularity(events.items_E, catalogue)
    recent_E = events.at_E > events.at_E.max() - RECENT_DAYS * 86_400
    table = transitions.count(events, np.ones(len(events.items_E), bool), catalogue)
    ranked = {
        "reshelf": _ranked(ranker, hidden, excluded, progress),
        "popularity": baselines.rank_popular(counts_N, excluded, k=DEPTH),
        f"popularity, last {RECENT_DAYS:.0f} days": baselines.rank_popular(
            baselines.popularity(events.items_E[recent_E], catalogue), excluded, k=DEPTH
        ),
        "co-occurrence": baselines.rank_by_table(table, counts_N, events, hidden.holdout, excluded, k=DEPTH),
    }
    return {
        name: evaluate.evaluate_holdout(rows, truth, catalogue=catalogue, ks=(DEPTH,)) for name, rows in ranked.items()
    }


def _ranked(
    ranker: Ranker, hidden: Hidden, excluded: Sequence[np.ndarray], progress: Callable[[int], None]
) -> list[list[int]]:
    """Return every customer's best items by the ranker of the workers, as dense ids."""
    ids = [item.item_id for item in hidden.known.items]
    dense = {item_id: number for number, item_id in enumerate(ids)}
    histories = rank_requests.histories(hidden.known, range(len(hidden.known.users)))
    ranked: list[list[int]] = []
    for start in range(0, len(histories), 256):
        asked = [
            RankRequest(history, {ids[item] for item in old})
            for history, old in zip(histories[start : start + 256], excluded[start : start + 256], strict=True)
        ]
        answers = ranker.rank(asked, k=DEPTH)
        ranked += [[dense[item_id] for item_id in answer.item_ids] for answer in answers]
        progress(len(asked))
    return ranked


def _by_user(events: Interactions, users: int) -> list[np.ndarray]:
    bounds = np.searchsorted(events.users_E, np.arange(1, users))
    return [np.unique(items) for items in np.split(events.items_E, bounds)]
