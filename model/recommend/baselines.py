"""The rankers that a network has to beat: popularity, and votes of a table of what follows what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from model.recommend.events import Interactions
from model.recommend.split import Holdout
from model.recommend.transitions import Table


def popularity(items_E: Int[np.ndarray, " E"], catalogue: int) -> Float[np.ndarray, " N"]:
    """How often each item occurs."""
    return np.bincount(items_E, minlength=catalogue).astype(np.float64)


def rank_popular(counts_N: Float[np.ndarray, " N"], excluded: Sequence[np.ndarray], *, k: int = 10) -> list[np.ndarray]:
    """For each case the `k` most frequent items that are not excluded; ties by dense id."""
    order_N = np.argsort(-counts_N, kind="stable")
    ranked = []
    for old in excluded:
        head = order_N[: k + len(old)]
        ranked.append(head[~np.isin(head, old)][:k])
    return ranked


def rank_cooccurrence(
    table: Table,
    counts_N: Float[np.ndarray, " N"],
    events: Interactions,
    holdout: Holdout,
    excluded: Sequence[np.ndarray],
    *,
    k: int = 10,
    last: int = 10,
) -> list[np.ndarray]:
    """For each case the `k` items with most votes: the `last` newest events vote with their rows / recency.

    Ties, and the places after the last vote, go by popularity.
    """
    tie_N = counts_N / (counts_N.sum() + 1.0) * 1e-6
    ranked = []
    for start, end, old in zip(holdout.start_S, holdout.end_S, excluded, strict=True):
        votes_N = tie_N.copy()
        for recency, item in enumerate(events.items_E[max(start, end - last) : end][::-1], start=1):
            row = slice(table.row_N[item], table.row_N[item + 1])
            votes_N[table.to_P[row]] += table.count_P[row] / recency
        votes_N[old] = -np.inf
        head = np.argpartition(-votes_N, min(k, len(votes_N) - 1))[:k]
        ranked.append(head[np.lexsort((head, -votes_N[head]))])
    return ranked
